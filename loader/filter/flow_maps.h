/* SPDX-License-Identifier: GPL-2.0 */
/* The flow maps that the filters of a network namespace share. */
#ifndef PORTCULLIS_FILTER_FLOW_MAPS_H
#define PORTCULLIS_FILTER_FLOW_MAPS_H

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 * Opens a filter (filter_open_shared) of the caller's network namespace, so that a new one can
 * share its flow maps; FILTER_NONE if there is none. `flows`: the requested size; 0: any. -EEXIST
 * with a message if the maps have another size.
 */
int flow_maps_find(const struct hooks *hooks, __u32 flows, struct filter *with);

/*
 * Returns the number of flows for which the maps of a filter have room, in the unit of --flows:
 * twice the size of `connections`. 0 if the map cannot be read.
 */
__u32 flow_maps_size(const struct filter *filter);

#endif
