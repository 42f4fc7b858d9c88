/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of one generation. */
#ifndef PORTCULLIS_FILTER_GENERATION_MAPS_H
#define PORTCULLIS_FILTER_GENERATION_MAPS_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"

/*
 * The generation's own map, filled; and the map of its recipe. Each returns a descriptor, or -errno
 * with a message.
 */
int generation_make(const struct pc_generation *generation);
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
