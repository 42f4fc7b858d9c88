// SPDX-License-Identifier: GPL-2.0
/* Adds flows for connections of the conntrack table. */
#include "loader/filter/seed_conntrack.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/clock.h"
#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/machine_table.h"
#include "loader/filter/flow_enter.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/flows.h"
#include "loader/net/conntrack.h"
#include "loader/net/netlink.h"
#include "loader/net/route.h"

struct known_route {
	__u8 family; /* 4 or 6; 0: not looked up yet */
	__u8 address[16];
	struct route route;
};

/* The flows that were added for one filter. */
struct entered {
	const struct seed *seed;
	bool forwarded; /* the table had forwarded connections */
	const struct pc_came_in *came_in;
	size_t flows[FLOW_MAPS];
	size_t rest; /* room for entries of FLOWS_REST */
};

struct track_seed {
	struct entered *filter;
	size_t count;
	__u64 now;
	struct mnl_socket *routes;
	struct known_route known[1024];
};

static bool is_live(const struct conntrack_entry *track)
{
	switch (track->way[IP_CT_DIR_ORIGINAL].protocol) {
	case IPPROTO_UDP: return true;
	case IPPROTO_TCP:
		return (track->state >= TCP_CONNTRACK_SYN_SENT &&
			track->state <= TCP_CONNTRACK_LAST_ACK) ||
		       track->state == TCP_CONNTRACK_SYN_SENT2;
	}
	return false;
}

/* `way`: the direction whose packets come from the remote side. */
static __u8 flags_of(const struct conntrack_entry *track, enum ip_conntrack_dir way)
{
	__u8 flags = 0;

	if (way == IP_CT_DIR_ORIGINAL || track->status & IPS_SEEN_REPLY)
		flags = PC_FLOW_REPLIED;
	if (track->status & IPS_ASSURED)
		flags |= PC_FLOW_ASSURED;
	if (track->way[way].protocol != IPPROTO_TCP)
		return flags;
	switch (track->state) {
	case TCP_CONNTRACK_FIN_WAIT:
	case TCP_CONNTRACK_CLOSE_WAIT:
		return flags | (track->flags[!way] & IP_CT_TCP_FLAG_CLOSE_INIT ? PC_FLOW_FIN_OUT :
										 PC_FLOW_FIN_IN);
	case TCP_CONNTRACK_LAST_ACK: return flags | PC_FLOW_FIN_OUT | PC_FLOW_FIN_IN;
	}
	return flags;
}

/* Gives the flow such an age that it lasts as long as conntrack's entry would, and no longer. */
static __u64 seen_at(__u64 now, const struct conntrack_entry *track, __u8 flags)
{
	__u64 lifetime = pc_flow_lifetime(track->way[0].protocol, flags);
	__u64 left = track->left * PC_SECOND;

	return left < lifetime ? now - (lifetime - left) : now;
}

/*
 * True if a connection of this host needs a flow. Mostly its socket is enough, and a flow would
 * outlast it. But the program does not find the socket if packets have other addresses or ports
 * than the socket (REDIRECT, SNAT, a virtual address), or if a UDP socket is not connected.
 */
static bool own_needs_flow(const struct conntrack_entry *track, enum ip_conntrack_dir way)
{
	return track->status & (IPS_SRC_NAT | IPS_DST_NAT) ||
	       (track->way[way].protocol == IPPROTO_UDP && way == IP_CT_DIR_REPLY);
}

/* True if the connection may need a flow. Asked first, because looking up routes takes longer. */
static bool may_matter(const struct track_seed *seed, const struct conntrack_entry *track)
{
	bool forward = false;

	for (size_t i = 0; i < seed->count; i++)
		forward |= seed->filter[i].seed->generation->forward;
	return is_live(track) && (forward || own_needs_flow(track, IP_CT_DIR_REPLY));
}

/* `behind`: the connection belongs to a machine behind this host. */
static bool came_in_for(const struct pc_came_in *table, __u64 now, const struct pc_flow *key,
			bool behind)
{
	__u32 by_port, by_tuple;
	__u16 epoch = pc_came_epoch(now);

	pc_came_cells(key, behind, table->secret, &by_port, &by_tuple);
	return pc_came_within(table->by_port[by_port], epoch, PC_CAME_LATELY) &&
	       pc_came_within(table->by_tuple[by_tuple], epoch, PC_CAME_LATELY);
}

static bool came_in(const struct pc_came_in *table, __u64 now, const struct pc_flow *key)
{
	return came_in_for(table, now, key, false) || came_in_for(table, now, key, true);
}

/*
 * A connection that was begun outside must be more than a forged packet and its answer
 * (IPS_ASSURED: a complete TCP handshake, or two seconds of UDP in both directions), and must not
 * have passed only because of observe.
 */
static int enter(struct entered *entered, __u64 now, const struct conntrack_entry *track,
		 enum ip_conntrack_dir way)
{
	const struct pc_flow *key = &track->way[way];
	__u8 flags = flags_of(track, way);
	struct pc_flow_state state = {.seen = seen_at(now, track, flags),
				      .ifindex = entered->seed->ifindex,
				      .flags = flags,
				      .slot = flags & PC_FLOW_ASSURED ? 0 : pc_since(now)};
	size_t *count = &entered->flows[FLOWS_REST];

	if (way == IP_CT_DIR_ORIGINAL &&
	    (!(track->status & IPS_ASSURED) || came_in(entered->came_in, now, key)))
		return 0;
	if (flags & PC_FLOW_ASSURED && !pc_flow_closed(flags))
		count = &entered->flows[key->protocol == IPPROTO_TCP ? FLOWS_CONNECTIONS :
								       FLOWS_STREAMS];
	else if (*count >= entered->rest) /* more entries would evict each other */
		return 0;
	++*count;
	return flow_enter(entered->seed->filter, key, &state);
}

/*
 * Looks up the route to the other end of a direction. Results are kept, because the same few
 * addresses are asked for often.
 */
static int find_route(struct track_seed *seed, const struct pc_flow *way, struct route *route)
{
	size_t size = way->family == 6 ? sizeof(way->ipv6.remote) : sizeof(way->ipv4.remote);
	struct known_route *known;
	__u8 address[16] = {};
	__u32 hash = way->family, i;
	int err;

	memcpy(address, way, size);
	for (i = 0; i < sizeof(address); i++)
		hash = hash * 31 + address[i];
	known = &seed->known[hash % ARRAY_SIZE(seed->known)];
	if (known->family != way->family || memcmp(known->address, address, sizeof(address))) {
		err = route_find(seed->routes, way->family == 6 ? AF_INET6 : AF_INET, way,
				 &known->route);
		known->family = err ? 0 : way->family;
		if (err)
			return err;
		memcpy(known->address, address, sizeof(address));
	}
	*route = known->route;
	return 0;
}

/* Whether the generation learns connections that this side's end of a tuple begins, as learn.h
 * does. */
static bool learns_forwarded(const struct pc_generation *generation, const struct pc_flow *way)
{
	bool ipv6 = way->family == 6;
	const struct pc_machine *machine = machine_table_find(
		generation, ipv6 ? AF_INET6 : AF_INET,
		ipv6 ? (const __u8 *)&way->ipv6.local : (const __u8 *)&way->ipv4.local);

	return generation->forward &
	       (machine && machine->class ? PC_FORWARD_MACHINES : PC_FORWARD_OTHERS);
}

/*
 * Each direction has the addresses and ports that its packets have when they come in. They come in
 * by this interface if the route to their sender goes out of it, whichever side began, and with any
 * NAT. Packets of a connection that ends here may come in by any interface.
 */
static bool is_wanted(const struct seed *seed, const struct conntrack_entry *track,
		      enum ip_conntrack_dir way, const struct route route[IP_CT_DIR_MAX])
{
	if (route[way].type != RTN_UNICAST)
		return false;
	if (route[!way].type == RTN_LOCAL)
		return own_needs_flow(track, way);
	return route[way].ifindex == seed->ifindex &&
	       learns_forwarded(seed->generation, &track->way[way]);
}

static int enter_ways(struct entered *entered, __u64 now, const struct conntrack_entry *track,
		      const struct route route[IP_CT_DIR_MAX])
{
	int way, err = 0;

	for (way = 0; way < IP_CT_DIR_MAX && !err; way++) {
		if (!is_wanted(entered->seed, track, way, route))
			continue;
		entered->forwarded |= route[!way].type != RTN_LOCAL;
		err = enter(entered, now, track, way);
	}
	return err;
}

static int take_entry(const struct conntrack_entry *track, void *context)
{
	struct track_seed *seed = context;
	struct route route[IP_CT_DIR_MAX];
	int err = 0;

	if (!may_matter(seed, track))
		return 0;
	for (int way = 0; way < IP_CT_DIR_MAX && !err; way++)
		err = find_route(seed, &track->way[way], &route[way]);
	for (size_t i = 0; i < seed->count && !err; i++)
		err = enter_ways(&seed->filter[i], seed->now, track, route);
	return err;
}

static int entered_start(struct entered *entered, const struct seed *seed)
{
	void *table = mmap(NULL, sizeof(*entered->came_in), PROT_READ, MAP_SHARED,
			   seed->filter->fd[FILTER_CAME_IN], 0);

	*entered = (struct entered){
		.seed = seed,
		.came_in = table == MAP_FAILED ? NULL : table,
		.rest = PC_FLOWS_REST(flow_maps_size(seed->filter)),
	};
	return entered->came_in ? 0 : -errno;
}

static int seed_from_table(struct track_seed *seed, const struct seed *of, bool *whole)
{
	int err = 0;

	for (size_t i = 0; i < seed->count; i++)
		err = entered_start(&seed->filter[i], &of[i]) ?: err;
	if (!err)
		err = netlink_open(NETLINK_ROUTE, &seed->routes);
	if (!err)
		err = conntrack_each(take_entry, seed, whole);
	netlink_close(&seed->routes);
	for (size_t i = 0; i < seed->count; i++)
		if (seed->filter[i].came_in)
			munmap((void *)seed->filter[i].came_in, sizeof(struct pc_came_in));
	return err;
}

/*
 * Half of the flows are for connections, a quarter for streams, so that twice as many have room.
 * Returns true if it had to warn.
 */
static bool warn_room(const struct entered *entered)
{
	__u32 flows = flow_maps_size(entered->seed->filter);
	size_t connections = entered->flows[FLOWS_CONNECTIONS];
	size_t streams = entered->flows[FLOWS_STREAMS];
	size_t wanted = 4 * connections > 8 * streams ? 4 * connections : 8 * streams;
	size_t enough = PC_FLOWS;
	__free_text char *of_tcp = NULL, *of_udp = NULL;

	if (connections <= PC_FLOWS_CONNECTIONS(flows) && streams <= PC_FLOWS_STREAMS(flows))
		return false;
	while (enough < wanted && enough < PC_FLOWS_MAX)
		enough *= 2;
	of_tcp = human_count(connections, "connection", "connections");
	of_udp = human_count(streams, "UDP stream", "UDP streams");
	warning("conntrack has %s and %s, and --flows %u has room for %u and %u: those that are left out stall until the side behind the filter sends; detach all interfaces, and attach them with --flows %zu",
		of_tcp, of_udp, flows, PC_FLOWS_CONNECTIONS(flows), PC_FLOWS_STREAMS(flows),
		enough);
	return true;
}

void seed_conntrack(struct seed *seed, size_t count)
{
	struct track_seed tracks = {.filter = xcalloc(count, sizeof(*tracks.filter)),
				    .count = count,
				    .now = clock_monotonic()};
	bool loaded = conntrack_loaded(), whole = false, warned = false;
	int err = loaded ? seed_from_table(&tracks, seed, &whole) : 0;

	if (err)
		warning("cannot read the table of tracked connections: %s; connections that are forwarded or translated, and UDP of this host, may stall until the side behind the filter sends",
			strerror(-err));
	for (size_t i = 0; i < count; i++) {
		const struct entered *entered = &tracks.filter[i];

		seed[i].whole = loaded && !err && whole &&
				(entered->forwarded || !seed[i].generation->forward);
		if (loaded && !err && !warned) /* all share the flow maps */
			warned = warn_room(entered);
	}
	free(tracks.filter);
}
