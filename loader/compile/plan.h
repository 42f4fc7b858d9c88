/* SPDX-License-Identifier: GPL-2.0 */
/* Makes tables from a recipe, and prints a summary. */
#ifndef PORTCULLIS_COMPILE_PLAN_H
#define PORTCULLIS_COMPILE_PLAN_H

#include <jansson.h>

#include "loader/compile/tables.h"
#include "loader/recipe/compose.h"

struct plan {
	struct composition composition;
	struct tables tables;
	json_t *kept; /* {"version", "recipe", "catalog": folders, "profiles": of `show --json`} */
	char *text;   /* `kept` as text, for filter_prepare */
};

/*
 * Composes and compiles. `folders`: those of --catalog; they are kept with the generation. The plan
 * uses catalog and recipe, which must stay. 0, or -EINVAL with errors in `diag`.
 */
int plan_make(struct catalog *catalog, const struct names *folders, const struct recipe *recipe,
	      bool strict, struct plan *plan, struct diag *diag);
/* Compiles services that are composed already. Takes over `*composition`. */
int plan_compile(struct composition *composition, const struct names *folders, struct plan *plan,
		 struct diag *diag);
void plan_free(struct plan *plan);

/*
 * Prints "eth0: native, enforce, ssh + xeams: 3 open in, 6 closed (4 feature, 2 local)". `mode` may
 * be NULL.
 */
void plan_summary(const struct plan *plan, const char *interface, const char *mode, FILE *to);

/*
 * Prints the features that a bare --enable FEATURE turned on, PROFILE:FEATURE a line, except those
 * that `before`, the kept text (NULL: none), has too.
 */
void plan_features(const struct plan *plan, const json_t *before, FILE *to);

#endif
