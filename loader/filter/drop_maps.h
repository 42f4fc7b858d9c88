/* SPDX-License-Identifier: GPL-2.0 */
/* Reads and clears what a filter has recorded of the packets that it dropped. */
#ifndef PORTCULLIS_FILTER_DROP_MAPS_H
#define PORTCULLIS_FILTER_DROP_MAPS_H

#include "loader/filter/filter.h"
#include "loader/report/drops.h"

/*
 * Adds the table of the filter; `place` is the filter's in the caller's list. drops->since and
 * drops->forgotten are of the prefix `of` (family 0: of all). Returns 0 or -errno.
 */
int filter_drops(const struct filter *filter, size_t place, const struct prefix *of,
		 struct drops *drops);

/*
 * Forgets what was recorded until now. If it is interrupted, readers see nothing of that any more.
 * Returns 0 or -errno.
 */
int filter_drops_clear(const struct filter *filter);

#endif
