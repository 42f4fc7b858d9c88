/* SPDX-License-Identifier: GPL-2.0 */
/* The ports of products that keep them in the registry of Windows. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_REGISTRY_H
#define PORTCULLIS_RECIPE_CLAIMS_REGISTRY_H

#include "loader/catalog/catalog.h"
#include "loader/recipe/claims.h"

/* Reads the values that profiles of the catalog name from the exported registries (*.reg) in the
 * folder. */
void claims_registry(const struct root *root, struct catalog *catalog, struct claims *claims);

#endif
