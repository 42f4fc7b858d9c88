// SPDX-License-Identifier: GPL-2.0
/* The kernel memory that a filter uses. */
#include "loader/filter/kernel_memory.h"

#include "loader/base/file.h"
#include "loader/object/pin.h"

#define PROGRAM_MAPS 32
#define HASH_ENTRY   48 /* bytes of struct htab_elem and struct bucket, kernel/bpf/hashtab.c */
#define HASH_BUCKET  16

static __u64 memlock(int fd)
{
	__free_text char *path = xasprintf("/proc/self/fdinfo/%d", fd);
	__close_file FILE *info = fopen(path, "re");
	unsigned long long bytes = 0;
	char line[256];

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

/*
 * Linux 6.1 reports too much for an array (a key for each entry), and too little for a preallocated
 * hash (without the heads of entries and buckets).
 */
static __u64 map_memory(int fd)
{
	struct bpf_map_info info;
	__u64 said = memlock(fd), bytes, buckets = 1;

	if (object_map(fd, &info))
		return said;
	if (info.type == BPF_MAP_TYPE_ARRAY)
		return (__u64)(info.value_size + 7) / 8 * 8 * info.max_entries;
	if (info.type != BPF_MAP_TYPE_LRU_HASH)
		return said;
	while (buckets < info.max_entries)
		buckets <<= 1;
	bytes = (__u64)info.max_entries *
			(HASH_ENTRY + (info.key_size + 7) / 8 * 8 + (info.value_size + 7) / 8 * 8) +
		buckets * HASH_BUCKET;
	return bytes > said ? bytes : said;
}

/* Adds the maps whose ids are not in `seen` yet; `seen` has room for them. */
static __u64 maps_memory(const __u32 *id, __u32 ids, __u32 *seen, __u32 *count)
{
	__u64 bytes = 0;
	__u32 i, j;

	for (i = 0; i < ids; i++) {
		__close_fd int fd = -1;

		for (j = 0; j < *count && seen[j] != id[i]; j++)
			;
		if (j < *count)
			continue;
		seen[(*count)++] = id[i];
		fd = bpf_map_get_fd_by_id(id[i]);
		if (fd >= 0)
			bytes += map_memory(fd);
	}
	return bytes;
}

/* Adds a program and its maps. */
static __u64 program_memory(int program, __u32 *seen, __u32 *count)
{
	__u32 id[PROGRAM_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS,
				     .map_ids = (__u64)(unsigned long)id};
	__u32 length = sizeof(info);
	__u32 ids;

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return memlock(program);
	ids = info.nr_map_ids < PROGRAM_MAPS ? info.nr_map_ids : PROGRAM_MAPS;
	return memlock(program) + maps_memory(id, ids, seen, count);
}

/* The size of an inner map; 0: the slot is empty. */
static __u64 slot_memory(int outer, __u32 slot)
{
	__close_fd int map = -1;
	__u32 id;

	if (outer >= 0 && !bpf_map_lookup_elem(outer, &slot, &id))
		map = bpf_map_get_fd_by_id(id);
	return map < 0 ? 0 : map_memory(map);
}

__u64 filter_memory(const struct filter *filter)
{
	__u32 seen[2 * PROGRAM_MAPS], count = 0;
	__u64 bytes = program_memory(filter->fd[FILTER_PROGRAM], seen, &count) +
		      program_memory(filter->fd[FILTER_EGRESS], seen, &count);
	__u64 bans;
	__u32 slot;

	bytes += map_memory(filter->current.generation) + map_memory(filter->current.recipe);
	if (filter->fallback.copy)
		bytes += map_memory(filter->fallback.generation) +
			 map_memory(filter->fallback.recipe);
	for (slot = 0; slot < PC_SLOTS; slot++)
		bytes += slot_memory(filter->fd[FILTER_TRIES], slot);
	bytes += slot_memory(filter->fd[FILTER_LIMIT_CELLS], 0);
	bytes += slot_memory(filter->fd[FILTER_GRANTS], 0);
	bans = slot_memory(filter->fd[FILTER_BANS], 0);
	bytes += bans;
	/* Without a ban table there are no chunks. */
	for (slot = 0; bans && slot < PC_BAN_SLOTS; slot++)
		bytes += slot_memory(filter->fd[FILTER_BAN_CHUNKS], slot);
	return bytes;
}
