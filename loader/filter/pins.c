// SPDX-License-Identifier: GPL-2.0
/*
 * Pins and unpins the objects of one filter in its folder, in an order that the next command can
 * read.
 */
#include "loader/filter/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/installed.h"
#include "loader/object/admins.h"
#include "loader/object/pin.h"

/*
 * Freezes the maps that only programs write, so that no process can write them through any pin.
 * Maps that were taken over are already frozen.
 */
static void freeze_maps(const struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++)
		if (filter_descriptor[i].flags & FD_FROZEN)
			bpf_map_freeze(filter->fd[i]);
}

int filter_pin(struct filter *filter)
{
	int err = 0, i;

	freeze_maps(filter);
	for (i = 0; i < FILTER_FDS; i++) {
		const struct filter_descriptor *descriptor = &filter_descriptor[i];

		if (descriptor->flags & FD_APART || filter->fd[i] < 0)
			continue;
		err = object_pin(filter->id, descriptor->pin, filter->fd[i]);
		if (err)
			return err;
	}
	if (filter->fallback.copy)
		err = installed_pin(filter, &filter->fallback);
	if (!err)
		err = installed_pin(filter, &filter->current);
	return err || filter->fd[FILTER_LINK] < 0 ? err : filter_pin_link(filter);
}

int filter_pin_link(const struct filter *filter)
{
	return object_pin(filter->id, "link", filter->fd[FILTER_LINK]);
}

int filter_pin_egress(struct filter *filter)
{
	__free_text char *folder = NULL;
	__u64 id;
	int err;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
		error("cannot get a random number for a pin's folder");
		return -EIO;
	}
	snprintf(filter->id, sizeof(filter->id), "%016llx", id);
	folder = object_path(filter->id, NULL);
	if (mkdir(folder, 0700)) {
		err = -errno;
		error("%s: %s", folder, strerror(-err));
		filter->id[0] = '\0';
		return err;
	}
	admins_share(folder);
	err = object_pin(filter->id, "egress", filter->fd[FILTER_EGRESS]);
	if (err) {
		filter_unpin(filter);
		filter->id[0] = '\0';
	}
	return err;
}

int filter_repin_egress(const struct filter *filter)
{
	__free_text char *link = object_path(filter->id, "egress_link");
	int err = unlink(link) && errno != ENOENT ? -errno : 0;

	if (err)
		error("%s: cannot unpin: %s", link, strerror(-err));
	else if (filter->fd[FILTER_EGRESS_LINK] >= 0)
		err = object_pin(filter->id, "egress_link", filter->fd[FILTER_EGRESS_LINK]);
	return err;
}

int filter_repin_map(const struct filter *filter, const char *name, int map)
{
	__free_text char *fresh = xasprintf("%s-next", name);
	__free_text char *path = object_path(filter->id, name);
	__free_text char *next = object_path(filter->id, fresh);
	int err;

	unlink(next); /* left by an interrupted command */
	err = object_pin(filter->id, fresh, map);
	if (err)
		return err;
	admins_share(next);
	if (!rename(next, path))
		return 0;
	err = -errno;
	error("%s: cannot pin: %s", path, strerror(-err));
	unlink(next);
	return err;
}

void filter_unpin(const struct filter *filter)
{
	__free_text char *folder = object_path(filter->id, NULL);
	__free_text char *link = object_path(filter->id, "link");

	/* Removes the link's pin first: the next command removes a folder without one. */
	if (unlink(link) && errno != ENOENT) {
		warning("%s: cannot unpin: %s", link, strerror(errno));
		return;
	}
	installed_unpin_all(filter->id, "");
	if (rmdir(folder) && errno != ENOENT)
		warning("%s: cannot remove: %s", folder, strerror(errno));
}
