/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes snapshots and the list of tried files. Failures are warnings, because the change itself is
 * made.
 */
#ifndef PORTCULLIS_RECIPE_STATE_WRITE_H
#define PORTCULLIS_RECIPE_STATE_WRITE_H

#include "loader/recipe/state.h"

/*
 * Opens the folder STATE, and makes it if it is missing. It must be root's (else -EPERM): a user
 * who can write in it decides what boots.
 */
int state_folder(int *folder);
/* Replaces a file of the folder, synced; without a text removes it. 0 or -errno. */
int state_replace(int folder, const char *name, const char *text, size_t length);

/* Called before a change that is to be confirmed, of these interfaces; empty: all. */
void state_try(const struct site *site, struct catalog *catalog, const struct names *interfaces);
/* The change is made: the snapshot `trying` becomes `pending`. */
void state_pend(void);
/*
 * The change failed: an earlier pending snapshot stays pending. `digest`: of the file, if it was
 * not tried before; else NULL.
 */
void state_untry(const char *digest);

/* Called when a change is final: it boots from now on. */
void state_keep(const struct site *site, struct catalog *catalog);

/*
 * The pending snapshot was confirmed. If only some interfaces were applied, it is removed as if
 * nothing had been tried. `link`: the link to it, "trying" or "pending".
 */
void state_promote(const struct snapshot *waited, const char *link);

#endif
