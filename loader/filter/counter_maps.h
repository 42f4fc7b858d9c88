/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the counters of a filter out of its maps. */
#ifndef PORTCULLIS_FILTER_COUNTER_MAPS_H
#define PORTCULLIS_FILTER_COUNTER_MAPS_H

#include "loader/filter/filter.h"
#include "loader/report/counters.h"

/*
 * Sets `counters`, which must be zero, to the counts of the filter since it was attached. -EAGAIN:
 * the counters changed all the time while they were copied.
 */
int filter_counters(const struct filter *filter, struct counters *counters);

#endif
