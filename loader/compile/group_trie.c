// SPDX-License-Identifier: GPL-2.0
/* Compiles the prefixes of the groups into sorted entries, each family separately. */
#include "loader/compile/group_trie.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/base/pool.h"

struct member {
	struct prefix prefix;
	struct pc_groups groups;
};

static int compare_members(const void *a, const void *b)
{
	return prefix_compare(&((const struct member *)a)->prefix,
			      &((const struct member *)b)->prefix);
}

static bool encloses(const struct prefix *outer, const struct prefix *inner)
{
	int bytes = outer->length / 8, bits = outer->length % 8;

	if (outer->family != inner->family || outer->length > inner->length ||
	    memcmp(outer->address, inner->address, (size_t)bytes))
		return false;
	return !bits || !((outer->address[bytes] ^ inner->address[bytes]) >> (8 - bits));
}

static size_t count_members(const struct group_words *words)
{
	size_t count = 0;

	for (size_t i = 0; i < PC_GROUP_WORDS; i++)
		for (size_t bit = 0; bit < words->word[i].groups; bit++)
			count += words->word[i].use[bit].group->prefixes;
	return count;
}

static size_t list_members(const struct group_words *words, struct member **list)
{
	struct member *next = *list = xcalloc(count_members(words), sizeof(**list));

	for (size_t i = 0; i < PC_GROUP_WORDS; i++) {
		for (size_t bit = 0; bit < words->word[i].groups; bit++) {
			const struct group *group = words->word[i].use[bit].group;

			for (size_t n = 0; n < group->prefixes; n++) {
				next->prefix = group->prefix[n];
				next++->groups.word[i] = 1ULL << bit;
			}
		}
	}
	qsort(*list, (size_t)(next - *list), sizeof(**list), compare_members);
	return (size_t)(next - *list);
}

static void add_groups(struct pc_groups *to, const struct pc_groups *groups)
{
	for (size_t i = 0; i < PC_GROUP_WORDS; i++)
		to->word[i] |= groups->word[i];
}

/*
 * Merges equal prefixes, and adds to each prefix the groups of the wider prefixes that contain it,
 * because a trie finds only the longest. In the order of the entries, wider prefixes come first: a
 * stack holds those that contain the present one.
 */
static size_t merge_members(struct member *member, size_t count)
{
	size_t stack[130], depth = 0, kept = 0; /* lengths /0 to /128, and one to spare */

	for (size_t i = 0; i < count; i++) {
		if (kept && !compare_members(&member[kept - 1], &member[i])) {
			add_groups(&member[kept - 1].groups, &member[i].groups);
			continue;
		}
		while (depth && !encloses(&member[stack[depth - 1]].prefix, &member[i].prefix))
			depth--;
		member[kept] = member[i];
		if (depth)
			add_groups(&member[kept].groups, &member[stack[depth - 1]].groups);
		stack[depth++] = kept++;
	}
	return kept;
}

static int check_prefixes(size_t count, const char *family, struct diag *diag)
{
	if (count <= PC_PREFIXES)
		return 0;
	diag_error(diag, NULL, "the groups in use have %zu %s prefixes; the limit is %d", count,
		   family, PC_PREFIXES);
	return -EINVAL;
}

static void write_tries(const struct member *member, struct tables *tables)
{
	tables->trie4 = xcalloc(tables->tries4, sizeof(*tables->trie4));
	for (size_t i = 0; i < tables->tries4; i++, member++) {
		tables->trie4[i].key.length = member->prefix.length;
		memcpy(tables->trie4[i].key.address, member->prefix.address, 4);
		tables->trie4[i].groups = member->groups;
	}
	tables->trie6 = xcalloc(tables->tries6, sizeof(*tables->trie6));
	for (size_t i = 0; i < tables->tries6; i++, member++) {
		tables->trie6[i].key.length = member->prefix.length;
		memcpy(tables->trie6[i].key.address, member->prefix.address, 16);
		tables->trie6[i].groups = member->groups;
	}
}

static __u64 tries_digest(const struct tables *tables)
{
	__u64 state = tables->tries4 ^ (__u64)tables->tries6 << 32;

	if (!state)
		return 0;
	state = pool_digest(state, tables->trie4, tables->tries4 * sizeof(*tables->trie4));
	state = pool_digest(state, tables->trie6, tables->tries6 * sizeof(*tables->trie6));
	return state ? state : 1;
}

int tries_compile(const struct group_words *words, struct tables *tables, struct diag *diag)
{
	__cleanup(text_free) struct member *member = NULL;
	size_t count = list_members(words, &member);

	count = merge_members(member, count);
	while (tables->tries4 < count && member[tables->tries4].prefix.family == AF_INET)
		tables->tries4++;
	tables->tries6 = count - tables->tries4;
	if (check_prefixes(tables->tries4, "IPv4", diag) ||
	    check_prefixes(tables->tries6, "IPv6", diag))
		return -EINVAL;
	write_tries(member, tables);
	tables->generation->tries_digest = tries_digest(tables);
	return 0;
}
