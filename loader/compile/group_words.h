/* SPDX-License-Identifier: GPL-2.0 */
/* Assigns the bits of groups in the trie (struct pc_groups). */
#ifndef PORTCULLIS_COMPILE_GROUP_WORDS_H
#define PORTCULLIS_COMPILE_GROUP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"
#include "loader/catalog/group.h"

/*
 * Groups of machines may have equal names and different prefixes. Groups of equal name and prefixes
 * are one group and share a bit, but not if one of them takes grants and the other does not.
 */
struct group_words {
	struct group_word {
		struct group_use {
			const struct group *group;
			bool granted; /* whether grants apply to it: not to a machine's own group */
		} use[PC_GROUPS];     /* the group of each bit */
		size_t groups;
	} word[PC_GROUP_WORDS];
};

/*
 * Gives these groups, at most PC_GROUPS different ones, bits of one word, and returns the word's
 * number. The first call gets word 0. -ENOSPC: no word has room for all of them.
 */
int group_words_add(struct group_words *words, const struct group_use *use, size_t groups);

/* The bit of a group in a word. The word must have the group. */
size_t group_words_bit(const struct group_words *words, int word, const struct group_use *use);

bool group_use_same(const struct group_use *a, const struct group_use *b);

/* Writes the groups to pc_generation.group. */
void group_words_write(const struct group_words *words, struct pc_generation *generation);

#endif
