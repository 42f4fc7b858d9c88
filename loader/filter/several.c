// SPDX-License-Identifier: GPL-2.0
/* Whether several interfaces of a network namespace have a filter. */
#include "loader/filter/several.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/hook.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

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

void several_set(const struct filter *filter)
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

void several_settle(void)
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
