// SPDX-License-Identifier: GPL-2.0
/* Reads the counters of a filter from its maps. */
#include "loader/filter/counter_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/compile/cells.h"
#include "loader/object/map_walk.h"
#include "loader/object/pin.h"

#define TRIES 10

struct entry {
	__u32 key;
	struct pc_count count;
};

/* The entries of `carries`, by index of the total; or those of `rare`, by cell. */
struct taken {
	struct entry *entry;
	size_t entries;
	struct pc_count sum;
};

static void taken_free(struct taken *taken)
{
	free(taken->entry);
	*taken = (struct taken){};
}

static void take(const void *key, const void *value, void *context)
{
	const struct pc_count *count = value;
	struct taken *taken = context;

	taken->entry = grow(taken->entry, taken->entries, sizeof(*taken->entry));
	taken->entry[taken->entries++] = (struct entry){*(const __u32 *)key, *count};
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return (a->key > b->key) - (a->key < b->key);
}

/* An entry may be shown twice: keep one. */
static int take_all(int map, struct taken *taken)
{
	size_t i, kept = 0;
	int err;

	taken_free(taken);
	err = map_walk(map, sizeof(__u32), sizeof(struct pc_count), take, taken);
	qsort(taken->entry, taken->entries, sizeof(*taken->entry), compare_entries);
	for (i = 0; i < taken->entries; i++) {
		if (kept && taken->entry[kept - 1].key == taken->entry[i].key)
			continue;
		taken->entry[kept++] = taken->entry[i];
		taken->sum.packets += taken->entry[i].count.packets;
		taken->sum.bytes += taken->entry[i].count.bytes;
	}
	taken->entries = kept;
	return err;
}

/* The maps in memory: mapped, or copied if the caller may only read them. */
struct image {
	struct pc_filter filter;
	struct pc_page *rows, *totals;
	size_t row_pages, total_pages;
	bool mapped;
};

static void image_free(struct image *image)
{
	if (image->mapped) {
		munmap(image->rows, image->row_pages * sizeof(*image->rows));
		munmap(image->totals, image->total_pages * sizeof(*image->totals));
	} else {
		free(image->rows);
		free(image->totals);
	}
}

static struct pc_page *map_pages(int map, size_t pages)
{
	void *memory = mmap(NULL, pages * sizeof(struct pc_page), PROT_READ, MAP_SHARED, map, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int map_image(const struct filter *filter, struct image *image)
{
	int err = 0;

	image->rows = map_pages(filter->fd[FILTER_COUNTERS], image->row_pages);
	if (!image->rows)
		return -errno;
	image->totals = map_pages(filter->fd[FILTER_TOTALS], image->total_pages);
	if (!image->totals) {
		err = -errno;
		munmap(image->rows, image->row_pages * sizeof(*image->rows));
		image->rows = NULL;
	}
	image->mapped = !err;
	return err;
}

static int copy_page(int map, __u32 page, struct pc_page *to)
{
	return bpf_map_lookup_elem(map, &page, to) ? -errno : 0;
}

static int copy_totals(const struct filter *filter, const struct image *image,
		       struct pc_page *totals)
{
	int err = 0;
	__u32 i;

	for (i = 0; i < image->total_pages && !err; i++)
		err = copy_page(filter->fd[FILTER_TOTALS], i, &totals[i]);
	return err;
}

/* Copies a row, without the pages on which its CPU has counted nothing. */
static int copy_row(const struct filter *filter, const struct image *image, __u32 first)
{
	struct pc_page *row = &image->rows[first];
	int err = copy_page(filter->fd[FILTER_COUNTERS], first + PC_PAGE_TOUCHED,
			    &row[PC_PAGE_TOUCHED]);
	__u32 page;

	if (!err)
		err = copy_page(filter->fd[FILTER_COUNTERS], first + PC_PAGE_WIDE,
				&row[PC_PAGE_WIDE]);
	for (page = PC_PAGE_DROP; page < image->filter.row_pages && !err; page++)
		if (row[PC_PAGE_TOUCHED].cell[page / 32] & 1U << page % 32)
			err = copy_page(filter->fd[FILTER_COUNTERS], first + page, &row[page]);
	return err;
}

/* True if the program was moving a cell into its total while the page was copied. */
static bool is_pending(const struct image *image)
{
	const struct pc_page *page = image->rows;
	size_t i, j;

	for (i = 0; i < image->row_pages; i++, page++) {
		if (i % image->filter.row_pages == PC_PAGE_TOUCHED)
			continue;
		if (i % image->filter.row_pages == PC_PAGE_WIDE) {
			for (j = 0; j < PC_PAGE_WORDS; j++)
				if (PC_CELL_COUNTS(PC_CELL_REASON + j) &&
				    page->word[j] & PC_CELL_PENDING)
					return true;
		} else {
			for (j = 0; j < PC_PAGE_CELLS; j++)
				if (page->cell[j] & PC_NARROW_PENDING)
					return true;
		}
	}
	return false;
}

/* Returns 1 if no cell was moved meanwhile, so that each cell's parts are from one moment. */
static int copy_once(const struct filter *filter, struct image *image, struct pc_page *before)
{
	int err = copy_totals(filter, image, before);
	__u32 row;

	for (row = 0; row < image->filter.rows && !err; row++)
		err = copy_row(filter, image, row * image->filter.row_pages);
	if (!err)
		err = copy_totals(filter, image, image->totals);
	if (err)
		return err;
	return !is_pending(image) &&
	       !memcmp(before, image->totals, image->total_pages * sizeof(*before));
}

static int copy_image(const struct filter *filter, struct image *image)
{
	struct pc_page *before = xcalloc(image->total_pages, sizeof(*before));
	int still = 0, i;

	image->rows = xcalloc(image->row_pages, sizeof(*image->rows));
	image->totals = xcalloc(image->total_pages, sizeof(*image->totals));
	for (i = 0; i < TRIES && !still; i++)
		still = copy_once(filter, image, before);
	free(before);
	return still < 0 ? still : still ? 0 : -EAGAIN;
}

static int open_image(const struct filter *filter, struct image *image)
{
	__u32 zero = 0;

	if (bpf_map_lookup_elem(filter->fd[FILTER_STATE], &zero, &image->filter))
		return -errno;
	image->row_pages = cells_row_pages(&image->filter);
	image->total_pages = cells_total_pages(&image->filter);
	return geteuid() ? copy_image(filter, image) : map_image(filter, image);
}

static int sum_once(const struct filter *filter, struct counters *counters)
{
	__cleanup(image_free) struct image image = {};
	int err = open_image(filter, &image);

	if (!err)
		counters_sum(&(struct counter_maps){&image.filter, image.rows, image.totals},
			     counters);
	return err;
}

/* Adds the totals that `carries` is filled from, which is a step of its own. */
static int sum_live(const struct filter *filter, struct counters *counters, struct taken *carried)
{
	__cleanup(taken_free) struct taken before = {};
	int err = take_all(filter->fd[FILTER_CARRIES], carried), i;

	for (i = 0; i < TRIES && !err; i++) {
		struct pc_count sum = carried->sum;

		err = sum_once(filter, counters);
		if (!err)
			err = take_all(filter->fd[FILTER_CARRIES], carried);
		if (!err && sum.packets == carried->sum.packets && sum.bytes == carried->sum.bytes)
			return 0;
	}
	return err ? err : -EAGAIN;
}

static int add_past(const struct filter *filter, struct counters *counters)
{
	struct bpf_map_info info;
	int err = filter->fd[FILTER_PAST] < 0 ? 0 : object_map(filter->fd[FILTER_PAST], &info);
	__u32 i;

	for (i = 0; filter->fd[FILTER_PAST] >= 0 && !err && i < info.max_entries; i++) {
		struct pc_past past;

		err = bpf_map_lookup_elem(filter->fd[FILTER_PAST], &i, &past) ? -errno : 0;
		if (!err)
			counters_add(counters, past.cell, &past.count);
	}
	return err;
}

int filter_counters(const struct filter *filter, struct counters *counters)
{
	__cleanup(taken_free) struct taken carried = {}, rare = {};
	struct pc_filter *state = xcalloc(1, sizeof(*state));
	__u32 zero = 0;
	int err = sum_live(filter, counters, &carried);
	size_t i;

	if (!err && bpf_map_lookup_elem(filter->fd[FILTER_STATE], &zero, state))
		err = -errno;
	if (!err)
		err = take_all(filter->fd[FILTER_RARE], &rare);
	for (i = 0; i < carried.entries && !err; i++)
		counters_add(counters, counters_total_cell(state, carried.entry[i].key),
			     &carried.entry[i].count);
	for (i = 0; i < rare.entries && !err; i++)
		counters_add(counters, rare.entry[i].key, &rare.entry[i].count);
	free(state);
	return err ? err : add_past(filter, counters);
}
