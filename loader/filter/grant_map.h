/* SPDX-License-Identifier: GPL-2.0 */
/* The trie of grants in the kernel (abi_grants.h). */
#ifndef PORTCULLIS_FILTER_GRANT_MAP_H
#define PORTCULLIS_FILTER_GRANT_MAP_H

#include "loader/filter/filter.h"
#include "loader/recipe/ban_set.h"

/*
 * Makes the trie of a filter's network namespace what the set is at that CLOCK_BOOTTIME second, in
 * place, and sets the filter's flag. In the set, a list is a group. No prefix that stays is missing
 * for a moment. 0 or -errno.
 */
int grant_map_fill(const struct filter *filter, const struct ban_set *set, __u32 now);

/* Whether the trie has a grant with its end. */
bool grant_map_has(const struct filter *filter, const struct ban *grant);

#endif
