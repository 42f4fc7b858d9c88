/* SPDX-License-Identifier: GPL-2.0 */
/* Writes what was confirmed, and what was tried. What fails is warned of, for the change itself is
 * made. */
#ifndef PORTCULLIS_RECIPE_STATE_WRITE_H
#define PORTCULLIS_RECIPE_STATE_WRITE_H

#include "loader/recipe/state.h"

/* Before a change that is to be confirmed: of these interfaces, empty: all. */
void state_try(const struct site *site, struct catalog *catalog, const struct names *interfaces);
/* It did not come about. */
void state_untry(const struct site *site);

/* It is final: this is what boots from now on. */
void state_keep(const struct site *site, struct catalog *catalog);

/* What waited is confirmed; where only some interfaces were applied, it is as if nothing had been
 * tried. */
void state_promote(const struct snapshot *pending);

#endif
