/* SPDX-License-Identifier: GPL-2.0 */
/* Parks the words of a recipe that its profiles do not know. */
#ifndef PORTCULLIS_RECIPE_PRUNE_H
#define PORTCULLIS_RECIPE_PRUNE_H

#include "loader/base/diag.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/recipe.h"

/*
 * After a swap to other profiles: moves the recipe's features and overrides that its profiles do
 * not know to `recipe->parked`, as text ("--enable imap"), and moves parked words that they know
 * back. Unknown profiles are errors. Returns 0, or -EINVAL.
 */
int recipe_prune(struct recipe *recipe, struct catalog *catalog, struct diag *diag);

#endif
