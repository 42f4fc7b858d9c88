// SPDX-License-Identifier: GPL-2.0
/* Tells the programs whether several interfaces of a network namespace have a filter. */
#include "loader/filter/several.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/object/pin.h"

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

static bool is_here(const struct hooks *hooks, const char *id)
{
	size_t i;

	for (i = 0; i < hooks->count; i++)
		if (!strcmp(hooks->hook[i].id, id))
			return true;
	return false;
}

/*
 * True if a filter on an interface outside this network namespace uses the map: an interface that
 * was moved keeps the maps of its former namespace.
 */
static bool used_elsewhere(const struct hooks *hooks, int map)
{
	struct bpf_map_info info, other;
	size_t i;

	if (object_map(map, &info))
		return true;
	for (i = 0; i < hooks->pins; i++) {
		__close_fd int fd = -1;

		if (is_here(hooks, hooks->pinned[i].id))
			continue;
		fd = object_get(hooks->pinned[i].id, "shared");
		if (fd >= 0 && !object_map(fd, &other) && other.id == info.id)
			return true;
	}
	return false;
}

void several_settle(const struct hooks *hooks)
{
	size_t i;
	int err = 0;

	for (i = 0; i < hooks->count && !err; i++) {
		__close_fd int map = object_get(hooks->hook[i].id, "shared");

		if (map >= 0)
			err = set_several(map, hooks->count > 1 || used_elsewhere(hooks, map));
		else if (map != -ENOENT)
			err = map;
	}
	if (err)
		warning("cannot tell the programs how many interfaces there are: %s; they count as several",
			strerror(-err));
}
