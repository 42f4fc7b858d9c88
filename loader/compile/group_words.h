/* SPDX-License-Identifier: GPL-2.0 */
/* The bits that groups have in the trie (struct pc_groups). */
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
			bool granted; /* it takes grants: a machine's own group does not */
		} use[PC_GROUPS];     /* of each bit */
		size_t groups;
	} word[PC_GROUP_WORDS];
};

/*
 * Gives these groups, at most PC_GROUPS different ones, bits of one word, and returns its number.
 * The first call gets word 0. -ENOSPC: no word has room for all of them.
 */
int group_words_add(struct group_words *words, const struct group_use *use, size_t groups);

/* The bit of a group in a word that has it. */
size_t group_words_bit(const struct group_words *words, int word, const struct group_use *use);

bool group_use_same(const struct group_use *a, const struct group_use *b);

/* Writes pc_generation.group. */
void group_words_write(const struct group_words *words, struct pc_generation *generation);

#endif
