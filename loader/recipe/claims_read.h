/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the configured ports of the products on a disk. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_READ_H
#define PORTCULLIS_RECIPE_CLAIMS_READ_H

#include "loader/catalog/catalog.h"
#include "loader/recipe/claims.h"

/*
 * Reads the configuration of each product of the catalog below the root. Files that cannot be read
 * are named in `problems`.
 */
void claims_read(const struct root *root, struct catalog *catalog, struct claims *claims);

#endif
