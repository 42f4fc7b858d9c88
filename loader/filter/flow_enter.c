// SPDX-License-Identifier: GPL-2.0
/* Adds a flow to the maps of a filter, as its programs would learn it. */
#include "loader/filter/flow_enter.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/mman.h>

int flow_mark(const struct filter *filter, const struct pc_flow *key)
{
	__be16 port = key->family == 4 ? key->ipv4.local_port : key->ipv6.local_port;
	struct pc_learned *learned = mmap(NULL, sizeof(*learned), PROT_READ | PROT_WRITE,
					  MAP_SHARED, filter->fd[FILTER_LEARNED], 0);

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
		return filter->fd[FILTER_FLOWS];
	return key->protocol == IPPROTO_TCP ? filter->fd[FILTER_CONNECTIONS] :
					      filter->fd[FILTER_STREAMS];
}

int flow_enter(const struct filter *filter, const struct pc_flow *key,
	       const struct pc_flow_state *state)
{
	struct pc_flow_state old;
	int map = map_of(filter, key, state->flags);
	int err = flow_mark(filter, key);

	if (err)
		return err;
	if (!bpf_map_update_elem(map, key, state, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* Signed, because `old` may be the younger one, and a seeded flow may be older than the
	 * uptime. */
	if (bpf_map_lookup_elem(map, key, &old) ||
	    (__s64)(state->seen - old.seen) < (__s64)pc_flow_lifetime(key->protocol, old.flags))
		return 0;
	return bpf_map_update_elem(map, key, state, BPF_ANY) ? -errno : 0;
}
