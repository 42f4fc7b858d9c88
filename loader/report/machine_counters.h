/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of the ports of machines behind an interface, as JSON. */
#ifndef PORTCULLIS_REPORT_MACHINE_COUNTERS_H
#define PORTCULLIS_REPORT_MACHINE_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/report/counters.h"

/* The tallies of a filter (struct pc_tally), the first being tally 1. */
struct machine_tallies {
	const struct pc_tally *tally;
	size_t count;
	__u64 (*digest)(const char *name); /* pc_tally.machine of a name */
};

/*
 * Tells each tally of the machines, machine by machine, in the order of a report's ports. `number`:
 * of the tally; `again`: of the same ports as the one before; `services`: the open ones that list
 * them.
 */
typedef void machine_tally_tell(void *context, const char *machine, const struct pc_tally *tally,
				__u32 number, bool again, const json_t *services);
void report_machine_tallies(const struct machine_tallies *tallies, const json_t *kept,
			    machine_tally_tell *tell, void *context);

/*
 * "machines" of an interface's counters: [{"name", "ports": as the interface's "ports"}]. A range
 * that is counted as one has "last", its last port. What no service of the machine lists is one
 * entry a direction, with a null "port" and "protocol". Without `all`, entries that counted nothing
 * are left out.
 */
json_t *report_machine_counters(const struct counters *counters,
				const struct machine_tallies *tallies, const json_t *kept,
				bool all);

/*
 * Moves these ports into the interface's "ports", each with its "machine"; null: this host.
 */
void report_flatten_machines(json_t *interface);

#endif
