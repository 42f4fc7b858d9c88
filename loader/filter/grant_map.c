// SPDX-License-Identifier: GPL-2.0
/* The trie of grants in the kernel. */
#include "loader/filter/grant_map.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/filter/flags.h"

static struct pc_grant_key key_of(const struct ban *grant)
{
	const struct prefix *prefix = &grant->prefix;
	bool ipv6 = prefix->family == AF_INET6;
	struct pc_grant_key key = {.length = PC_GRANT_BITS + prefix->length,
				   .family = htonl(ipv6 ? 6 : 4),
				   .group = pc_group_id(grant->list)};

	memcpy(key.address, prefix->address, ipv6 ? 16 : 4);
	return key;
}

/* A key comes first, so that entries compare by it. */
struct entry {
	struct pc_grant_key key;
	__u32 until;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pc_grant_key));
}

/* The prefix of a length that has the prefix. */
static struct prefix widened(const struct prefix *prefix, __u8 length)
{
	struct prefix wide = *prefix;

	wide.length = length;
	for (int i = length / 8; i < 16; i++)
		wide.address[i] &= i > length / 8 ? 0 : (__u8) ~(0xff >> length % 8);
	return wide;
}

/* The latest end of a prefix, and of those of its group around it. */
static __u32 end_of(const struct ban_set *set, const struct ban *grant, __u32 now)
{
	__u32 until = grant->until;

	for (int length = grant->prefix.length - 1; length >= 0; length--) {
		struct prefix wide = widened(&grant->prefix, (__u8)length);
		const struct ban *around = ban_set_find(set, grant->list, &wide);

		if (around && ban_holds(around, now) && around->until > until)
			until = around->until;
	}
	return until;
}

/* The entries of the grants that hold, sorted; the caller frees. */
static struct entry *list_entries(const struct ban_set *set, __u32 now, size_t *count)
{
	struct entry *entry = xcalloc(set->count + 1, sizeof(*entry));

	*count = 0;
	for (size_t i = 0; i < set->count; i++)
		if (ban_holds(&set->ban[i], now))
			entry[(*count)++] = (struct entry){
				.key = key_of(&set->ban[i]),
				.until = end_of(set, &set->ban[i], now),
			};
	qsort(entry, *count, sizeof(*entry), compare);
	return entry;
}

static int put_entries(int map, const struct entry *entry, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bpf_map_update_elem(map, &entry[i].key, &entry[i].until, BPF_ANY))
			return -errno;
	return 0;
}

/* Deletes what is none of these entries. */
static int delete_others(int map, const struct entry *entry, size_t count)
{
	struct pc_grant_key key, *last = NULL, *old = NULL;
	size_t olds = 0;
	int err = 0;

	/* Listed first: a walk begins anew at a key that was deleted. */
	while (olds < 2 * PC_GRANTS && !bpf_map_get_next_key(map, last, &key)) {
		old = grow(old, olds, sizeof(*old));
		old[olds++] = key;
		last = &old[olds - 1];
	}
	for (size_t i = 0; i < olds && !err; i++)
		if (!bsearch(&old[i], entry, count, sizeof(*entry), compare) &&
		    bpf_map_delete_elem(map, &old[i]) && errno != ENOENT)
			err = -errno;
	free(old);
	return err;
}

static int fill(int map, const struct entry *entry, size_t count)
{
	int err = put_entries(map, entry, count), other;

	other = delete_others(map, entry, count);
	/* Grants that have ended took up the room. */
	if (err == -ENOSPC)
		err = put_entries(map, entry, count);
	return err ? err : other;
}

int grant_map_fill(const struct filter *filter, const struct ban_set *set, __u32 now)
{
	struct entry *entry;
	size_t count;
	int err;

	entry = list_entries(set, now, &count);
	err = fill(filter->fd[FILTER_GRANTS], entry, count);
	if (!err)
		err = filter_flag_set(filter, PC_FILTER_GRANTS, count);
	free(entry);
	return err;
}

bool grant_map_has(const struct filter *filter, const struct ban *grant)
{
	struct pc_grant_key key = key_of(grant);
	__u32 until;

	return !bpf_map_lookup_elem(filter->fd[FILTER_GRANTS], &key, &until) &&
	       until >= grant->until;
}
