// SPDX-License-Identifier: GPL-2.0
/* Enters connections into `flows` that were there before the filter could learn them. */
#include <bpf/bpf.h>
#include <errno.h>

#include "loader/seed.h"

int seed_flow(const struct filter *filter, const struct pc_flow *key,
	      const struct pc_flow_state *state)
{
	struct pc_flow_state old;

	if (!bpf_map_update_elem(filter->flows, key, state, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (bpf_map_lookup_elem(filter->flows, key, &old) || old.seen > state->seen ||
	    state->seen - old.seen < pc_flow_lifetime(key->protocol, old.flags))
		return 0;
	return bpf_map_update_elem(filter->flows, key, state, BPF_ANY) ? -errno : 0;
}

int seed_announce_tcp(const struct filter *filter)
{
	struct pc_shared shared;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(filter->shared, &zero, &shared))
		return -errno;
	shared.tcp = 1;
	return bpf_map_update_elem(filter->shared, &zero, &shared, BPF_ANY) ? -errno : 0;
}

bool seed_live(const struct filter *filter, unsigned int ifindex, bool forward)
{
	sockets_seed(filter, ifindex);
	return forward && conntrack_seed(filter, ifindex);
}
