// SPDX-License-Identifier: GPL-2.0
/* Enters connections into `flows` that were there before the filter could learn them. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

#include "loader/seed.h"

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

int seed_flow(const struct filter *filter, const struct pc_flow *key,
	      const struct pc_flow_state *state)
{
	struct pc_flow_state old;
	int err = seed_mark(filter, key);

	if (err)
		return err;
	if (!bpf_map_update_elem(filter->flows, key, state, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (bpf_map_lookup_elem(filter->flows, key, &old) || old.seen > state->seen ||
	    state->seen - old.seen < pc_flow_lifetime(key->protocol, old.flags))
		return 0;
	return bpf_map_update_elem(filter->flows, key, state, BPF_ANY) ? -errno : 0;
}

bool seed_live(const struct filter *filter, unsigned int ifindex, bool forward)
{
	sockets_seed(filter, ifindex);
	return conntrack_seed(filter, ifindex, forward) && forward;
}
