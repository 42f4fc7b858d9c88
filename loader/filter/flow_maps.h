/* SPDX-License-Identifier: GPL-2.0 */
/* The flow maps that the filters of a network namespace share. */
#ifndef PORTCULLIS_FILTER_FLOW_MAPS_H
#define PORTCULLIS_FILTER_FLOW_MAPS_H

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 * Opens a filter (filter_open_shared) of the caller's network namespace whose flow maps a new one
 * is to share; FILTER_NONE if there is none. `flows`: the size that was asked for, 0: any. If the
 * maps have another size, -EEXIST with a message.
 */
int flow_maps_find(const struct hooks *hooks, __u32 flows, struct filter *with);

/*
 * Returns how many flows the maps of a filter hold together, as --flows gives it, twice the size of
 * `connections`. 0 if the map cannot be read.
 */
__u32 flow_maps_size(const struct filter *filter);

#endif
