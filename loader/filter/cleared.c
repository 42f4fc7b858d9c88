// SPDX-License-Identifier: GPL-2.0
/* Stores the counters of a filter when they are cleared; `counters` counts from there. */
#include "loader/filter/cleared.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/pins.h"
#include "loader/object/pin.h"

/* Entries of a map value. After a scan of all ports there are 131,072 entries, and each value takes
 * a system call. */
#define PAGE_ENTRIES 256

/* A value of the map `cleared`: cells that had counted something. */
struct cleared_page {
	__u64 time; /* the same in each page */
	__u64 entries;
	struct pc_past entry[PAGE_ENTRIES];
};

struct pages {
	struct cleared_page *page;
	size_t count;
};

static void add_entry(struct pages *pages, __u32 cell, const struct count *count)
{
	struct cleared_page *page = &pages->page[pages->count - 1];

	if (page->entries == PAGE_ENTRIES) {
		pages->page = grow(pages->page, pages->count, sizeof(*pages->page));
		page = &pages->page[pages->count++];
		*page = (struct cleared_page){.time = pages->page[0].time};
	}
	page->entry[page->entries++] = (struct pc_past){
		.cell = cell, .count = {.packets = count->packets, .bytes = count->bytes}};
}

/* One page always exists, because it has the time. */
static void collect(const struct counters *counters, struct pages *pages)
{
	__u32 cells = counters->machines ? PC_CELLS_END : counters->rare ? PC_CELLS_ALL : PC_CELLS;
	__u32 cell;

	pages->page = grow(NULL, 0, sizeof(*pages->page));
	pages->page[0] = (struct cleared_page){.time = clock_wall()};
	pages->count = 1;
	for (cell = 0; cell < cells; cell++)
		if (counters->cell[cell].packets)
			add_entry(pages, cell, &counters->cell[cell]);
}

/* Makes the map, and freezes it, because members of the administrators' group may read it. */
static int make_map(const struct pages *pages)
{
	__close_fd int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "cleared", sizeof(__u32),
					   sizeof(*pages->page), pages->count, NULL);
	__u32 i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < pages->count; i++)
		if (bpf_map_update_elem(fd, &i, &pages->page[i], BPF_ANY))
			return -errno;
	return bpf_map_freeze(fd) ? -errno : fd_dup(fd);
}

int cleared_put(struct filter *filter, const struct counters *counters)
{
	struct pages pages;
	int map, err;

	collect(counters, &pages);
	map = make_map(&pages);
	free(pages.page);
	if (map < 0) {
		error("cannot clear the counters, because their present values cannot be kept: %s", strerror(-map));
		return map;
	}
	err = filter_repin_map(filter, "cleared", map);
	if (err) {
		close(map);
		return err;
	}
	fd_close(&filter->fd[FILTER_CLEARED]);
	filter->fd[FILTER_CLEARED] = map;
	return 0;
}

int cleared_subtract(const struct filter *filter, struct counters *counters, __u64 *since)
{
	struct cleared_page *page = NULL;
	struct bpf_map_info info = {};
	int map = filter->fd[FILTER_CLEARED], err;
	__u32 i, j;

	if (map < 0)
		return 0;
	err = object_map(map, &info);
	if (!err && info.value_size != sizeof(*page))
		err = -EPROTO;
	if (err)
		return err;
	page = xcalloc(1, sizeof(*page));
	for (i = 0; i < info.max_entries && !err; i++) {
		err = bpf_map_lookup_elem(map, &i, page) ? -errno : 0;
		for (j = 0; !err && j < page->entries && j < PAGE_ENTRIES; j++)
			counters_subtract(counters, page->entry[j].cell, &page->entry[j].count);
		if (!err)
			*since = page->time;
	}
	free(page);
	return err;
}
