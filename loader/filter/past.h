/* SPDX-License-Identifier: GPL-2.0 */
/* Counts of an older layout: kept beside the counters of the filter that took its place. */
#ifndef PORTCULLIS_FILTER_PAST_H
#define PORTCULLIS_FILTER_PAST_H

#include "loader/filter/filter.h"

/* True if the counters of that layout version can be kept. */
bool past_known(__u32 version);

/*
 * Makes the map `past` of the counts of `old`, a filter of that version, until now. Returns its
 * descriptor, or -errno with a message.
 */
int past_make(const struct filter *old, __u32 version);

/*
 * Pins `past` in the folder of `filter`, in the place of an earlier one. The filter owns the
 * descriptor from then on. Returns 0, or -errno with a message.
 */
int past_put(struct filter *filter, int past);

#endif
