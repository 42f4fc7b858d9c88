/* SPDX-License-Identifier: GPL-2.0 */
/* Plans from options as on a command line, with the small catalog of composing.h. */
#ifndef PORTCULLIS_TEST_COMPILE_PLANNED_H
#define PORTCULLIS_TEST_COMPILE_PLANNED_H

#include "loader/compile/plan.h"
#include "tests/unit/recipe/composing.h"

struct planned {
	struct run run;
	struct plan plan;
};

static inline void planned_free(struct planned *planned)
{
	plan_free(&planned->plan);
	finish(&planned->run);
}

/* The paths of the catalog's folder, and of one that does not exist. */
static inline void plan_with(struct planned *planned, const char *const *option)
{
	struct names folders = {.name = (char *[]){folder, "/nonexistent"}, .count = 2};

	start(&planned->run, option);
	assert_int_equal(plan_make(&planned->run.catalog, &folders, &planned->run.recipe, false,
				   &planned->plan, &planned->run.diag),
			 0);
}

#endif
