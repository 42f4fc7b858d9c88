/* SPDX-License-Identifier: GPL-2.0 */
/* The prefixes that the generations of a filter deny, and those that they never ban. */
#ifndef PORTCULLIS_FILTER_DENIED_H
#define PORTCULLIS_FILTER_DENIED_H

#include "loader/catalog/prefix.h"
#include "loader/filter/filter.h"

/* Two lists, each sorted by prefix_compare, without duplicates. */
struct denied {
	struct prefix *deny, *never;
	size_t denies, nevers;
};

/*
 * Adds the prefixes of the active generation, the prepared one and the fallback. Reads them from
 * the tries, so that no recipe has to be composed. 0 or -errno.
 */
int denied_read(const struct filter *filter, struct denied *denied);
void denied_free(struct denied *denied);

/* True if the two generations differ in what they deny or never ban. NULL: no generation. */
bool denied_differs(const struct pc_generation *a, const struct pc_generation *b);

#endif
