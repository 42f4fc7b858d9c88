// SPDX-License-Identifier: GPL-2.0
/*
 * What the filters of a network namespace share: their flow maps, and which ports any of them
 * opens.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "loader/kernel.h"
#include "loader/object.h"

__u64 netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

/* An interface may have come here with the maps of the namespace that it left. */
static bool of_this_namespace(const struct filter *filter)
{
	struct pc_shared shared;
	__u32 zero = 0;

	return !bpf_map_lookup_elem(filter->shared, &zero, &shared) &&
	       shared.netns == netns_inode();
}

static int check_size(const struct hook *hook, const struct filter *filter, __u32 flows)
{
	struct bpf_map_info info;
	int err = object_map(filter->flows, &info);

	if (err) {
		error("%s: cannot read its map of flows: %s", hook->name, strerror(-err));
		return err;
	}
	if (!flows || flows == info.max_entries)
		return 0;
	error("--flows %u: this network namespace has a map of %u flows already, which %s uses: leave out --flows, or detach every interface of the namespace first",
	      flows, info.max_entries, hook->name);
	return -EEXIST;
}

int share_find(__u32 flows, struct filter *with)
{
	struct hook *hook;
	size_t count, i;
	int err = hook_list(&hook, &count);

	if (err)
		return err;
	*with = FILTER_NONE;
	for (i = 0; i < count; i++) {
		if (filter_try_open(hook[i].id, with))
			continue; /* another version's, or just going away */
		if (of_this_namespace(with)) {
			err = check_size(&hook[i], with, flows);
			break;
		}
		filter_close(with);
	}
	if (err)
		filter_close(with);
	free(hook);
	return err;
}

/* --- ports that are open to anyone --- */

#define OPEN_BYTES (PC_OPEN_WORDS * sizeof(__u64))

/* The program reads along. A word that is right already is left in the caches of its CPUs. */
static int write_words(int map, const __u64 *open, bool exact)
{
	__u64 *words = mmap(NULL, OPEN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	size_t i;

	if (words == MAP_FAILED)
		return -errno;
	for (i = 0; i < PC_OPEN_WORDS; i++) {
		__u64 word = exact ? open[i] : words[i] | open[i];

		if (word != words[i])
			__atomic_store_n(&words[i], word, __ATOMIC_RELAXED);
	}
	munmap(words, OPEN_BYTES);
	return 0;
}

static void add_open(const struct pc_generation *generation, __u64 *open)
{
	const __u16 *port = generation->port;
	size_t i, bit;

	for (i = 0; i < PC_OPEN_WORDS; i++, port += 64)
		for (bit = 0; bit < 64; bit++)
			open[i] |= (__u64)(port[bit] == PC_PORT_OPEN) << bit;
}

/* The generation in a slot of `generations`, without opening all the rest. -EPROTO: another
 * version's. */
static int read_slot(int generations, __u32 slot, struct pc_generation *generation)
{
	__close_fd int map = -1;
	struct bpf_map_info info;
	__u32 zero = 0, number;

	if (bpf_map_lookup_elem(generations, &slot, &number))
		return -errno;
	map = bpf_map_get_fd_by_id(number);
	if (map < 0 || object_map(map, &info))
		return -errno;
	if (info.value_size != sizeof(*generation))
		return -EPROTO;
	if (bpf_map_lookup_elem(map, &zero, generation))
		return -errno;
	return generation->magic == PC_MAGIC && generation->version == PC_ABI_VERSION ? 0 : -EPROTO;
}

/* The ports of a filter that its judging generation opens, or the one that may come back. */
static int read_open(const char *id, struct pc_generation *generation, __u64 *open)
{
	__close_fd int generations = object_get(id, "generations");
	int err = generations < 0 ? generations : read_slot(generations, 0, generation);

	if (err)
		return err;
	add_open(generation, open);
	if (!generation->deadline)
		return 0;
	err = read_slot(generations, generation->fallback, generation);
	if (!err)
		add_open(generation, open);
	return err;
}

/*
 * Of all the filters. Another version's has none noted; one whose pin is missing is not known:
 * `*all` is false.
 */
static int judging_open(const struct hook *hook, size_t count, __u64 *open, bool *all)
{
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));
	size_t i;
	int err = 0;

	*all = true;
	for (i = 0; i < count && !err; i++) {
		err = read_open(hook[i].id, generation, open);
		if (err == -ENOENT)
			*all = false;
		if (err == -ENOENT || err == -EPROTO)
			err = 0;
	}
	free(generation);
	return err;
}

static bool lists(const struct hook *hook, size_t count, const char *id)
{
	size_t i;

	for (i = 0; i < count && strcmp(hook[i].id, id); i++)
		;
	return i < count;
}

static bool uses(const char *id, const struct bpf_map_info *map)
{
	__close_fd int fd = object_get(id, "open_ports");
	struct bpf_map_info info;

	return fd >= 0 && !object_map(fd, &info) && info.id == map->id;
}

/* Whether a pinned filter that is not in the list uses the map, or (not `it`) does not. */
static bool others_use(const struct hook *hook, size_t count, int map, bool it)
{
	DIR *dir = opendir(PINS);
	bool found = !dir && errno != ENOENT;
	struct bpf_map_info info;
	struct dirent *entry;

	if (object_map(map, &info))
		found = true;
	while (dir && !found && (entry = readdir(dir)))
		found = entry->d_name[0] != '.' && !lists(hook, count, entry->d_name) &&
			uses(entry->d_name, &info) == it;
	if (dir)
		closedir(dir);
	return found;
}

void share_begin(const struct filter *filter)
{
	__u64 open[PC_OPEN_WORDS] = {};
	struct hook *hook;
	size_t count;
	bool all;
	int err;

	if (hook_list(&hook, &count))
		return;
	err = judging_open(hook, count, open, &all);
	if (!err && count)
		err = write_words(filter->open_ports, open, false);
	if (err)
		warning("cannot read which ports the other interfaces open: %s", strerror(-err));
	free(hook);
}

int share_open(const struct filter *filter, const struct pc_generation *generation)
{
	__u64 open[PC_OPEN_WORDS] = {};
	struct hook *hook;
	size_t count, i;
	int err;

	add_open(generation, open);
	err = write_words(filter->open_ports, open, false);
	if (err || !others_use(NULL, 0, filter->open_ports, false))
		return err;
	err = hook_list(&hook, &count);
	if (err)
		return err;
	for (i = 0; i < count && !err; i++) {
		__close_fd int map = -ENOENT; /* its own is written already */

		if (strcmp(hook[i].id, filter->id))
			map = object_get(hook[i].id, "open_ports");
		if (map >= 0)
			err = write_words(map, open, false);
		else if (map != -ENOENT)
			err = map;
	}
	free(hook);
	return err;
}

void share_settle(void)
{
	__u64 open[PC_OPEN_WORDS] = {};
	struct hook *hook;
	size_t count, i;
	bool all;
	int err;

	if (hook_list(&hook, &count))
		return;
	err = judging_open(hook, count, open, &all);
	for (i = 0; i < count && !err; i++) {
		__close_fd int map = object_get(hook[i].id, "open_ports");

		if (map >= 0)
			/* What moved to another network namespace needs the ports of that. */
			err = write_words(map, open, all && !others_use(hook, count, map, true));
		else if (map != -ENOENT)
			err = map;
	}
	if (err)
		warning("cannot work out which ports are open: %s; those that were open until now count as such",
			strerror(-err));
	free(hook);
}
