/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values of a filter's counters when they were cleared. `counters` subtracts them; totals do
 * not.
 */
#ifndef PORTCULLIS_FILTER_CLEARED_H
#define PORTCULLIS_FILTER_CLEARED_H

#include "loader/filter/filter.h"
#include "loader/report/counters.h"

/*
 * Pins the present `counters` in the folder of the filter as the map `cleared`. The pin replaces an
 * earlier one in one step: a reader finds one of them. 0, or -errno with a message.
 */
int cleared_put(struct filter *filter, const struct counters *counters);

/*
 * Subtracts from `counters` their values at the time when they were cleared, and sets `*since` to
 * that time (ns of clock_wall). If they were never cleared, both are unchanged. 0 or -errno.
 */
int cleared_subtract(const struct filter *filter, struct counters *counters, __u64 *since);

#endif
