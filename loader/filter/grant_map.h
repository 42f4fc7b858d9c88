/* SPDX-License-Identifier: GPL-2.0 */
/* The trie of grants in the kernel (abi_grants.h). */
#ifndef PORTCULLIS_FILTER_GRANT_MAP_H
#define PORTCULLIS_FILTER_GRANT_MAP_H

#include "loader/filter/filter.h"
#include "loader/recipe/ban_file.h"

/*
 * Makes a trie of the file's grants that hold at that CLOCK_BOOTTIME second. Replaces the trie of
 * the filters' network namespace by it with one update, the last step that can fail. Sets the
 * filters' flags. In the file, a list is a group. 0 or -errno.
 */
int grant_map_fill(const struct filter *filter, size_t filters, const struct ban_file *file,
		   __u32 now);

/* Opens the trie of a filter; the caller closes. -1: there is none. */
int grant_map_open(const struct filter *filter);

/* Whether a trie (-1: none) was made from the file in its present state. */
bool grant_map_agrees(int map, const struct ban_file *file, __u32 now);

/* Notes that a trie has the content of the file, which was written again. */
void grant_map_note(int map, const struct ban_file *file);

/* Whether a trie has a grant with this end. */
bool grant_map_has(int map, const struct ban *grant);

#endif
