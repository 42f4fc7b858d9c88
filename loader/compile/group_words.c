// SPDX-License-Identifier: GPL-2.0
/* The bits that groups have in the trie. */
#include "loader/compile/group_words.h"

#include <errno.h>
#include <string.h>

bool group_same(const struct group *a, const struct group *b)
{
	return a == b ||
	       (a->prefixes == b->prefixes && !strcmp(a->name, b->name) &&
		(!a->prefixes || !memcmp(a->prefix, b->prefix, a->prefixes * sizeof(*a->prefix))));
}

static size_t find_bit(const struct group_word *word, const struct group *group)
{
	size_t bit = 0;

	while (bit < word->groups && !group_same(word->group[bit], group))
		bit++;
	return bit;
}

static size_t count_missing(const struct group_word *word, const struct group *const *group,
			    size_t groups)
{
	size_t missing = 0;

	for (size_t i = 0; i < groups; i++)
		missing += find_bit(word, group[i]) == word->groups;
	return missing;
}

int group_words_add(struct group_words *words, const struct group *const *group, size_t groups)
{
	size_t least = PC_GROUPS + 1;
	struct group_word *word;
	int best = -1;

	for (int i = 0; i < PC_GROUP_WORDS; i++) {
		size_t missing = count_missing(&words->word[i], group, groups);

		if (missing >= least || words->word[i].groups + missing > PC_GROUPS)
			continue;
		least = missing;
		best = i;
	}
	if (best < 0)
		return -ENOSPC;
	word = &words->word[best];
	for (size_t i = 0; i < groups; i++)
		if (find_bit(word, group[i]) == word->groups)
			word->group[word->groups++] = group[i];
	return best;
}

size_t group_words_bit(const struct group_words *words, int word, const struct group *group)
{
	return find_bit(&words->word[word], group);
}
