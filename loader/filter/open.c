// SPDX-License-Identifier: GPL-2.0
/* Opens a pinned filter of this version. */
#include "loader/filter/open.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/filter/installed.h"
#include "loader/object/admins.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

/* Opens the generation in a slot. -ENOENT: a swap unpinned it after the slot was read. */
static int open_slot(const struct filter *filter, __u32 slot, struct installed *installed)
{
	__u32 id;

	if (bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &slot, &id))
		return -errno;
	return installed_open_id(filter, id, installed);
}

static int open_active(struct filter *filter)
{
	int err = open_slot(filter, 0, &filter->current);

	if (err || !filter->current.copy->deadline)
		return err;
	err = open_slot(filter, filter->current.copy->fallback, &filter->fallback);
	if (err) {
		installed_close(&filter->current);
	} else if (clock_boot() >= filter->current.copy->deadline) {
		filter->reverted = filter->current;
		filter->current = filter->fallback;
		filter->fallback = INSTALLED_NONE;
	}
	return err;
}

/* Tries again, because another command may be changing the filter. */
static int open_current(struct filter *filter)
{
	int err = -ENOENT;
	int i;

	for (i = 0; i < 10 && err == -ENOENT; i++)
		err = open_active(filter);
	return err;
}

/* Opens the pins that have one of `flags` (0: any), and none of the flags `but`. */
static int open_pins(struct filter *filter, unsigned int flags, unsigned int but)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++) {
		const struct filter_descriptor *descriptor = &filter_descriptor[i];
		int fd;

		if ((flags && !(descriptor->flags & flags)) || descriptor->flags & but)
			continue;
		fd = object_get(filter->id, descriptor->pin);
		if (fd == -EACCES && geteuid() && !admins_read(descriptor->pin))
			continue; /* only root may open it */
		if (fd == -ENOENT && descriptor->flags & FD_OPTIONAL)
			continue;
		if (fd < 0)
			return fd;
		filter->fd[i] = fd;
	}
	return 0;
}

static int open_head(struct filter *filter)
{
	int err = open_pins(filter, FD_HEAD, 0);

	return err ? err : open_current(filter);
}

static int open_egress(struct filter *filter)
{
	filter->fd[FILTER_EGRESS] = object_get(filter->id, filter_descriptor[FILTER_EGRESS].pin);
	if (filter->fd[FILTER_EGRESS] < 0)
		return filter->fd[FILTER_EGRESS];
	filter->fd[FILTER_EGRESS_LINK] =
		object_get(filter->id, filter_descriptor[FILTER_EGRESS_LINK].pin);
	if (filter->fd[FILTER_EGRESS_LINK] < 0 && filter->fd[FILTER_EGRESS_LINK] != -ENOENT)
		return filter->fd[FILTER_EGRESS_LINK];
	filter->fd[FILTER_MARKS] = object_get(filter->id, filter_descriptor[FILTER_MARKS].pin);
	return 0;
}

/* Opens the generation first: if its layout is ours, it is known which pins there are. */
static int open_filter(struct filter *filter)
{
	int err = open_head(filter);

	if (!err)
		err = open_pins(filter, 0, FD_HEAD);
	if (err)
		return err;
	filter->ifindex = object_interface(filter->fd[FILTER_LINK]);
	filter->program_id = filter->current.copy->program_id;
	return filter->fd[FILTER_PROGRAM] < 0 ?
		       0 :
		       object_program(filter->fd[FILTER_PROGRAM], &filter->program_id);
}

static int open_shared(struct filter *filter)
{
	int err = open_head(filter);

	return err ? err : open_pins(filter, FD_NAMESPACE | FD_LENT, 0);
}

/* Opens a filter with `open`; leaves `*filter` alone if that fails. */
static int open_with(int (*open)(struct filter *filter), const char *id, struct filter *filter)
{
	struct filter opened = FILTER_NONE;
	int err;

	snprintf(opened.id, sizeof(opened.id), "%s", id);
	err = open(&opened);
	if (err) {
		filter_close(&opened);
		return err;
	}
	*filter = opened;
	return 0;
}

int filter_try_open(const char *id, struct filter *filter)
{
	return open_with(open_filter, id, filter);
}

int filter_open_head(const char *id, struct filter *filter)
{
	return open_with(open_head, id, filter);
}

int filter_open_shared(const char *id, struct filter *filter)
{
	return open_with(open_shared, id, filter);
}

int filter_open_egress(const char *id, struct filter *filter)
{
	return open_with(open_egress, id, filter);
}

/* The interface's name, else that of the folder; the caller frees. */
static char *name_of(const char *id)
{
	__close_fd int link = object_get(id, "link");
	unsigned int ifindex = object_interface(link);
	char name[IF_NAMESIZE];

	return ifindex && if_indextoname(ifindex, name) ? xstrdup(name) : xasprintf(PINS "/%s", id);
}

int filter_open(const char *id, struct filter *filter)
{
	int err = filter_try_open(id, filter);
	__free_text char *name = err && err != -ENOENT ? name_of(id) : NULL;
	__free_text char *word = name ? shell_word(name) : NULL;

	if (err == -EPROTO)
		error("%s: its filter was attached by another version of portcullis, whose layout this one does not know: portcullis swap %s takes an older one over; else use that version, or detach the interface and attach it again",
		      name, word);
	else if (name)
		error("%s: " PINS "/%s: %s", name, id, strerror(-err));
	return err;
}
