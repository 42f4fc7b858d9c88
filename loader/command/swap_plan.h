/* SPDX-License-Identifier: GPL-2.0 */
/* Plans the next generation of a filter: its recipe with the changes of the options. */
#ifndef PORTCULLIS_COMMAND_SWAP_PLAN_H
#define PORTCULLIS_COMMAND_SWAP_PLAN_H

#include "loader/command/options.h"
#include "loader/compile/plan.h"

struct site;

/* One interface: its kept recipe, and the plan of its next generation. */
struct swap_plan {
	const char *name;
	json_t *kept;	      /* recipe and services of the active generation; owned */
	char *kept_text;      /* the text of `kept` as it is pinned; owned */
	/* folders of --catalog: those of this command, then those of the filter's last command */
	struct names folders;
	struct catalog catalog;
	struct recipe recipe;
	struct plan plan;
	bool quiet; /* do not report words that have no effect any more */
};

/*
 * Makes the plan from `kept`, which must be set. -errno with a message, or with errors in `diag`.
 * Call swap_plan_free in each case.
 */
int swap_plan_make(const struct options *options, const struct site *site, struct swap_plan *target,
		   struct diag *diag);
/*
 * The plan of `swap` without options, as the base of a fix. NULL if there can be no fix, for
 * example after a profile was deleted. Prints nothing; the caller frees the plan and its content.
 */
struct swap_plan *swap_plan_as_it_is(const char *name, const json_t *kept, const struct site *site);

void swap_plan_free(struct swap_plan *target);

#endif
