/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes snapshots and the list of tried files. Failures are warnings, because the change itself is
 * made.
 */
#ifndef PORTCULLIS_RECIPE_STATE_WRITE_H
#define PORTCULLIS_RECIPE_STATE_WRITE_H

#include "loader/recipe/state.h"

/*
 * Opens the folder STATE, and makes it if it is missing. It must belong to root (else -EPERM),
 * because a user who can write in it decides what boots.
 */
int state_folder(int *folder);
/* Replaces a file of the folder, synced; without a text removes the file. 0 or -errno. */
int state_replace(int folder, const char *name, const char *text, size_t length);

/* Call it before a change of these interfaces that is to be confirmed; empty: all interfaces. */
void state_try(const struct site *site, struct catalog *catalog, const struct names *interfaces);
/* Call it after the change: the snapshot `trying` becomes `pending`. */
void state_pend(void);
/*
 * Call it after a failed change: an earlier pending snapshot stays pending. `digest`: that of the
 * file, if it was not tried before; else NULL.
 */
void state_untry(const char *digest);

/* Call it when a change is final: from then on it boots. */
void state_keep(const struct site *site, struct catalog *catalog);

/*
 * Call it when the pending snapshot is confirmed. If only some interfaces were applied, it is
 * removed as if nothing had been tried. `link`: the link to it, "trying" or "pending".
 */
void state_promote(const struct snapshot *waited, const char *link);

#endif
