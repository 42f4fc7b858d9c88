/* SPDX-License-Identifier: GPL-2.0 */
/* The ports of Asterisk, as its own configuration has them. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_ASTERISK_H
#define PORTCULLIS_RECIPE_CLAIMS_ASTERISK_H

#include "loader/recipe/claims.h"

void claims_asterisk(const struct root *root, struct claims *claims);

#endif
