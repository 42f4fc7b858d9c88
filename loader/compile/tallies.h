/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Assigns tallies: which counter of which port of which machine behind this host. A filter keeps
 * every assignment, so that counts continue over swaps, and a machine that is removed and added
 * again finds its counts.
 */
#ifndef PORTCULLIS_COMPILE_TALLIES_H
#define PORTCULLIS_COMPILE_TALLIES_H

#include "loader/compile/tables.h"

/* Tallies in the order of the map `tallies`; the first entry is tally 1. */
struct tallies {
	struct pc_tally *tally;
	size_t count;
};

/*
 * Gives the prefixes of each machine their tallies; a machine that had tallies of the same ports
 * keeps them. Returns how many machines got none because the table is full: their packets are not
 * counted by port.
 */
size_t tallies_assign(struct tallies *tallies, struct tables *tables);

/* The value of pc_tally.machine for a machine's name. */
__u64 tallies_machine(const char *name);
void tallies_free(struct tallies *tallies);

#endif
