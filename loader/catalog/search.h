/* SPDX-License-Identifier: GPL-2.0 */
/* A search in the catalog: words of names and titles, and ports. */
#ifndef PORTCULLIS_CATALOG_SEARCH_H
#define PORTCULLIS_CATALOG_SEARCH_H

#include "loader/catalog/profile.h"

struct search {
	struct search_word *word;
	size_t words;
};

/*
 * Reads the words. A word with a '/' is a port or range, as in "5060/udp"; a number also matches
 * that port of either protocol. -EINVAL for an invalid port, with the reason in `*why`.
 */
int search_parse(const struct names *words, struct search *search, char **why);

/*
 * Whether every word is found in the profile, in upper or lower case: in its name, title, document
 * and url, in the names and titles of its own services, and among their ports. Adds the services in
 * which a word was found to `services`.
 */
bool search_finds(const struct search *search, const struct profile *profile,
		  struct names *services);

void search_free(struct search *search);

#endif
