/* SPDX-License-Identifier: GPL-2.0 */
/* The ports of mailcow, as its own configuration has them. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_MAILCOW_H
#define PORTCULLIS_RECIPE_CLAIMS_MAILCOW_H

#include "loader/recipe/claims.h"

void claims_mailcow(const struct root *root, struct claims *claims);

#endif
