/* SPDX-License-Identifier: GPL-2.0 */
/* Pairs the machines of two kept texts, so that each pair can be compared like an interface. */
#ifndef PORTCULLIS_REPORT_DIFFERENCE_MACHINES_H
#define PORTCULLIS_REPORT_DIFFERENCE_MACHINES_H

#include <jansson.h>
#include <stdbool.h>

/* A machine before and after. If it does not exist, its text is empty and it has no address. */
struct machine_pair {
	const char *name;
	const json_t *before, *after; /* kept texts of its own (kept_machine) */
	const char *was, *is;	      /* addresses, or NULL */
	/* Groups of its own, before and after; NULL: the machine does not exist. */
	const json_t *old_groups, *groups;
	bool own_policy, own_outbound; /* settings given for the machine itself, before or after */
};

typedef void machine_pair_tell(void *context, const struct machine_pair *pair);

/*
 * Calls `tell` for each machine that may differ: first those of `after`, in its order, then those
 * that only `before` has.
 */
void difference_machines(const json_t *before, const json_t *after, machine_pair_tell *tell,
			 void *context);

#endif
