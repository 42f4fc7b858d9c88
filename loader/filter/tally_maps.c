// SPDX-License-Identifier: GPL-2.0
/* The map `tallies`: every assignment of counters to a machine behind this host. */
#include "loader/filter/tally_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/pins.h"
#include "loader/net/link.h"
#include "loader/net/local_address.h"
#include "loader/object/pin.h"

#define PAGE_ENTRIES 170 /* entries in a value: each value takes a system call */

struct tally_page {
	__u64 entries;
	struct pc_tally entry[PAGE_ENTRIES];
};

int tallies_read(const struct filter *filter, struct tallies *tallies)
{
	struct bpf_map_info info = {};
	int map = filter->fd[FILTER_TALLIES], err;
	struct tally_page page;

	if (map < 0)
		return 0;
	err = object_map(map, &info);
	if (!err && info.value_size != sizeof(page))
		err = -EPROTO;
	for (__u32 i = 0; !err && i < info.max_entries; i++) {
		err = bpf_map_lookup_elem(map, &i, &page) ? -errno : 0;
		for (__u32 j = 0; !err && j < page.entries && j < PAGE_ENTRIES; j++) {
			tallies->tally =
				grow(tallies->tally, tallies->count, sizeof(*tallies->tally));
			tallies->tally[tallies->count++] = page.entry[j];
		}
	}
	return err;
}

/* Makes the map, and freezes it, because members of the administrators' group may read it. */
static int make_map(const struct tallies *tallies)
{
	__u32 pages = (__u32)((tallies->count + PAGE_ENTRIES - 1) / PAGE_ENTRIES);
	__close_fd int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tallies", sizeof(__u32),
					   sizeof(struct tally_page), pages, NULL);

	if (fd < 0)
		return -errno;
	for (__u32 i = 0; i < pages; i++) {
		struct tally_page page = {};
		size_t left = tallies->count - (size_t)i * PAGE_ENTRIES;

		page.entries = left < PAGE_ENTRIES ? left : PAGE_ENTRIES;
		memcpy(page.entry, tallies->tally + (size_t)i * PAGE_ENTRIES,
		       page.entries * sizeof(*page.entry));
		if (bpf_map_update_elem(fd, &i, &page, BPF_ANY))
			return -errno;
	}
	return bpf_map_freeze(fd) ? -errno : fd_dup(fd);
}

/* A filter that is not pinned yet will be pinned with all its maps. */
static int put_tallies(struct filter *filter, const struct tallies *tallies)
{
	int map = make_map(tallies), err;

	if (map < 0) {
		error("cannot keep the counters of machines: %s", strerror(-map));
		return map;
	}
	err = filter->id[0] ? filter_repin_map(filter, "tallies", map) : 0;
	if (err) {
		close(map);
		return err;
	}
	fd_close(&filter->fd[FILTER_TALLIES]);
	filter->fd[FILTER_TALLIES] = map;
	return 0;
}

/* Fills the table of machines, and adds this host's addresses that are within their prefixes. */
static int fill_table(struct tables *tables)
{
	__cleanup(text_free) struct machine_prefix *prefix = NULL;
	__cleanup(links_free) struct links links = {};
	struct pc_generation *generation = tables->generation;
	__cleanup(text_free) struct link_address *taken = NULL;
	size_t count = 0, present, takens;
	int err = machine_table_fill(tables->prefix, tables->prefixes, generation);
	bool changed = false;

	for (size_t i = 0; i < tables->prefixes; i++) {
		prefix = grow(prefix, count, sizeof(*prefix));
		prefix[count++] = tables->prefix[i];
	}
	if (!err)
		err = links_read(&links);
	if (err)
		return err;
	takens = local_taken(&links, &taken);
	for (size_t i = 0; i < takens; i++)
		changed |= machine_table_exempt(generation, &prefix, &count, taken[i].family,
						taken[i].address);
	present = count;
	for (size_t i = 0; i < tables->owns; i++)
		changed |= machine_table_exempt(generation, &prefix, &count, tables->own[i].family,
						tables->own[i].address);
	if (changed)
		err = machine_table_fill(prefix, count, generation);
	/* If they do not all fit, leave out the addresses that this host does not have at
	 * present. */
	if (err && count > present)
		err = machine_table_fill(prefix, present, generation);
	return err;
}

int tallies_place(struct filter *filter, struct tables *tables)
{
	__cleanup(tallies_free) struct tallies tallies = {};
	size_t known, without;
	int err;

	if (!tables->machines)
		return 0;
	err = tallies_read(filter, &tallies);
	if (err) {
		error("cannot read the counters of machines: %s", strerror(-err));
		return err;
	}
	known = tallies.count;
	without = tallies_assign(&tallies, tables);
	if (without)
		warning("there is no room to count the ports of %zu machines after so many changes; detach and attach again to count from zero",
			without);
	err = fill_table(tables);
	if (err)
		error("cannot make the table of machines: %s", strerror(-err));
	return !err && tallies.count > known ? put_tallies(filter, &tallies) : err;
}
