// SPDX-License-Identifier: GPL-2.0
/*
 * Learns the connections that this host forwards from the kernel's table of tracked connections
 * (ctnetlink).
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/flows.h"
#include "loader/netlink.h"
#include "loader/route.h"
#include "loader/seed.h"

#define TRACKS "/proc/sys/net/netfilter/nf_conntrack_count" /* there if conntrack is loaded */

/* An entry of the table. Both ways are keys as the program makes them of packets that come in. */
struct track {
	struct pc_flow way[IP_CT_DIR_MAX];
	__u32 status; /* IPS_* */
	__u32 left;   /* seconds until conntrack forgets it */
	__u8 state;   /* TCP_CONNTRACK_*, of TCP */
	__u8 flags[IP_CT_DIR_MAX];
};

struct known_route {
	__u8 family; /* 4 or 6; 0: not asked for yet */
	__u8 address[16];
	struct route route;
};

struct seed {
	const struct filter *filter;
	unsigned int ifindex;
	bool forward;
	bool forwarded; /* some that are forwarded were found */
	__u64 now;
	const struct pc_came_in *came_in;
	size_t entered[FLOW_MAPS];
	size_t rest; /* the most of FLOWS_REST */
	struct mnl_socket *routes;
	struct known_route known[1024];
	struct probe {
		struct pc_flow key;
		bool seen;
	} probe[2];
	int err;
};

/* --- the table --- */

static int read_address(const struct nlattr *attribute, void *data)
{
	const void *address = mnl_attr_get_payload(attribute);
	struct pc_flow *key = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_IP_V4_SRC: key->ipv4.remote = mnl_attr_get_u32(attribute); break;
	case CTA_IP_V4_DST: key->ipv4.local = mnl_attr_get_u32(attribute); break;
	case CTA_IP_V6_SRC: memcpy(key->ipv6.remote, address, sizeof(key->ipv6.remote)); break;
	case CTA_IP_V6_DST: memcpy(key->ipv6.local, address, sizeof(key->ipv6.local)); break;
	}
	return MNL_CB_OK;
}

static int read_ports(const struct nlattr *attribute, void *data)
{
	struct pc_flow *key = data;
	bool ipv6 = key->family == 6;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_PROTO_NUM: key->protocol = mnl_attr_get_u8(attribute); break;
	case CTA_PROTO_SRC_PORT:
		*(ipv6 ? &key->ipv6.remote_port : &key->ipv4.remote_port) =
			mnl_attr_get_u16(attribute);
		break;
	case CTA_PROTO_DST_PORT:
		*(ipv6 ? &key->ipv6.local_port : &key->ipv4.local_port) =
			mnl_attr_get_u16(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int read_tuple(const struct nlattr *attribute, void *data)
{
	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_IP: return mnl_attr_parse_nested(attribute, read_address, data);
	case CTA_TUPLE_PROTO: return mnl_attr_parse_nested(attribute, read_ports, data);
	}
	return MNL_CB_OK;
}

static __u8 tcp_flags(const struct nlattr *attribute)
{
	const struct nf_ct_tcp_flags *said = mnl_attr_get_payload(attribute);

	return said->flags;
}

static int read_tcp(const struct nlattr *attribute, void *data)
{
	struct track *track = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_PROTOINFO_TCP_STATE: track->state = mnl_attr_get_u8(attribute); break;
	case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
		track->flags[IP_CT_DIR_ORIGINAL] = tcp_flags(attribute);
		break;
	case CTA_PROTOINFO_TCP_FLAGS_REPLY:
		track->flags[IP_CT_DIR_REPLY] = tcp_flags(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int read_protocol(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == CTA_PROTOINFO_TCP)
		return mnl_attr_parse_nested(attribute, read_tcp, data);
	return MNL_CB_OK;
}

static int read_entry(const struct nlattr *attribute, void *data)
{
	struct track *track = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_ORIG:
		return mnl_attr_parse_nested(attribute, read_tuple,
					     &track->way[IP_CT_DIR_ORIGINAL]);
	case CTA_TUPLE_REPLY:
		return mnl_attr_parse_nested(attribute, read_tuple, &track->way[IP_CT_DIR_REPLY]);
	case CTA_STATUS: track->status = ntohl(mnl_attr_get_u32(attribute)); break;
	case CTA_TIMEOUT: track->left = ntohl(mnl_attr_get_u32(attribute)); break;
	case CTA_PROTOINFO: return mnl_attr_parse_nested(attribute, read_protocol, track);
	}
	return MNL_CB_OK;
}

/* --- what of it becomes a flow --- */

static bool is_live(const struct track *track)
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

/* `way`: from the remote side. */
static __u8 flags_of(const struct track *track, enum ip_conntrack_dir way)
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

/* As long ago as makes the flow last as long as conntrack's entry would, and no longer. */
static __u64 seen_at(const struct seed *seed, const struct track *track, __u8 flags)
{
	__u64 lifetime = pc_flow_lifetime(track->way[0].protocol, flags);
	__u64 left = track->left * PC_SECOND;

	return left < lifetime ? seed->now - (lifetime - left) : seed->now;
}

/*
 * Connections that end here. Sockets answer for them as long as they live, and a flow would outlast
 * them; but not where the packets have other addresses or ports than the socket (REDIRECT, SNAT,
 * a virtual address), and not for UDP sockets that are not connected.
 */
static bool own_needs_flow(const struct track *track, enum ip_conntrack_dir way)
{
	return track->status & (IPS_SRC_NAT | IPS_DST_NAT) ||
	       (track->way[way].protocol == IPPROTO_UDP && way == IP_CT_DIR_REPLY);
}

/* Whether it may need a flow, before routes are asked for. */
static bool may_matter(const struct seed *seed, const struct track *track)
{
	return is_live(track) && (seed->forward || own_needs_flow(track, IP_CT_DIR_REPLY));
}

static bool came_in(const struct seed *seed, const struct pc_flow *key)
{
	__u32 by_port, by_tuple;
	__u16 epoch = pc_came_epoch(seed->now);

	pc_came_cells(key, seed->came_in->secret, &by_port, &by_tuple);
	return pc_came_within(seed->came_in->by_port[by_port], epoch, PC_CAME_LATELY) &&
	       pc_came_within(seed->came_in->by_tuple[by_tuple], epoch, PC_CAME_LATELY);
}

/*
 * What was begun outside has to be more than a forged packet and its answer (IPS_ASSURED: a whole
 * handshake of TCP, two seconds of talk by UDP), and not in by observe alone.
 */
static int enter(struct seed *seed, const struct track *track, enum ip_conntrack_dir way)
{
	const struct pc_flow *key = &track->way[way];
	__u8 flags = flags_of(track, way);
	struct pc_flow_state state = {.seen = seen_at(seed, track, flags),
				      .ifindex = seed->ifindex,
				      .flags = flags,
				      .slot = seed->now >> PC_SINCE_SHIFT & PC_SLOT_MASK};
	size_t *count = &seed->entered[FLOWS_REST];

	if (way == IP_CT_DIR_ORIGINAL && (!(track->status & IPS_ASSURED) || came_in(seed, key)))
		return 0;
	if (flags & PC_FLOW_ASSURED && !pc_flow_closed(flags))
		count = &seed->entered[key->protocol == IPPROTO_TCP ? FLOWS_CONNECTIONS :
								      FLOWS_STREAMS];
	else if (*count >= seed->rest) /* they would only evict each other */
		return 0;
	++*count;
	return seed_flow(seed->filter, key, &state);
}

/* Where the other end of the packets of a way is; routes to few addresses are asked for often. */
static int find_route(struct seed *seed, const struct pc_flow *way, struct route *route)
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

/*
 * Each way is what one end's packets look like where they come in: those that come in by the
 * interface are those of the end that is routed out of it, whoever began and whatever NAT makes of
 * them. Those of a connection that ends here may come in by any interface.
 */
static bool is_wanted(const struct seed *seed, const struct track *track, enum ip_conntrack_dir way,
		      const struct route route[IP_CT_DIR_MAX])
{
	if (route[way].type != RTN_UNICAST)
		return false;
	if (route[!way].type == RTN_LOCAL)
		return own_needs_flow(track, way);
	return seed->forward && route[way].ifindex == seed->ifindex;
}

static int enter_ways(struct seed *seed, const struct track *track)
{
	struct route route[IP_CT_DIR_MAX];
	int way, err = 0;

	for (way = 0; way < IP_CT_DIR_MAX && !err; way++)
		err = find_route(seed, &track->way[way], &route[way]);
	for (way = 0; way < IP_CT_DIR_MAX && !err; way++) {
		if (!is_wanted(seed, track, way, route))
			continue;
		seed->forwarded |= route[!way].type != RTN_LOCAL;
		err = enter(seed, track, way);
	}
	return err;
}

static void find_probes(struct seed *seed, const struct pc_flow *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(seed->probe); i++)
		if (!memcmp(key, &seed->probe[i].key, sizeof(*key)))
			seed->probe[i].seen = true;
}

static int read_track(const struct nlmsghdr *message, void *data)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	__u8 family = head->nfgen_family == AF_INET6 ? 6 : 4;
	struct track track = {.way = {{.family = family}, {.family = family}}};
	struct seed *seed = data;

	mnl_attr_parse(message, sizeof(*head), read_entry, &track);
	find_probes(seed, &track.way[IP_CT_DIR_ORIGINAL]);
	if (may_matter(seed, &track))
		seed->err = enter_ways(seed, &track);
	return seed->err ? MNL_CB_STOP : MNL_CB_OK;
}

static int read_tracks(struct seed *seed)
{
	__cleanup(netlink_close) struct mnl_socket *netfilter = NULL;
	union netlink_buffer buffer;
	struct nfgenmsg *head = netlink_request(
		&buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, sizeof(*head));
	int err = netlink_open(NETLINK_NETFILTER, &netfilter);

	head->nfgen_family = AF_UNSPEC;
	head->version = NFNETLINK_V0;
	if (!err)
		err = netlink_ask(netfilter, &buffer, read_track, seed);
	return err ? err : seed->err;
}

/* --- whether it is all of them --- */

/*
 * The table may be there without being kept: only rules that need it (NAT, `ct`) make the kernel
 * track, each for its address family, and entries outlast these rules. So a datagram goes from this
 * process to itself: if the table has it, that family is tracked.
 */
static void send_probe(int family, struct pc_flow *key)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} own = {.any.sa_family = family};
	socklen_t size = family == AF_INET6 ? sizeof(own.ipv6) : sizeof(own.ipv4);
	__close_fd int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET6)
		own.ipv6.sin6_addr = in6addr_loopback;
	else
		own.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, &own.any, size) || getsockname(fd, &own.any, &size) ||
	    sendto(fd, "", 1, MSG_DONTWAIT, &own.any, size) < 0)
		return;
	*key = (struct pc_flow){.protocol = IPPROTO_UDP, .family = family == AF_INET6 ? 6 : 4};
	if (family == AF_INET6) {
		memcpy(key->ipv6.remote, &own.ipv6.sin6_addr, sizeof(key->ipv6.remote));
		memcpy(key->ipv6.local, &own.ipv6.sin6_addr, sizeof(key->ipv6.local));
		key->ipv6.remote_port = key->ipv6.local_port = own.ipv6.sin6_port;
	} else {
		key->ipv4.remote = key->ipv4.local = own.ipv4.sin_addr.s_addr;
		key->ipv4.remote_port = key->ipv4.local_port = own.ipv4.sin_port;
	}
}

static int seed_from_table(struct seed *seed)
{
	int err;

	send_probe(AF_INET, &seed->probe[0].key);
	send_probe(AF_INET6, &seed->probe[1].key);
	seed->came_in =
		mmap(NULL, sizeof(*seed->came_in), PROT_READ, MAP_SHARED, seed->filter->came_in, 0);
	if (seed->came_in == MAP_FAILED)
		return -errno;
	err = netlink_open(NETLINK_ROUTE, &seed->routes);
	if (!err)
		err = read_tracks(seed);
	netlink_close(&seed->routes);
	munmap((void *)seed->came_in, sizeof(*seed->came_in));
	return err;
}

/* Half of the flows are for connections, a quarter for streams: twice as many are to fit. */
static void warn_room(const struct seed *seed, __u32 flows)
{
	size_t connections = seed->entered[FLOWS_CONNECTIONS];
	size_t streams = seed->entered[FLOWS_STREAMS];
	size_t wanted = 4 * connections > 8 * streams ? 4 * connections : 8 * streams;
	size_t enough = PC_FLOWS;

	if (connections <= PC_FLOWS_CONNECTIONS(flows) && streams <= PC_FLOWS_STREAMS(flows))
		return;
	while (enough < wanted && enough < PC_FLOWS_MAX)
		enough *= 2;
	warning("conntrack has %zu connections and %zu UDP streams of them, and --flows %u has room for %u and %u: those that are left out stall until the side behind the filter sends; detach all interfaces, and attach them with --flows %zu",
		connections, streams, flows, PC_FLOWS_CONNECTIONS(flows), PC_FLOWS_STREAMS(flows),
		enough);
}

bool conntrack_seed(const struct filter *filter, unsigned int ifindex, bool forward)
{
	struct seed seed = {
		.filter = filter, .ifindex = ifindex, .forward = forward, .now = clock_monotonic()};
	__u32 flows = share_flows(filter);
	int err;

	seed.rest = PC_FLOWS_REST(flows);
	/* Asking would load the module. */
	if (access(TRACKS, F_OK))
		return false;
	err = seed_from_table(&seed);
	if (err)
		warning("cannot read the table of tracked connections: %s; connections that are forwarded or translated, and UDP of this host, may stall until the side behind the filter sends",
			strerror(-err));
	else
		warn_room(&seed, flows);
	return !err && (seed.forwarded || !forward) && seed.probe[0].seen && seed.probe[1].seen;
}
