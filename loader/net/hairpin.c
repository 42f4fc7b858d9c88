// SPDX-License-Identifier: GPL-2.0
/* Connections that come in by an interface, and that DNAT sends out by the same interface. */
#include "loader/net/hairpin.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/conntrack.h"
#include "loader/net/netlink.h"
#include "loader/net/route.h"

struct search {
	const struct pc_generation *generation;
	unsigned int ifindex;
	struct mnl_socket *routes;
	size_t count;
	struct conntrack_entry sample;
};

static bool goes_by(const struct search *search, const struct pc_flow *way)
{
	struct route route;

	return !route_find(search->routes, way->family == 6 ? AF_INET6 : AF_INET, way, &route) &&
	       route.type == RTN_UNICAST && route.ifindex == search->ifindex;
}

/* True if no service lists the port to which the answers return. */
static bool is_closed(const struct search *search, const struct pc_flow *answer)
{
	__be16 port = answer->family == 6 ? answer->ipv6.local_port : answer->ipv4.local_port;
	enum pc_transport transport = answer->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;

	return search->generation->port[PC_PORT(transport, ntohs(port))] == PC_PORT_CLOSED;
}

static int look_at(const struct conntrack_entry *track, void *context)
{
	const struct pc_flow *request = &track->way[IP_CT_DIR_ORIGINAL];
	const struct pc_flow *answer = &track->way[IP_CT_DIR_REPLY];
	struct search *search = context;

	if (!(track->status & IPS_DST_NAT) ||
	    (request->protocol != IPPROTO_TCP && request->protocol != IPPROTO_UDP))
		return 0;
	if (!is_closed(search, answer) || !goes_by(search, request) || !goes_by(search, answer))
		return 0;
	if (!search->count++)
		search->sample = *track;
	return 0;
}

static char *tell(const struct search *search)
{
	const struct pc_flow *request = &search->sample.way[IP_CT_DIR_ORIGINAL];
	const struct pc_flow *answer = &search->sample.way[IP_CT_DIR_REPLY];
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	bool ipv6 = request->family == 6;

	inet_ntop(ipv6 ? AF_INET6 : AF_INET,
		  ipv6 ? (void *)request->ipv6.local : &request->ipv4.local, from, sizeof(from));
	inet_ntop(ipv6 ? AF_INET6 : AF_INET,
		  ipv6 ? (void *)answer->ipv6.remote : &answer->ipv4.remote, to, sizeof(to));
	return xasprintf(
		"DNAT sends packets for %s port %u out of the same interface again, to %s port %u (%zu tracked): the replies to new connections are dropped, because they look like reflected packets; admit them by a service with from-port %u for a group with %s, or put %s behind another interface",
		from, ntohs(ipv6 ? request->ipv6.local_port : request->ipv4.local_port), to,
		ntohs(ipv6 ? answer->ipv6.remote_port : answer->ipv4.remote_port), search->count,
		ntohs(ipv6 ? answer->ipv6.remote_port : answer->ipv4.remote_port), to, to);
}

char *hairpin_find(const struct pc_generation *generation, unsigned int ifindex)
{
	__cleanup(netlink_close) struct mnl_socket *routes = NULL;
	struct search search = {.generation = generation, .ifindex = ifindex};

	if (!conntrack_loaded() || netlink_open(NETLINK_ROUTE, &routes))
		return NULL;
	search.routes = routes;
	if (conntrack_each(look_at, &search, NULL) || !search.count)
		return NULL;
	return tell(&search);
}
