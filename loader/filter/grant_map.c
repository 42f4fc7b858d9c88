// SPDX-License-Identifier: GPL-2.0
/* The tries of grants in the kernel. */
#include "loader/filter/grant_map.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/filter/flags.h"
#include "loader/object/pin.h"

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

/* The key must be first, because entries are compared by it. */
struct entry {
	struct pc_grant_key key;
	__u32 until;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pc_grant_key));
}

/* The prefix of a length that contains the prefix. */
static struct prefix widened(const struct prefix *prefix, __u8 length)
{
	struct prefix wide = *prefix;

	wide.length = length;
	for (int i = length / 8; i < 16; i++)
		wide.address[i] &= i > length / 8 ? 0 : (__u8) ~(0xff >> length % 8);
	return wide;
}

/* The latest end of a grant, and of its group's grants of wider prefixes. */
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

/* The entry that tells from which file a trie was made. Its key has group 0, which no group has. */
static struct entry note_of(const struct ban_file *file)
{
	__u64 sum = (file->number ^ file->length) * 0x9e3779b97f4a7c15ULL;

	return (struct entry){.key = {.length = PC_GRANT_BITS}, .until = (__u32)(sum >> 32)};
}

/* Makes a trie of the grants that hold. `*map` is -1 if no grant holds. */
static int make_map(const struct ban_file *file, __u32 now, int *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	const struct entry note = note_of(file);
	struct entry *entry;
	size_t count;
	int err = 0;

	*map = -1;
	entry = list_entries(&file->set, now, &count);
	if (count) {
		*map = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "grants_trie", sizeof(entry->key),
				      sizeof(entry->until), (__u32)count + 1, &options);
		err = *map < 0 ? -errno : put_entries(*map, entry, count);
	}
	if (!err && count)
		err = put_entries(*map, &note, 1);
	free(entry);
	return err;
}

static __u32 inner_id(const struct filter *filter)
{
	__u32 zero = 0, id;

	return bpf_map_lookup_elem(filter->fd[FILTER_GRANTS], &zero, &id) ? 0 : id;
}

/* Puts grants in force at a filter, and at all filters that share its map, with one update. */
static int put_map(const struct filter *filter, int map, __u32 id)
{
	int outer = filter->fd[FILTER_GRANTS];
	__u32 zero = 0, there = inner_id(filter);

	if (there == id)
		return 0;
	if (map < 0)
		return bpf_map_delete_elem(outer, &zero) && errno != ENOENT ? -errno : 0;
	return bpf_map_update_elem(outer, &zero, &map, BPF_ANY) ? -errno : 0;
}

static int set_flags(const struct filter *filter, size_t filters, bool on)
{
	int err = 0;

	for (size_t i = 0; i < filters && !err; i++)
		err = filter_flag_set(&filter[i], PC_FILTER_GRANTS, on);
	return err;
}

int grant_map_fill(const struct filter *filter, size_t filters, const struct ban_file *file,
		   __u32 now)
{
	struct bpf_map_info info = {};
	__close_fd int map = -1;
	int err = make_map(file, now, &map);

	if (!err && map >= 0)
		err = object_map(map, &info);
	/* Steps that can fail come before the update; a flag without grants only costs time. */
	if (!err && map >= 0)
		err = set_flags(filter, filters, true);
	for (size_t i = 0; i < filters && !err; i++)
		err = put_map(&filter[i], map, info.id);
	if (!err && map < 0)
		set_flags(filter, filters, false);
	return err;
}

int grant_map_open(const struct filter *filter)
{
	__u32 id = inner_id(filter);

	return id ? bpf_map_get_fd_by_id(id) : -1;
}

bool grant_map_agrees(int map, const struct ban_file *file, __u32 now)
{
	const struct entry note = note_of(file);
	__u32 there;

	if (map >= 0)
		return !bpf_map_lookup_elem(map, &note.key, &there) && there == note.until;
	for (size_t i = 0; i < file->set.count; i++)
		if (ban_holds(&file->set.ban[i], now))
			return false;
	return true;
}

void grant_map_note(int map, const struct ban_file *file)
{
	const struct entry note = note_of(file);

	if (map >= 0)
		put_entries(map, &note, 1);
}

bool grant_map_has(int map, const struct ban *grant)
{
	struct pc_grant_key key = key_of(grant);
	__u32 until;

	return map >= 0 && !bpf_map_lookup_elem(map, &key, &until) && until >= grant->until;
}
