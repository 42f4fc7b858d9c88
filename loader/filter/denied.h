/* SPDX-License-Identifier: GPL-2.0 */
/* The prefixes that the generations of a filter deny, and those that are never banned. */
#ifndef PORTCULLIS_FILTER_DENIED_H
#define PORTCULLIS_FILTER_DENIED_H

#include "loader/catalog/prefix.h"
#include "loader/filter/filter.h"

/* Two lists, each in the order of prefix_compare, each prefix once. */
struct denied {
	struct prefix *deny, *never;
	size_t denies, nevers;
};

/*
 * Adds those of the active generation, the prepared one and the one to fall back to. They are read
 * from the tries, so that no recipe is composed again. 0 or -errno.
 */
int denied_read(const struct filter *filter, struct denied *denied);
void denied_free(struct denied *denied);

/* True if two generations deny, or never ban, other prefixes. NULL: none. */
bool denied_differs(const struct pc_generation *a, const struct pc_generation *b);

#endif
