/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file that keeps the administrators who pass in wider bans, so that they can log in after a
 * boot: a line of address and time each.
 *
 *	192.0.2.5 1795975200
 */
#ifndef PORTCULLIS_RECIPE_ADMINISTRATORS_H
#define PORTCULLIS_RECIPE_ADMINISTRATORS_H

#include <stdbool.h>

#include "loader/catalog/group.h"

#define ADMINISTRATORS	   256
#define ADMINISTRATOR_KEPT (365 * 86400ULL) /* seconds since the last login that was seen */

struct administrator {
	struct prefix host; /* /32 or /128 */
	__u64 seen;	    /* seconds since 1970 */
};

struct administrators {
	struct administrator one[ADMINISTRATORS];
	size_t count;
	bool changed; /* the file has to be written */
};

/* Reads the administrators seen recently; skips unreadable lines. `now`: seconds since 1970. */
void administrators_read(const char *path, __u64 now, struct administrators *list);
/* Adds an administrator. If the list is full, the one last seen longest ago is replaced. */
void administrators_see(struct administrators *list, const struct prefix *host, __u64 now);
void administrators_remove(struct administrators *list, size_t at);
/* The text of the file; the caller frees. */
char *administrators_text(const struct administrators *list);

#endif
