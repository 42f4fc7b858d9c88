/* SPDX-License-Identifier: GPL-2.0 */
/* Reads what the products on a disk say of their own ports. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_READ_H
#define PORTCULLIS_RECIPE_CLAIMS_READ_H

#include "loader/catalog/catalog.h"
#include "loader/recipe/claims.h"

/*
 * Reads the configuration of each product of the catalog that is found below the root. Files of
 * another form are named in `problems`.
 */
void claims_read(const struct root *root, struct catalog *catalog, struct claims *claims);

#endif
