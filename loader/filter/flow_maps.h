/* SPDX-License-Identifier: GPL-2.0 */
/* The flow maps that the filters of a network namespace share. */
#ifndef PORTCULLIS_FILTER_FLOW_MAPS_H
#define PORTCULLIS_FILTER_FLOW_MAPS_H

#include "loader/filter/filter.h"

/*
 * Opens a filter of the caller's network namespace whose flow maps a new one is to share; left as
 * FILTER_NONE if there is none. `flows`: the size that was asked for, 0 for any; another one there:
 * a message and -EEXIST.
 */
int flow_maps_find(__u32 flows, struct filter *with);

/*
 * The number of flows that the maps of a filter hold, as --flows gives it: `connections` has half
 * of them. 0 if it cannot be told.
 */
__u32 flow_maps_size(const struct filter *filter);

#endif
