/* SPDX-License-Identifier: GPL-2.0 */
/* Writes a site file from recipes. */
#ifndef PORTCULLIS_RECIPE_SITE_WRITE_H
#define PORTCULLIS_RECIPE_SITE_WRITE_H

#include "loader/recipe/site_interface.h"

/* An interface to write. */
struct site_entry {
	const char *name;
	const char *note; /* a comment above it, of one line; NULL: none */
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
