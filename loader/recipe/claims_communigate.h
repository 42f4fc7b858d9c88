/* SPDX-License-Identifier: GPL-2.0 */
/* Finds CommuniGate Pro, by its settings. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_COMMUNIGATE_H
#define PORTCULLIS_RECIPE_CLAIMS_COMMUNIGATE_H

#include "loader/recipe/claims.h"

/*
 * Notes that the product is there. The names of its settings for ports are not published; a site's
 * own profile can give them, with `configured-in` and a path as key.
 */
void claims_communigate(const struct root *root, struct claims *claims);

#endif
