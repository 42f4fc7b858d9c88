// SPDX-License-Identifier: GPL-2.0
/* Assigns the bits of groups in the trie. */
#include "loader/compile/group_words.h"

#include <errno.h>
#include <string.h>

static bool same_group(const struct group *a, const struct group *b)
{
	return a == b ||
	       (a->prefixes == b->prefixes && !strcmp(a->name, b->name) &&
		(!a->prefixes || !memcmp(a->prefix, b->prefix, a->prefixes * sizeof(*a->prefix))));
}

bool group_use_same(const struct group_use *a, const struct group_use *b)
{
	return a->granted == b->granted && same_group(a->group, b->group);
}

static size_t find_bit(const struct group_word *word, const struct group_use *use)
{
	size_t bit = 0;

	while (bit < word->groups && !group_use_same(&word->use[bit], use))
		bit++;
	return bit;
}

static size_t count_missing(const struct group_word *word, const struct group_use *use,
			    size_t groups)
{
	size_t missing = 0;

	for (size_t i = 0; i < groups; i++)
		missing += find_bit(word, &use[i]) == word->groups;
	return missing;
}

int group_words_add(struct group_words *words, const struct group_use *use, size_t groups)
{
	size_t least = PC_GROUPS + 1;
	struct group_word *word;
	int best = -1;

	for (int i = 0; i < PC_GROUP_WORDS; i++) {
		size_t missing = count_missing(&words->word[i], use, groups);

		if (missing >= least || words->word[i].groups + missing > PC_GROUPS)
			continue;
		least = missing;
		best = i;
	}
	if (best < 0)
		return -ENOSPC;
	word = &words->word[best];
	for (size_t i = 0; i < groups; i++)
		if (find_bit(word, &use[i]) == word->groups)
			word->use[word->groups++] = use[i];
	return best;
}

size_t group_words_bit(const struct group_words *words, int word, const struct group_use *use)
{
	return find_bit(&words->word[word], use);
}

void group_words_write(const struct group_words *words, struct pc_generation *generation)
{
	for (size_t i = 0; i < PC_GROUP_WORDS; i++)
		for (size_t bit = 0; bit < words->word[i].groups; bit++) {
			const struct group_use *use = &words->word[i].use[bit];

			generation->group[i][bit] =
				use->granted ? pc_group_id(use->group->name) : 0;
		}
}
