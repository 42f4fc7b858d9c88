/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which tally counts which port of which machine behind this host. A filter keeps what it ever
 * gave, so that counts go on over swaps, and those of a machine that is removed are found when it
 * comes back.
 */
#ifndef PORTCULLIS_COMPILE_TALLIES_H
#define PORTCULLIS_COMPILE_TALLIES_H

#include "loader/compile/tables.h"

/* As in the map `tallies`; the first entry is tally 1. */
struct tallies {
	struct pc_tally *tally;
	size_t count;
};

/*
 * Gives the prefixes of each machine its tallies: those that it has, if they are of the same ports.
 * Returns the number of machines for which none are left: their packets are not counted by port.
 */
size_t tallies_assign(struct tallies *tallies, struct tables *tables);

/* pc_tally.machine of a machine's name. */
__u64 tallies_machine(const char *name);
void tallies_free(struct tallies *tallies);

#endif
