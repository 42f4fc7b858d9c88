/* SPDX-License-Identifier: GPL-2.0 */
/* The map `tallies`: every assignment of counters to a machine behind this host. */
#ifndef PORTCULLIS_FILTER_TALLY_MAPS_H
#define PORTCULLIS_FILTER_TALLY_MAPS_H

#include "loader/compile/tallies.h"
#include "loader/filter/filter.h"

/* Reads a filter's tallies; it may have none. Prints no error; returns 0 or -errno. */
int tallies_read(const struct filter *filter, struct tallies *tallies);

/*
 * Assigns tallies to the machines of the tables (tallies_assign), and stores the new ones with the
 * filter. Call it before the generation counts, so that every count has a meaning.
 */
int tallies_place(struct filter *filter, struct tables *tables);

#endif
