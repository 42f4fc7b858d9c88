/* SPDX-License-Identifier: GPL-2.0 */
/* The map `tallies`: what a filter ever counted of machines behind this host. */
#ifndef PORTCULLIS_FILTER_TALLY_MAPS_H
#define PORTCULLIS_FILTER_TALLY_MAPS_H

#include "loader/compile/tallies.h"
#include "loader/filter/filter.h"

/* Reads those of a filter, which may have none. Reports no error; returns 0 or -errno. */
int tallies_read(const struct filter *filter, struct tallies *tallies);

/*
 * Gives the machines of the tables their tallies, as tallies_assign, and keeps with the filter
 * those that are new. Before the generation counts, so that no count is without a meaning.
 */
int tallies_place(struct filter *filter, struct tables *tables);

#endif
