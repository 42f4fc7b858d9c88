// SPDX-License-Identifier: GPL-2.0
/* The flow maps that the filters of a network namespace share. */
#include "loader/filter/flow_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/message.h"
#include "loader/filter/hook.h"
#include "loader/filter/open.h"
#include "loader/net/netns.h"
#include "loader/object/pin.h"

/* False for an interface that was moved here together with the maps of its former namespace. */
static bool of_this_namespace(const struct filter *filter)
{
	struct pc_shared shared;
	__u32 zero = 0;

	return !bpf_map_lookup_elem(filter->fd[FILTER_SHARED], &zero, &shared) &&
	       shared.netns == netns_inode();
}

__u32 flow_maps_size(const struct filter *filter)
{
	struct bpf_map_info info;

	return object_map(filter->fd[FILTER_CONNECTIONS], &info) ? 0 : 2 * info.max_entries;
}

static int check_size(const struct hook *hook, const struct filter *filter, __u32 flows)
{
	__u32 there = flow_maps_size(filter);

	if (!there) {
		error("%s: cannot read its map of flows: %s", hook->name, strerror(errno));
		return -EIO;
	}
	if (!flows || PC_FLOWS_CONNECTIONS(flows) == PC_FLOWS_CONNECTIONS(there))
		return 0;
	error("--flows %u: this network namespace has maps of %u flows already, which %s uses: leave out --flows, or first: portcullis detach --all",
	      flows, there, hook->name);
	return -EEXIST;
}

int flow_maps_find(const struct hooks *hooks, __u32 flows, struct filter *with)
{
	size_t i;
	int err = 0;

	*with = FILTER_NONE;
	for (i = 0; i < hooks->count; i++) {
		if (filter_open_shared(hooks->hook[i].id, with))
			continue; /* the filter is of another version, or is just being removed */
		if (of_this_namespace(with)) {
			err = check_size(&hooks->hook[i], with, flows);
			break;
		}
		filter_close(with);
	}
	if (err)
		filter_close(with);
	return err;
}
