/* SPDX-License-Identifier: GPL-2.0 */
/* The process that reads products' files for `suggest`, because anyone may have made them. */
#ifndef PORTCULLIS_COMMAND_SUGGEST_CHILD_H
#define PORTCULLIS_COMMAND_SUGGEST_CHILD_H

#include "loader/recipe/claims.h"

/*
 * claims_read in a process of its own, which can only read files, with limited memory and time.
 * `root`: its folder. 0, or -errno with a message.
 */
int suggest_child_claims(const char *root, const struct names *catalogs, struct claims *claims);

#endif
