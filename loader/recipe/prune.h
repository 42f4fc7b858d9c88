/* SPDX-License-Identifier: GPL-2.0 */
/* Removes the words of a recipe that its profiles do not know. */
#ifndef PORTCULLIS_RECIPE_PRUNE_H
#define PORTCULLIS_RECIPE_PRUNE_H

#include "loader/base/diag.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/recipe.h"

/*
 * Removes features and overrides of a recipe that its profiles do not know (after a swap to
 * others), and adds them to `dropped` as text ("--enable imap"). Unknown profiles are errors.
 * Returns 0, or -EINVAL with the recipe as it was.
 */
int recipe_prune(struct recipe *recipe, struct catalog *catalog, struct names *dropped,
		 struct diag *diag);

#endif
