/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of one generation. */
#ifndef PORTCULLIS_FILTER_GENERATION_MAPS_H
#define PORTCULLIS_FILTER_GENERATION_MAPS_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"

/*
 * Maps a generation behind a copy of its head. The tables behind the head never change once the
 * generation is active, and a command reads little of their 2.5 MB. `write`: the caller also writes
 * the tables. NULL: the kernel does not map it, because the caller may not write the map.
 */
struct pc_generation *generation_map(int generation, bool write);

/*
 * Makes the map of a generation with these tables, and maps it as `copy`. generation_store_head
 * writes the head to the map. 0, or -errno with a message.
 */
int generation_make(const struct pc_generation *tables, struct installed *installed);
int generation_store_head(const struct installed *installed);

/* Makes the map of a recipe. Returns its descriptor, or -errno with a message. */
int generation_make_recipe(const char *recipe, size_t length);

/*
 * Chooses the trie of a generation that is being made: one in use that has the same prefixes, or
 * else a new one in a free slot, filled from the tables. 0, or -errno with a message.
 */
int generation_place_trie(struct filter *filter, const struct tables *tables,
			  struct pc_generation *generation);

/* The recipe of the current generation, ending with a NUL; the caller frees. */
int filter_recipe(const struct filter *filter, char **recipe);

#endif
