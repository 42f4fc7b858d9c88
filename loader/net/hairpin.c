// SPDX-License-Identifier: GPL-2.0
/* Connections that come in by an interface, and that DNAT sends out by the same interface. */
#include "loader/net/hairpin.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/netlink.h"
#include "loader/net/route.h"

struct search {
	struct hairpin *hairpin;
	size_t count;
	struct mnl_socket *routes;
};

/* The interface by which packets go to the other end of a direction. 0: none, or this host. */
static unsigned int way_out(const struct search *search, const struct pc_flow *way)
{
	struct route route;

	return !route_find(search->routes, way->family == 6 ? AF_INET6 : AF_INET, way, &route) &&
			       route.type == RTN_UNICAST ?
		       route.ifindex :
		       0;
}

/* True if no service lists the port to which the answers return. */
static bool is_closed(const struct pc_generation *generation, const struct pc_flow *answer)
{
	__be16 port = answer->family == 6 ? answer->ipv6.local_port : answer->ipv4.local_port;
	enum pc_transport transport = answer->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;

	return generation->port[PC_PORT(transport, ntohs(port))] == PC_PORT_CLOSED;
}

static int look_at(const struct conntrack_entry *track, void *context)
{
	const struct pc_flow *request = &track->way[IP_CT_DIR_ORIGINAL];
	const struct pc_flow *answer = &track->way[IP_CT_DIR_REPLY];
	const struct search *search = context;
	unsigned int out = 0;

	if (!(track->status & IPS_DST_NAT) ||
	    (request->protocol != IPPROTO_TCP && request->protocol != IPPROTO_UDP))
		return 0;
	for (size_t i = 0; i < search->count; i++) {
		struct hairpin *hairpin = &search->hairpin[i];

		if (!hairpin->generation || !is_closed(hairpin->generation, answer))
			continue;
		if (!out)
			out = way_out(search, request);
		if (out == hairpin->ifindex && way_out(search, answer) == out && !hairpin->count++)
			hairpin->sample = *track;
	}
	return 0;
}

void hairpins_find(struct hairpin *hairpin, size_t count)
{
	struct search search = {.hairpin = hairpin, .count = count};
	bool wanted = false;

	for (size_t i = 0; i < count; i++)
		wanted |= hairpin[i].generation != NULL;
	if (wanted && conntrack_loaded() && !netlink_open(NETLINK_ROUTE, &search.routes) &&
	    conntrack_each(look_at, &search, NULL))
		for (size_t i = 0; i < count; i++)
			hairpin[i].count = 0;
	netlink_close(&search.routes);
}

char *hairpin_text(const struct hairpin *hairpin)
{
	const struct pc_flow *request = &hairpin->sample.way[IP_CT_DIR_ORIGINAL];
	const struct pc_flow *answer = &hairpin->sample.way[IP_CT_DIR_REPLY];
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	bool ipv6 = request->family == 6;

	if (!hairpin->count)
		return NULL;
	inet_ntop(ipv6 ? AF_INET6 : AF_INET,
		  ipv6 ? (void *)request->ipv6.local : &request->ipv4.local, from, sizeof(from));
	inet_ntop(ipv6 ? AF_INET6 : AF_INET,
		  ipv6 ? (void *)answer->ipv6.remote : &answer->ipv4.remote, to, sizeof(to));
	return xasprintf(
		"DNAT sends packets for %s port %u out of the same interface again, to %s port %u (%zu tracked): the replies to new connections are dropped, because they look like reflected packets; admit them by a service with from-port %u for a group with %s, or put %s behind another interface",
		from, ntohs(ipv6 ? request->ipv6.local_port : request->ipv4.local_port), to,
		ntohs(ipv6 ? answer->ipv6.remote_port : answer->ipv4.remote_port), hairpin->count,
		ntohs(ipv6 ? answer->ipv6.remote_port : answer->ipv4.remote_port), to, to);
}
