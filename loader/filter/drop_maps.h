/* SPDX-License-Identifier: GPL-2.0 */
/* Reads and clears a filter's record of the packets that it dropped. */
#ifndef PORTCULLIS_FILTER_DROP_MAPS_H
#define PORTCULLIS_FILTER_DROP_MAPS_H

#include "loader/filter/filter.h"
#include "loader/report/drops.h"

/*
 * Adds the table of the filter; `place`: the filter's index in the caller's list. drops->since and
 * drops->forgotten are for the prefix `of` (family 0: for all sources). Returns 0 or -errno.
 */
int filter_drops(const struct filter *filter, size_t place, const struct prefix *of,
		 struct drops *drops);

/*
 * Deletes the record up to the present. After an interruption readers ignore what was not deleted.
 * Returns 0 or -errno.
 */
int filter_drops_clear(const struct filter *filter);

#endif
