/* SPDX-License-Identifier: GPL-2.0 */
/* Enters connections of the table of tracked connections into the flow maps. */
#ifndef PORTCULLIS_FILTER_SEED_CONNTRACK_H
#define PORTCULLIS_FILTER_SEED_CONNTRACK_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Where the kernel tracks connections: enters those of this host whose addresses or ports are
 * translated, UDP that it began, and with `forward` those that it forwards by the interface.
 * Returns whether that leaves none out: it tracks both address families, and some that are
 * forwarded were found. What cannot be read is warned of.
 */
bool seed_conntrack(const struct filter *filter, unsigned int ifindex, bool forward);

#endif
