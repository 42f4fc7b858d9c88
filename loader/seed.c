// SPDX-License-Identifier: GPL-2.0
/* Enters connections into `flows` that were there before the filter could learn them. */
#include "loader/seed.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/clock.h"
#include "loader/base/message.h"
#include "loader/flows.h"
#include "loader/link.h"
#include "loader/walk.h"

int seed_mark(const struct filter *filter, const struct pc_flow *key)
{
	__be16 port = key->family == 4 ? key->ipv4.local_port : key->ipv6.local_port;
	struct pc_learned *learned = mmap(NULL, sizeof(*learned), PROT_READ | PROT_WRITE,
					  MAP_SHARED, filter->learned, 0);

	if (learned == MAP_FAILED)
		return -errno;
	__atomic_store_n(&learned->port[pc_learned_index(key->protocol, ntohs(port))], 1,
			 __ATOMIC_RELAXED);
	munmap(learned, sizeof(*learned));
	return 0;
}

static int map_of(const struct filter *filter, const struct pc_flow *key, __u8 flags)
{
	if (!(flags & PC_FLOW_ASSURED) || pc_flow_closed(flags))
		return filter->flows;
	return key->protocol == IPPROTO_TCP ? filter->connections : filter->streams;
}

int seed_flow(const struct filter *filter, const struct pc_flow *key,
	      const struct pc_flow_state *state)
{
	struct pc_flow_state old;
	int map = map_of(filter, key, state->flags);
	int err = seed_mark(filter, key);

	if (err)
		return err;
	if (!bpf_map_update_elem(map, key, state, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (bpf_map_lookup_elem(map, key, &old) || old.seen > state->seen ||
	    state->seen - old.seen < pc_flow_lifetime(key->protocol, old.flags))
		return 0;
	return bpf_map_update_elem(map, key, state, BPF_ANY) ? -errno : 0;
}

struct old_flows {
	const struct filter *filter;
	struct links links;
	__u64 now;
	int err;
};

/* It was one both sides had talked in, or is of a link that the old layout did not tell. */
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
		old->err = seed_flow(old->filter, &key, &state);
}

void seed_old(const struct filter *filter, const struct filter *old)
{
	struct old_flows flows = {.filter = filter, .now = clock_monotonic()};
	int err;

	if (old->flows < 0 || old->connections >= 0)
		return;
	links_read(&flows.links); /* what is not listed is a link of its own */
	err = walk_map(old->flows, sizeof(struct pc_flow), sizeof(struct pc_flow_state), enter_old,
		       &flows);
	links_free(&flows.links);
	if (err || flows.err)
		warning("cannot take over the flows: %s; what it learned may stall until the side behind the filter sends",
			strerror(err ? -err : -flows.err));
}

bool seed_live(const struct filter *filter, unsigned int ifindex, bool forward)
{
	sockets_seed(filter, ifindex);
	return conntrack_seed(filter, ifindex, forward);
}
