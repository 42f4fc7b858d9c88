// SPDX-License-Identifier: GPL-2.0
/* The folder of one filter: what is pinned in it, in which order, and taken out again. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter.h"
#include "loader/object/admins.h"
#include "loader/object/pin.h"

/* A name that ends in one of the numbers: of current and fallback. */
static bool is_kept(const char *name, const struct filter *keep)
{
	const struct pc_generation *copy[] = {keep->current.copy, keep->fallback.copy};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(copy); i++) {
		__free_text char *end = copy[i] ? xasprintf("-%llu", copy[i]->number) : NULL;
		const char *dash = strchr(name, '-');

		if (end && dash && !strcmp(dash, end))
			return true;
	}
	return false;
}

/* Removes the pins in a folder whose names begin with `prefix`, but for those of `keep`. */
static void unpin_matching(const char *id, const char *prefix, const struct filter *keep)
{
	__free_text char *folder = object_path(id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		if (!keep || !is_kept(entry->d_name, keep))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

/* The recipe first: a generation that is there has one. */
int installed_pin(const struct filter *filter, const struct installed *installed)
{
	__u64 number = installed->copy->number;
	__free_text char *generation_name = xasprintf("generation-%llu", number);
	__free_text char *recipe_name = xasprintf("recipe-%llu", number);
	int err = object_pin(filter->id, recipe_name, installed->recipe);

	return err ? err : object_pin(filter->id, generation_name, installed->generation);
}

void installed_unpin_others(const struct filter *filter)
{
	if (!filter->id[0])
		return;
	unpin_matching(filter->id, "generation-", filter);
	unpin_matching(filter->id, "recipe-", filter);
}

/*
 * Counters are the programs' to write: no other pin of them, whoever made it, lets a process do so.
 * Frozen already if they were taken over.
 */
static void freeze_counters(const struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++)
		if (filter_descriptor[i].flags & FD_COUNTS && i != FILTER_STATE)
			bpf_map_freeze(filter->fd[i]);
}

int filter_pin(struct filter *filter)
{
	int err = 0, i;

	freeze_counters(filter);
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
	/* Last: with it the filter counts as there. */
	return err ? err : object_pin(filter->id, "link", filter->fd[FILTER_LINK]);
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

void filter_unpin(const struct filter *filter)
{
	__free_text char *folder = object_path(filter->id, NULL);
	__free_text char *link = object_path(filter->id, "link");

	/* The link first: what is left without it is nobody's, and collected. */
	if (unlink(link) && errno != ENOENT) {
		warning("%s: cannot unpin: %s", link, strerror(errno));
		return;
	}
	unpin_matching(filter->id, "", NULL);
	if (rmdir(folder) && errno != ENOENT)
		warning("%s: cannot remove: %s", folder, strerror(errno));
}

/* Opens what filter_detach needs of a filter that is known by its id only. */
static int open_hooks(struct filter *filter)
{
	static const enum filter_fd hooks[] = {FILTER_GENERATIONS, FILTER_LINK, FILTER_EGRESS,
					       FILTER_EGRESS_LINK};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		int *fd = &filter->fd[hooks[i]];

		if (*fd >= 0)
			continue;
		*fd = object_get(filter->id, filter_descriptor[hooks[i]].pin);
		if (*fd < 0 && *fd != -ENOENT)
			return *fd;
	}
	if (!filter->ifindex)
		filter->ifindex = object_interface(filter->fd[FILTER_LINK]);
	return 0;
}

static void unhook(struct filter *filter)
{
	__free_text char *link = object_path(filter->id, "link");

	/*
	 * The pin goes before the link is detached: who reads takes a folder whose link has lost
	 * its interface for one that somebody took off.
	 */
	if (filter->id[0] && filter->fd[FILTER_LINK] >= 0 && unlink(link) && errno != ENOENT)
		warning("%s: cannot unpin: %s", link, strerror(errno));
	/* At once, not when the kernel gets to freeing the link. */
	if (filter->fd[FILTER_LINK] >= 0 && bpf_link_detach(filter->fd[FILTER_LINK]) &&
	    errno != ENOLINK)
		warning("cannot detach, though everything passes: %s", strerror(errno));
}

int filter_stop(struct filter *filter)
{
	int err = filter->id[0] ? open_hooks(filter) : 0;

	if (!err)
		err = filter_empty(filter);
	if (err)
		error("cannot detach: %s", strerror(-err));
	return err;
}

int filter_detach(struct filter *filter)
{
	int err = filter_stop(filter);

	if (err)
		return err;
	unhook(filter);
	/* With its pins left, the next command knows what is still at a clsact. */
	if (!egress_detach(filter, filter->ifindex) && filter->id[0])
		filter_unpin(filter);
	return 0;
}
