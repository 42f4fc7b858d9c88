/* SPDX-License-Identifier: GPL-2.0 */
/* The ports of an SSH server, as its own configuration has them. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_SSH_H
#define PORTCULLIS_RECIPE_CLAIMS_SSH_H

#include "loader/recipe/claims.h"

void claims_ssh(const struct root *root, struct claims *claims);

#endif
