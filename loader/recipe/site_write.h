/* SPDX-License-Identifier: GPL-2.0 */
/* Writes a site file from recipes. */
#ifndef PORTCULLIS_RECIPE_SITE_WRITE_H
#define PORTCULLIS_RECIPE_SITE_WRITE_H

#include <jansson.h>

#include "loader/recipe/site_interface.h"

/* An interface to write. */
struct site_entry {
	const char *name;
	const char *note; /* a comment above it, of one line; NULL: none */
	/*
	 * A list of {"key", "word", "why"}: comments behind words, each of which gets a line of its
	 * own; of a key alone where "word" is null. Those of groups count at the first entry that
	 * has the group. NULL: none.
	 */
	const json_t *notes;
	const struct names *remarks; /* comments below it; NULL: none */
	struct recipe recipe;
	enum hook_mode mode; /* HOOK_AUTO is left out */
	unsigned int flows;  /* 0: left out */
};

/*
 * Writes `groups`, `management` (NULL: the key is left out) and `interfaces`, which site_parse
 * reads back as the same recipes. The groups are those of all entries; one that has other prefixes
 * at a later entry is written there.
 */
void site_write(const struct site_entry *entry, size_t count, const struct ports *management,
		FILE *to);

#endif
