/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the counters of a filter from its maps. */
#ifndef PORTCULLIS_FILTER_COUNTER_MAPS_H
#define PORTCULLIS_FILTER_COUNTER_MAPS_H

#include "loader/filter/filter.h"
#include "loader/report/counters.h"

/*
 * Sets `counters`, which must be zero, to the counts of the filter since it was attached. -EAGAIN:
 * each attempt to copy the counters met a change.
 */
int filter_counters(const struct filter *filter, struct counters *counters);

#endif
