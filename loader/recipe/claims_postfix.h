/* SPDX-License-Identifier: GPL-2.0 */
/* The ports of Postfix, as its own configuration has them. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_POSTFIX_H
#define PORTCULLIS_RECIPE_CLAIMS_POSTFIX_H

#include "loader/recipe/claims.h"

void claims_postfix(const struct root *root, struct claims *claims);

#endif
