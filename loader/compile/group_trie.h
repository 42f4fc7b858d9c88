/* SPDX-License-Identifier: GPL-2.0 */
/* The prefixes of the groups, made ready for a look-up that finds only the longest prefix. */
#ifndef PORTCULLIS_COMPILE_GROUP_TRIE_H
#define PORTCULLIS_COMPILE_GROUP_TRIE_H

#include "loader/base/diag.h"
#include "loader/compile/group_words.h"
#include "loader/compile/tables.h"

/*
 * Fills the tries of `tables`, which must be empty, and tries_digest of its generation. Returns 0,
 * or -EINVAL with an error in `diag` if a family has more than PC_PREFIXES prefixes.
 */
int tries_compile(const struct group_words *words, struct tables *tables, struct diag *diag);

#endif
