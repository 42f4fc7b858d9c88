// SPDX-License-Identifier: GPL-2.0
/* Adds flows for connections that began before the filter could learn them. */
#include "loader/filter/seed.h"

#include <netinet/in.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/message.h"
#include "loader/filter/flow_enter.h"
#include "loader/filter/seed_sockets.h"
#include "loader/net/link.h"
#include "loader/object/map_walk.h"
#include "loader/report/flow.h"

struct old_flows {
	const struct filter *filter;
	struct links links;
	__u64 now;
	int err;
};

/*
 * Adds a flow of the old layout if both sides had sent packets, or if it belongs to a link that the
 * old layout did not record.
 */
static void enter_old(const void *entry, const void *value, void *context)
{
	struct old_flows *old = context;
	struct pc_flow_state state;
	struct pc_flow key;
	bool link_local;
	__u32 idle;

	memcpy(&key, entry, sizeof(key));
	memcpy(&state, value, sizeof(state));
	link_local = flow_has_link(&key) && !key.link;
	if (state.flags & PC_FLOW_REPLIED &&
	    (key.protocol == IPPROTO_TCP || key.protocol == IPPROTO_UDP))
		state.flags |= PC_FLOW_ASSURED;
	else if (!link_local)
		return;
	if (!flow_live(&key, &state, old->now, &idle))
		return;
	if (link_local)
		key.link = links_zone(&old->links, state.ifindex);
	state.slot = 0;
	if (!old->err)
		old->err = flow_enter(old->filter, &key, &state);
}

void seed_old(const struct filter *filter, const struct filter *old)
{
	struct old_flows flows = {.filter = filter, .now = clock_monotonic()};
	int err;

	if (old->fd[FILTER_FLOWS] < 0 || old->fd[FILTER_CONNECTIONS] >= 0)
		return;
	links_read(&flows.links); /* an interface that is not listed is a link of its own */
	err = map_walk(old->fd[FILTER_FLOWS], sizeof(struct pc_flow), sizeof(struct pc_flow_state),
		       enter_old, &flows);
	links_free(&flows.links);
	if (err || flows.err)
		warning("cannot take over the flows: %s; connections that it learned may stall until the side behind the filter sends",
			strerror(err ? -err : -flows.err));
}

void seed_live(struct seed *seed, size_t count)
{
	if (!count)
		return;
	seed_sockets(seed, count);
	seed_conntrack(seed, count);
}
