/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values of a filter's counters when they were cleared, which `counters` subtracts. The
 * counters themselves go on, for the totals.
 */
#ifndef PORTCULLIS_FILTER_CLEARED_H
#define PORTCULLIS_FILTER_CLEARED_H

#include "loader/filter/filter.h"
#include "loader/report/counters.h"

/*
 * Pins `counters`, of now, in the folder of the filter as the map `cleared`, in the place of an
 * earlier one: a reader finds either. 0, or -errno with a message.
 */
int cleared_put(struct filter *filter, const struct counters *counters);

/*
 * Takes from `counters` what they had when they were cleared, and sets `*since` to that time (ns of
 * clock_wall). If they never were, both stay as they are. 0 or -errno.
 */
int cleared_subtract(const struct filter *filter, struct counters *counters, __u64 *since);

#endif
