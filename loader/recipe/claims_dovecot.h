/* SPDX-License-Identifier: GPL-2.0 */
/* The ports of Dovecot, as its own configuration has them. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_DOVECOT_H
#define PORTCULLIS_RECIPE_CLAIMS_DOVECOT_H

#include "loader/recipe/claims.h"

void claims_dovecot(const struct root *root, struct claims *claims);

#endif
