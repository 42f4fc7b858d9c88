/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of one generation. */
#ifndef PORTCULLIS_FILTER_GENERATION_MAPS_H
#define PORTCULLIS_FILTER_GENERATION_MAPS_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"

/*
 * Maps a generation behind a copy of its head. The tables behind the head never change once it is
 * active, and a command looks at few of their 2.5 MB. `write`: the tables are written, too. NULL:
 * the kernel maps only what the caller may write.
 */
struct pc_generation *generation_map(int generation, bool write);

/*
 * Makes the map of a generation with these tables, and maps it as `copy`, whose head is stored by
 * generation_store_head. 0, or -errno with a message.
 */
int generation_make(const struct pc_generation *tables, struct installed *installed);
int generation_store_head(const struct installed *installed);

/* Makes the map of a recipe; its descriptor, or -errno with a message. */
int generation_make_recipe(const char *recipe, size_t length);

/*
 * Sets the slot of the trie of a generation to come, and fills it with the prefixes of the tables,
 * unless a trie with the same ones is there. 0, or -errno with a message.
 */
int generation_place_trie(struct filter *filter, const struct tables *tables,
			  struct pc_generation *generation);

/* The recipe of the current generation, NUL-ended; the caller frees. */
int filter_recipe(const struct filter *filter, char **recipe);

#endif
