/* SPDX-License-Identifier: GPL-2.0 */
/* Plans the next generation of a filter: its recipe, changed by options. */
#ifndef PORTCULLIS_COMMAND_SWAP_PLAN_H
#define PORTCULLIS_COMMAND_SWAP_PLAN_H

#include "loader/command/options.h"
#include "loader/compile/plan.h"

struct site;

/* One interface: its kept recipe, and the plan of its next generation. */
struct swap_plan {
	const char *name;
	json_t *kept;	      /* recipe and services of the active generation; owned */
	char *kept_text;      /* the same, as it is pinned; owned */
	struct names folders; /* of --catalog: those given now, then those of its last command */
	struct catalog catalog;
	struct recipe recipe;
	struct plan plan;
	bool quiet; /* does not tell which words have no effect any more */
};

/*
 * Makes the plan from `kept`, which is set already. -errno with a message, or with errors in
 * `diag`; swap_plan_free is due in both cases.
 */
int swap_plan_make(const struct options *options, const struct site *site, struct swap_plan *target,
		   struct diag *diag);
/*
 * The plan of `swap` without options, to which a fix adds. NULL where it is not possible, as after
 * a profile was deleted: there is no fix. Silent; the caller frees both it and what it has.
 */
struct swap_plan *swap_plan_as_it_is(const char *name, const json_t *kept, const struct site *site);

void swap_plan_free(struct swap_plan *target);

#endif
