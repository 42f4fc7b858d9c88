// SPDX-License-Identifier: GPL-2.0
/* Reads hash maps in batches, or entry by entry where the kernel has no batches. */
#include "loader/object/map_walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "loader/base/memory.h"

#define BATCH 4096 /* entries of a batch; more only if one bucket of the map has more */

struct walk {
	int map;
	__u32 key_size, value_size, entries;
	map_walk_entry entry;
	void *context;
};

static void show(const struct walk *walk, const char *keys, const char *values, __u32 count)
{
	__u32 i;

	for (i = 0; i < count; i++)
		walk->entry(keys + (size_t)i * walk->key_size,
			    values + (size_t)i * walk->value_size, walk->context);
}

/*
 * A batch has whole buckets, and the kernel passes each bucket once, so entries added meanwhile
 * cannot prolong the walk. -ENOSPC: the next bucket has more entries than fit. -EINVAL or -ENOTSUPP
 * (524, a code inside the kernel) before any entry was shown: the kernel has no batches.
 */
static int by_batches(const struct walk *walk)
{
	__free_text char *keys = xcalloc(BATCH, walk->key_size);
	__free_text char *values = xcalloc(BATCH, walk->value_size);
	__u32 room = BATCH, count;
	char place[MAP_WALK_KEY] = {}; /* the next bucket; in other kinds of map a key */
	bool begun = false;

	for (;;) {
		int err;

		count = room;
		err = bpf_map_lookup_batch(walk->map, begun ? place : NULL, place, keys, values,
					   &count, NULL);
		if (err == -ENOSPC && room < walk->entries) {
			room *= 2;
			keys = xrealloc(keys, room, walk->key_size);
			values = xrealloc(values, room, walk->value_size);
			continue;
		}
		if (err && err != -ENOENT)
			return err;
		show(walk, keys, values, count);
		if (err) /* this was the last batch */
			return 0;
		begun = true;
	}
}

/* The kernel starts again if the entry of `key` is removed meanwhile; the limit bounds that. */
static int by_keys(const struct walk *walk)
{
	char key[MAP_WALK_KEY], value[MAP_WALK_VALUE];
	__u64 limit = 4ULL * walk->entries;
	const void *before = NULL;
	int err;

	while (limit--) {
		err = bpf_map_get_next_key(walk->map, before, key);
		if (err)
			return err == -ENOENT ? 0 : err;
		before = key;
		if (!bpf_map_lookup_elem(walk->map, key, value))
			show(walk, key, value, 1);
	}
	return 0;
}

int map_walk(int map, __u32 key_size, __u32 value_size, map_walk_entry entry, void *context)
{
	struct walk walk = {map, key_size, value_size, 0, entry, context};
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	int err = bpf_obj_get_info_by_fd(map, &info, &length);

	if (err)
		return err;
	if (info.key_size != key_size || info.value_size != value_size || key_size > MAP_WALK_KEY ||
	    value_size > MAP_WALK_VALUE)
		return -EPROTO;
	walk.entries = info.max_entries;
	err = by_batches(&walk);
	return err == -EINVAL || err == -524 ? by_keys(&walk) : err;
}
