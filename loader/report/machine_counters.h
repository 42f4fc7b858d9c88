/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of the ports of machines behind an interface, as JSON. */
#ifndef PORTCULLIS_REPORT_MACHINE_COUNTERS_H
#define PORTCULLIS_REPORT_MACHINE_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/report/counters.h"

/* The tallies of a filter (struct pc_tally); the first one is tally 1. */
struct machine_tallies {
	const struct pc_tally *tally;
	size_t count;
	__u64 (*digest)(const char *name); /* the value of pc_tally.machine for a name */
};

/*
 * Calls `tell` for each tally of the machines, machine by machine, in the order of a report's
 * ports. `number`: of the tally; `again`: it has the same ports as the previous one; `services`:
 * the open ones that list these ports.
 */
typedef void machine_tally_tell(void *context, const char *machine, const struct pc_tally *tally,
				__u32 number, bool again, const json_t *services);
void report_machine_tallies(const struct machine_tallies *tallies, const json_t *kept,
			    machine_tally_tell *tell, void *context);

/*
 * "machines" of an interface's counters: [{"name", "ports": as the interface's "ports"}]. A range
 * that is counted as one port has "last", its last port. All ports that no service of the machine
 * lists are one entry for each direction, with a null "port" and "protocol". Without `all`, entries
 * that counted nothing are left out.
 */
json_t *report_machine_counters(const struct counters *counters,
				const struct machine_tallies *tallies, const json_t *kept,
				bool all);

/*
 * Moves the machines' ports to the interface's "ports", and adds "machine" to each port; null: this
 * host.
 */
void report_flatten_machines(json_t *interface);

#endif
