/* SPDX-License-Identifier: GPL-2.0 */
/* Writes what was confirmed, and what was tried. What fails is warned of, for the change itself is
 * made. */
#ifndef PORTCULLIS_RECIPE_STATE_WRITE_H
#define PORTCULLIS_RECIPE_STATE_WRITE_H

#include "loader/recipe/state.h"

/* Called before a change that is to be confirmed, of these interfaces; empty: all. */
void state_try(const struct site *site, struct catalog *catalog, const struct names *interfaces);
/* The change is made: what was tried takes the place of what waited before. */
void state_pend(void);
/*
 * It did not come about: what waited before goes on to wait. `digest`: of the file, which was not
 * tried before; NULL: it was.
 */
void state_untry(const char *digest);

/* Called when a change is final: it is what boots from now on. */
void state_keep(const struct site *site, struct catalog *catalog);

/* What waited is confirmed; where only some interfaces were applied, it is as if nothing had been
 * tried. `link`: what leads to it, "trying" or "pending". */
void state_promote(const struct snapshot *waited, const char *link);

#endif
