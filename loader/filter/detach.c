// SPDX-License-Identifier: GPL-2.0
/* Detaches a filter: first lets everything pass, then unhooks the programs. */
#include "loader/filter/detach.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/egress.h"
#include "loader/filter/marks.h"
#include "loader/filter/pins.h"
#include "loader/filter/slots.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

/*
 * Removes the active generation: from the next packet on, everything passes at both hooks. Works
 * for other layouts, too. Returns 0 or -errno.
 */
static int filter_empty(struct filter *filter)
{
	__u32 active = 0, number;

	if (filter->fd[FILTER_GENERATIONS] < 0 ||
	    (bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &active, &number) &&
	     errno == ENOENT))
		return 0;
	fd_close(&filter->emptied);
	filter->emptied = bpf_map_get_fd_by_id(number);
	if (filter->emptied < 0 || bpf_map_delete_elem(filter->fd[FILTER_GENERATIONS], &active))
		return -errno;
	return 0;
}

void filter_refill(const struct filter *filter)
{
	if (filter->emptied >= 0 && slot_put(filter, SLOT_ACTIVE, filter->emptied))
		error("%s/%s: cannot restore the active generation: %s", PINS, filter->id,
		      strerror(errno));
}

/* Opens the parts of a filter, known by its id only, that filter_detach needs. */
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
	 * Removes the pin before the link is detached: a reader that finds a pinned link without an
	 * interface reports that another tool removed the XDP program.
	 */
	if (filter->id[0] && filter->fd[FILTER_LINK] >= 0 && unlink(link) && errno != ENOENT)
		warning("%s: cannot unpin: %s", link, strerror(errno));
	/* Detaches at once, not when the kernel frees the link later. */
	if (filter->fd[FILTER_LINK] >= 0 && bpf_link_detach(filter->fd[FILTER_LINK]) &&
	    errno != ENOLINK)
		warning("cannot detach, though everything passes: %s", strerror(errno));
}

int filter_stop(struct filter *filter)
{
	int err = filter->id[0] ? open_hooks(filter) : 0;

	marks_doubt(filter); /* the egress program marks nothing without a generation */
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
	/* Keeps the pins: they tell the next command what is still at a clsact. */
	if (!egress_detach(filter, filter->ifindex) && filter->id[0])
		filter_unpin(filter);
	return 0;
}
