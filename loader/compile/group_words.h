/* SPDX-License-Identifier: GPL-2.0 */
/* The bits that groups have in the trie (struct pc_groups). */
#ifndef PORTCULLIS_COMPILE_GROUP_WORDS_H
#define PORTCULLIS_COMPILE_GROUP_WORDS_H

#include <stddef.h>

#include "bpf/abi.h"
#include "loader/catalog/group.h"

/*
 * Groups of machines may have equal names and different prefixes. Groups of equal name and prefixes
 * are one group: they share a bit.
 */
struct group_words {
	struct group_word {
		const struct group *group[PC_GROUPS]; /* of each bit */
		size_t groups;
	} word[PC_GROUP_WORDS];
};

/*
 * Gives these groups, at most PC_GROUPS different ones, bits of one word, and returns its number.
 * The first call gets word 0. -ENOSPC: no word has room for all of them.
 */
int group_words_add(struct group_words *words, const struct group *const *group, size_t groups);

/* The bit of a group in a word that has it. */
size_t group_words_bit(const struct group_words *words, int word, const struct group *group);

bool group_same(const struct group *a, const struct group *b);

#endif
