/* SPDX-License-Identifier: GPL-2.0 */
/* A recipe cut down to what its profiles know. */
#ifndef PORTCULLIS_RECIPE_PRUNE_H
#define PORTCULLIS_RECIPE_PRUNE_H

#include "loader/base/diag.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/recipe.h"

/*
 * Drops from a recipe what its profiles do not know (after a swap to others): features, overrides.
 * What is dropped is added to `dropped` as text ("--enable imap"). Unknown profiles are errors.
 * Returns 0, or -EINVAL with the recipe as it was.
 */
int recipe_prune(struct recipe *recipe, struct catalog *catalog, struct names *dropped,
		 struct diag *diag);

#endif
