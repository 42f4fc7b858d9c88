// SPDX-License-Identifier: GPL-2.0
/* Counts of a filter with an older layout, kept beside the counters of the filter that replaced
 * it. */
#include "loader/filter/past.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/object/map_walk.h"
#include "loader/object/pin.h"

/*
 * Layouts 2 and 3: `counters` has a row of wide words for each CPU id, `carries` a word for what
 * was moved out of each cell, and `rare` the counts of cells that a row does not have.
 */
#define OLD_REASON	 (4u * PC_PORTS)
#define OLD_REASON_WOULD (OLD_REASON + 16u)
#define OLD_OTHER	 (OLD_REASON + 32u)
#define OLD_EGRESS	 (OLD_REASON + 48u)
#define OLD_CELLS	 (OLD_REASON + 512u)

struct past {
	struct pc_past *entry;
	size_t entries;
};

/* The present cell for a cell of layouts 2 and 3. PC_CELLS_ALL: none. */
static __u32 cell_of(__u32 old)
{
	static const enum pc_reason reason[] = {
		PC_REASON_MALFORMED, PC_REASON_FRAGMENT, PC_REASON_ICMP,    PC_REASON_SOURCE,
		PC_REASON_PROTOCOL,  PC_REASON_UNLISTED, PC_REASON_OUTBOUND};

	if (old < OLD_REASON)
		return old; /* the numbers of port cells have not changed */
	if (old < OLD_REASON + ARRAY_SIZE(reason))
		return PC_CELL_REASON + reason[old - OLD_REASON];
	if (old >= OLD_REASON_WOULD && old < OLD_REASON_WOULD + ARRAY_SIZE(reason))
		return PC_CELL_REASON_WOULD + reason[old - OLD_REASON_WOULD];
	if (old >= OLD_OTHER && old < OLD_OTHER + PC_OTHERS)
		return PC_CELL_OTHER + old - OLD_OTHER;
	if (old == OLD_EGRESS)
		return PC_CELL_EGRESS;
	if (old >= OLD_CELLS && old - OLD_CELLS < PC_CELLS_ALL - PC_CELLS)
		return PC_CELLS + old - OLD_CELLS;
	return PC_CELLS_ALL;
}

static void keep(struct past *past, __u32 old, struct pc_count count)
{
	__u32 cell = cell_of(old);

	if (!count.packets || cell == PC_CELLS_ALL)
		return;
	past->entry = grow(past->entry, past->entries, sizeof(*past->entry));
	past->entry[past->entries++] = (struct pc_past){.cell = cell, .count = count};
}

static void keep_rare(const void *key, const void *value, void *context)
{
	keep(context, *(const __u32 *)key, *(const struct pc_count *)value);
}

static void keep_rows(struct past *past, const __u64 *words, size_t cpus, const __u64 *carries)
{
	__u32 cell;
	size_t cpu;

	for (cell = 0; cell < OLD_CELLS; cell++) {
		struct pc_count sum = {.packets = carries[cell] >> 32 << 27,
				       .bytes = (carries[cell] & 0xffffffff) << 35};

		for (cpu = 0; cpu < cpus; cpu++) {
			__u64 word =
				__atomic_load_n(&words[cpu * OLD_CELLS + cell], __ATOMIC_ACQUIRE);

			sum.packets += word >> PC_CELL_BYTES_BITS;
			sum.bytes += word & (PC_CELL_PACKET - 1);
		}
		keep(past, cell, sum);
	}
}

static int read_rows(const struct filter *old, struct past *past)
{
	struct bpf_map_info info, carried;
	size_t size, carries_size = OLD_CELLS * sizeof(__u64);
	void *words, *carries;
	int err = object_map(old->fd[FILTER_COUNTERS], &info);

	if (!err)
		err = object_map(old->fd[FILTER_CARRIES], &carried);
	if (err)
		return err;
	if (info.value_size != sizeof(__u64) || info.max_entries % OLD_CELLS ||
	    carried.value_size != sizeof(__u64) || carried.max_entries != OLD_CELLS)
		return -EPROTO;
	size = info.max_entries * sizeof(__u64);
	words = mmap(NULL, size, PROT_READ, MAP_SHARED, old->fd[FILTER_COUNTERS], 0);
	if (words == MAP_FAILED)
		return -errno;
	carries = mmap(NULL, carries_size, PROT_READ, MAP_SHARED, old->fd[FILTER_CARRIES], 0);
	if (carries == MAP_FAILED) {
		err = -errno;
	} else {
		keep_rows(past, words, info.max_entries / OLD_CELLS, carries);
		munmap(carries, carries_size);
	}
	munmap(words, size);
	return err;
}

/* Makes the map, and freezes it, so that no process can write to it. */
static int make_map(const struct past *past)
{
	__u32 i, entries = past->entries ? past->entries : 1;
	__close_fd int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "past", sizeof(__u32),
					   sizeof(*past->entry), entries, NULL);

	if (fd < 0)
		return -errno;
	for (i = 0; i < past->entries; i++)
		if (bpf_map_update_elem(fd, &i, &past->entry[i], BPF_ANY))
			return -errno;
	return bpf_map_freeze(fd) ? -errno : fd_dup(fd);
}

bool past_known(__u32 version)
{
	return version == 2 || version == 3;
}

int past_make(const struct filter *old, __u32 version)
{
	struct past past = {};
	int err = past_known(version) ? read_rows(old, &past) : -EPROTO;

	if (!err)
		err = map_walk(old->fd[FILTER_RARE], sizeof(__u32), sizeof(struct pc_count),
			       keep_rare, &past);
	if (!err)
		err = make_map(&past);
	free(past.entry);
	if (err < 0)
		error("cannot keep the counters: %s", strerror(-err));
	return err;
}

int past_put(struct filter *filter, int past)
{
	__free_text char *path = object_path(filter->id, "past");
	__free_text char *next = object_path(filter->id, "past-next");
	int err = object_pin(filter->id, "past-next", past);

	if (!err && rename(next, path)) {
		err = -errno;
		error("%s: cannot pin: %s", path, strerror(-err));
		unlink(next);
	}
	if (err)
		return err;
	fd_close(&filter->fd[FILTER_PAST]);
	filter->fd[FILTER_PAST] = past;
	return 0;
}
