/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the counters of the machines behind a filter's interface. */
#ifndef PORTCULLIS_HOST_MACHINE_COUNTS_H
#define PORTCULLIS_HOST_MACHINE_COUNTS_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/host/attached.h"
#include "loader/report/drops.h"
#include "loader/report/top_machines.h"

/*
 * Makes "machines" (machine_counters.h) from counters and the tallies of a filter; NULL: the recipe
 * has no machines, or they cannot be read, which a message explains.
 */
json_t *machine_counts_json(const char *name, const struct filter *filter,
			    const struct counters *counters, const json_t *kept, bool all);

/* Makes the rows of `top` for a filter's machines. -errno with a message if they cannot be read. */
int machine_counts_top(const struct live *live, struct top_machines **behind);

/*
 * The cell in which a generation (with its tallies placed) counts a port of the event's machine;
 * PC_CELLS_END: none. `out`: a remote port.
 */
__u32 machine_counts_cell(const struct pc_generation *generation, const struct pc_event *event,
			  enum pc_tally_kind kind, bool out, __u32 port);

/*
 * Adds "machines" (machine_counters.h) to the counters of an interface, if its recipe has machines.
 * A message if they cannot be read.
 */
void machine_counts_add(const struct live *live, bool all, json_t *interface);

/* A machine whose name is unknown, because it was removed since or is not counted. */
#define MACHINE_GONE 0xffffffffu

/*
 * Replaces pc_drop.machine in the rows of a filter by 1 + the index of the machine in the recipe,
 * or by MACHINE_GONE. -errno with a message if it cannot be read.
 */
int machine_counts_find(const struct live *live, size_t filter, struct drops *drops);

/* The names of the machines of a generation's prefixes, by index in pc_generation.machine. */
struct machine_names {
	const struct pc_generation *generation;
	const char *of[PC_MACHINES];
};

/*
 * Reads the names for a filter whose kept text was read. The filter must stay open. NULL: it has no
 * machines, or a message says why they cannot be read. The caller frees.
 */
struct machine_names *machine_names_read(const struct live *live);

/* The name of the machine that has an address; NULL: none. `names` may be NULL. */
const char *machine_names_find(const struct machine_names *names, int family, const __u8 *address);

/* The name of the machine of such a row; "?" if it is gone; NULL: this host. */
const char *machine_counts_name(const struct live *live, const struct drops_row *row);

#endif
