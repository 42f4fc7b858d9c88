/* SPDX-License-Identifier: GPL-2.0 */
/* CommuniGate Pro, by its settings. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_COMMUNIGATE_H
#define PORTCULLIS_RECIPE_CLAIMS_COMMUNIGATE_H

#include "loader/recipe/claims.h"

/*
 * Notes that the product is there. The names that its settings have for ports are public nowhere: a
 * profile of the site tells them, by `configured-in` with a path as key.
 */
void claims_communigate(const struct root *root, struct claims *claims);

#endif
