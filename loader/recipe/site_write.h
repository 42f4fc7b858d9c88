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
	 * A list of {"key", "word", "why"}: comments behind words, which then get a line each;
	 * "word" null: behind the key. Comments on groups are written at the first entry that has
	 * the group. NULL: none.
	 */
	const json_t *notes;
	const struct names *remarks; /* comments below it; NULL: none */
	struct recipe recipe;
	enum hook_mode mode; /* HOOK_AUTO is not written */
	unsigned int flows;  /* 0: not written */
};

/*
 * Writes `groups`, `management` (NULL: not written) and `interfaces`. site_parse reads them back as
 * the same recipes. `groups` has the groups of all entries; if a later entry has other prefixes for
 * a name, that entry gets a group of its own.
 */
void site_write(const struct site_entry *entry, size_t count, const struct ports *management,
		FILE *to);

#endif
