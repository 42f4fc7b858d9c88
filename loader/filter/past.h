/* SPDX-License-Identifier: GPL-2.0 */
/* Counts of a filter with an older layout, kept beside the counters of the filter that replaced
 * it. */
#ifndef PORTCULLIS_FILTER_PAST_H
#define PORTCULLIS_FILTER_PAST_H

#include "loader/filter/filter.h"

/* True if the counters of that layout version can be kept. */
bool past_known(__u32 version);

/*
 * Makes the map `past` from the counts of `old`, a filter of that version. Returns its
 * descriptor, or -errno with a message.
 */
int past_make(const struct filter *old, __u32 version);

/*
 * Pins `past` in the folder of `filter`, and replaces an earlier pin. The filter then owns the
 * descriptor. Returns 0, or -errno with a message.
 */
int past_put(struct filter *filter, int past);

#endif
