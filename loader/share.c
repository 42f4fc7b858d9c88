// SPDX-License-Identifier: GPL-2.0
/* What the filters of a network namespace share: their flow maps, and that they are several. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/kernel.h"
#include "loader/net/netns.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

/* An interface may have come here with the maps of the namespace that it left. */
static bool of_this_namespace(const struct filter *filter)
{
	struct pc_shared shared;
	__u32 zero = 0;

	return !bpf_map_lookup_elem(filter->fd[FILTER_SHARED], &zero, &shared) &&
	       shared.netns == netns_inode();
}

__u32 share_flows(const struct filter *filter)
{
	struct bpf_map_info info;

	return object_map(filter->fd[FILTER_CONNECTIONS], &info) ? 0 : 2 * info.max_entries;
}

static int check_size(const struct hook *hook, const struct filter *filter, __u32 flows)
{
	__u32 there = share_flows(filter);

	if (!there) {
		error("%s: cannot read its map of flows: %s", hook->name, strerror(errno));
		return -EIO;
	}
	if (!flows || PC_FLOWS_CONNECTIONS(flows) == PC_FLOWS_CONNECTIONS(there))
		return 0;
	error("--flows %u: this network namespace has maps of %u flows already, which %s uses: leave out --flows, or detach every interface of the namespace first",
	      flows, there, hook->name);
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

/* --- whether there are several --- */

static int set_several(int map, bool several)
{
	struct pc_shared shared;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(map, &zero, &shared))
		return -errno;
	if (shared.several == several)
		return 0;
	shared.several = several;
	return bpf_map_update_elem(map, &zero, &shared, BPF_ANY) ? -errno : 0;
}

void share_several(const struct filter *filter)
{
	int err = set_several(filter->fd[FILTER_SHARED], true);

	if (err)
		warning("cannot tell the program that there are several interfaces: %s",
			strerror(-err));
}

/* Of another network namespace's filters no list is had: what is shared with them stays. */
static bool others_use(const struct hook *hook, size_t count, int map)
{
	DIR *dir = opendir(PINS);
	bool found = !dir && errno != ENOENT;
	struct bpf_map_info info, other;
	struct dirent *entry;

	if (object_map(map, &info))
		found = true;
	while (dir && !found && (entry = readdir(dir))) {
		__close_fd int fd = -1;
		size_t i;

		for (i = 0; i < count && strcmp(hook[i].id, entry->d_name); i++)
			;
		if (entry->d_name[0] == '.' || i < count)
			continue;
		fd = object_get(entry->d_name, "shared");
		found = fd >= 0 && !object_map(fd, &other) && other.id == info.id;
	}
	if (dir)
		closedir(dir);
	return found;
}

void share_settle(void)
{
	struct hook *hook;
	size_t count, i;
	int err = 0;

	if (hook_list(&hook, &count))
		return;
	for (i = 0; i < count && !err; i++) {
		__close_fd int map = object_get(hook[i].id, "shared");

		if (map >= 0)
			err = set_several(map, count > 1 || others_use(hook, count, map));
		else if (map != -ENOENT)
			err = map;
	}
	if (err)
		warning("cannot tell the programs how many interfaces there are: %s; they count as several",
			strerror(-err));
	free(hook);
}
