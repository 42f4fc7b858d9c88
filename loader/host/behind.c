// SPDX-License-Identifier: GPL-2.0
/* Tells what else of this host decides about a packet. */
#include "loader/host/behind.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/host/behind_nft.h"
#include "loader/net/local_address.h"
#include "loader/net/sockets.h"
#include "loader/net/tc.h"
#include "loader/object/tc_programs.h"

static const __u8 *local_of(const struct behind *behind)
{
	return behind->out ? behind->packet->source : behind->packet->destination;
}

static const __u8 *remote_of(const struct behind *behind)
{
	return behind->out ? behind->packet->destination : behind->packet->source;
}

/*
 * True if the packet is for this host, or from it; else it is forwarded. The route decides, because
 * it also has local addresses that no interface has: broadcast, and those of `ip route add local`.
 */
static bool is_own(const struct behind *behind)
{
	struct route route = {};

	if (local_find(behind->links, behind->packet->family, local_of(behind)) ||
	    local_is_shared(behind->packet->family, local_of(behind)))
		return true;
	route_find(behind->routes, behind->packet->family, local_of(behind), &route);
	return route.type == RTN_LOCAL || route.type == RTN_BROADCAST || route.type == RTN_ANYCAST;
}

/* --- the packet's way --- */

/* The bridge above the filter's interface; NULL: there is none. */
static const struct link *bridge_of(const struct behind *behind)
{
	size_t i;

	for (i = 1; i < behind->ways; i++)
		if (!strcmp(behind->way[i]->kind, "bridge"))
			return behind->way[i];
	return NULL;
}

/* The interface that the IP layer sees. */
static const struct link *top_of(const struct behind *behind)
{
	return behind->ways ? behind->way[behind->ways - 1] : NULL;
}

/*
 * The interface that has the address, if it is a VLAN or macvlan; for an outgoing packet that of
 * the route; else the bridge or bond.
 */
static void find_way(struct behind *behind)
{
	const struct link_address *own =
		local_find(behind->links, behind->packet->family, local_of(behind));
	unsigned int top = own ? own->ifindex : 0;
	struct route route = {};

	route_find(behind->routes, behind->packet->family,
		   behind->out ? remote_of(behind) : local_of(behind), &route);
	if (behind->out)
		top = route.ifindex;
	behind->destination_type = own && !behind->out ? RTN_LOCAL : route.type;
	if (!links_comes_by(behind->links, top, behind->ifindex))
		top = links_zone(behind->links, behind->ifindex);
	behind->ways = links_way(behind->links, behind->ifindex, top, behind->way);
}

/* --- programs --- */

static void find_tc(struct behind *behind, const struct link *at)
{
	struct programs programs = {};
	__free_text char *text = NULL;

	programs_tcx(at->ifindex, behind->out ? TCX_EGRESS : TCX_INGRESS, &programs);
	programs_clsact(at->ifindex, behind->out ? TC_EGRESS : TC_INGRESS, &programs);
	text = programs_text(&programs, behind->egress);
	if (*text)
		behind_say(behind, "%s: TC %s may drop it: %s", at->name,
			   behind->out ? "egress" : "ingress", text);
}

/* An interface above has an XDP hook of its own; at the hook of the filter's interface is the
 * filter. */
static void find_xdp(struct behind *behind, const struct link *at)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);
	__free_text char *text = NULL;

	if (at->ifindex == behind->ifindex || bpf_xdp_query((int)at->ifindex, 0, &found) ||
	    found.attach_mode == XDP_ATTACHED_NONE)
		return;
	text = program_text(found.skb_prog_id ?: found.drv_prog_id ?: found.prog_id);
	behind_say(behind, "%s: XDP may drop it: %s", at->name, text);
}

/* --- the reverse path --- */

/* The setting in force is the higher one of the interface's and that of `all`. */
static int reverse_path_filter(const char *interface)
{
	const char *name[] = {"all", interface};
	int most = 0, one;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(name); i++) {
		__free_text char *path = xasprintf("/proc/sys/net/ipv4/conf/%s/rp_filter", name[i]);
		__close_file FILE *file = fopen(path, "re");

		if (file && fscanf(file, "%d", &one) == 1 && one > most)
			most = one;
	}
	return most;
}

static void find_reverse_path(struct behind *behind)
{
	const struct link *link = top_of(behind);
	struct route route = {};
	int filter;

	if (behind->packet->family != AF_INET || !link)
		return;
	filter = reverse_path_filter(link->name);
	/* Routing rules may depend on this host's address. Other addresses cannot be given as the
	 * source. */
	if (!filter ||
	    route_back(behind->routes, AF_INET, remote_of(behind),
		       local_find(behind->links, AF_INET, local_of(behind)) ? local_of(behind) :
									      NULL,
		       0, &route))
		return;
	if (route.type == RTN_UNICAST && (filter == 2 || route.ifindex == link->ifindex))
		return;
	behind_say(behind, "rp_filter drops it: the route back to the source %s%s",
		   route.type == RTN_UNICAST ? "does not go by " : "is missing",
		   route.type == RTN_UNICAST ? link->name : "");
	behind->drops = true;
}

/* --- forwarding --- */

static const char *forwarding_setting(const struct behind *behind)
{
	return behind->packet->family == AF_INET ? "net.ipv4.ip_forward" :
						   "net.ipv6.conf.all.forwarding";
}

/* A setting of the kernel, such as net.ipv4.ip_forward; -1: there is no such setting. */
static int setting(const char *name)
{
	__free_text char *path = xasprintf("/proc/sys/%s", name);
	__close_file FILE *file = NULL;
	int value;
	char *dot;

	for (dot = path; (dot = strchr(dot, '.')); *dot = '/')
		;
	file = fopen(path, "re");
	return file && fscanf(file, "%d", &value) == 1 ? value : -1;
}

static bool has_address(const struct behind *behind, const struct link *link)
{
	size_t i;

	for (i = 0; i < behind->links->addresses; i++)
		if (behind->links->address[i].ifindex == link->ifindex &&
		    behind->links->address[i].family == behind->packet->family)
			return true;
	return false;
}

/* The bridge that forwards the packet to another of its ports, without a route; or NULL.
 */
static const struct link *switch_of(const struct behind *behind)
{
	const struct link *bridge = bridge_of(behind);
	struct route route = {};

	if (!bridge || !setting(forwarding_setting(behind)) || !has_address(behind, bridge))
		return bridge;
	route_match(behind->routes, behind->packet->family, local_of(behind), &route);
	return route.ifindex == bridge->ifindex && !route.gateway ? bridge : NULL;
}

static void find_forwarding(struct behind *behind)
{
	const char *name = forwarding_setting(behind);
	char local[INET6_ADDRSTRLEN];

	if (setting(name))
		return;
	inet_ntop(behind->packet->family, local_of(behind), local, sizeof(local));
	/* A macvlan in another network namespace gets the packet without this host's routes. */
	behind->drops = !behind->machine;
	behind_say(behind,
		   "%s is not an address of this host, and this host does not forward%s: %s is 0",
		   local, behind->machine ? ", unless by a macvlan or the like" : "", name);
}

/* --- step by step --- */

static void ask(struct behind *behind, struct nft_rules *rules, enum behind_step step,
		const struct link *at)
{
	if (!behind_is_over(behind))
		behind_nft_ask(behind, rules, step, at);
}

/* The hooks of an interface that run before a bridge or the IP layer gets the packet. */
static void enter(struct behind *behind, struct nft_rules *rules, const struct link *at)
{
	if (behind_is_over(behind))
		return;
	find_xdp(behind, at);
	find_tc(behind, at);
	ask(behind, rules, BEHIND_INGRESS, at);
}

/* The interfaces below `until`; NULL: all of them. */
static void go_up(struct behind *behind, struct nft_rules *rules, const struct link *until)
{
	const struct link *bridge = bridge_of(behind);
	size_t i;

	for (i = 0; i < behind->ways && behind->way[i] != until; i++) {
		enter(behind, rules, behind->way[i]);
		if (!bridge || i + 1 == behind->ways || behind->way[i + 1] != bridge)
			continue;
		ask(behind, rules, BEHIND_BRIDGE_PREROUTING, behind->way[i]);
		if (bridge != until)
			ask(behind, rules, BEHIND_BRIDGE_INPUT, behind->way[i]);
	}
}

static void go_in(struct behind *behind, struct nft_rules *rules)
{
	const struct link *top = top_of(behind);

	go_up(behind, rules, NULL);
	ask(behind, rules, BEHIND_PREROUTING, top);
	if (!behind_is_over(behind))
		find_reverse_path(behind);
	ask(behind, rules, BEHIND_INPUT, top);
}

static void go_through(struct behind *behind, struct nft_rules *rules)
{
	const struct link *top = top_of(behind);

	go_up(behind, rules, NULL);
	ask(behind, rules, BEHIND_PREROUTING, top);
	if (!behind_is_over(behind))
		find_reverse_path(behind);
	if (!behind_is_over(behind))
		find_forwarding(behind);
	ask(behind, rules, BEHIND_FORWARD, top);
	ask(behind, rules, BEHIND_POSTROUTING, top);
}

/* The hooks from one port of a bridge to another; with br_netfilter also the chains of IP. */
static void go_across(struct behind *behind, struct nft_rules *rules, const struct link *bridge)
{
	const struct link *port = NULL;
	bool ip = setting(behind->packet->family == AF_INET ?
				  "net.bridge.bridge-nf-call-iptables" :
				  "net.bridge.bridge-nf-call-ip6tables") > 0;
	size_t i;

	for (i = 0; behind->way[i] != bridge; i++)
		port = behind->way[i];
	go_up(behind, rules, bridge);
	if (ip)
		ask(behind, rules, BEHIND_PREROUTING, bridge);
	ask(behind, rules, BEHIND_BRIDGE_FORWARD, port);
	if (ip)
		ask(behind, rules, BEHIND_FORWARD, bridge);
	ask(behind, rules, BEHIND_BRIDGE_POSTROUTING, port);
	if (ip)
		ask(behind, rules, BEHIND_POSTROUTING, bridge);
}

static void go_out(struct behind *behind, struct nft_rules *rules)
{
	const struct link *bridge = bridge_of(behind);
	size_t i;

	ask(behind, rules, BEHIND_OUTPUT, top_of(behind));
	ask(behind, rules, BEHIND_POSTROUTING, top_of(behind));
	for (i = behind->ways; i-- > 0 && !behind_is_over(behind);) {
		if (bridge && i + 1 < behind->ways && behind->way[i + 1] == bridge) {
			ask(behind, rules, BEHIND_BRIDGE_OUTPUT, behind->way[i]);
			ask(behind, rules, BEHIND_BRIDGE_POSTROUTING, behind->way[i]);
		}
		ask(behind, rules, BEHIND_EGRESS, behind->way[i]);
		if (!behind_is_over(behind))
			find_tc(behind, behind->way[i]);
	}
}

static void go(struct behind *behind)
{
	__cleanup(nft_rules_free) struct nft_rules rules = {};
	const struct link *bridge;

	if (nft_read(&rules))
		nft_rules_free(&rules); /* the kernel has no nf_tables */
	if (behind->out)
		go_out(behind, &rules);
	else if (is_own(behind))
		go_in(behind, &rules);
	else if ((bridge = switch_of(behind)))
		go_across(behind, &rules, bridge);
	else
		go_through(behind, &rules);
}

/* --- iptables-legacy --- */

static void find_legacy(struct behind *behind)
{
	bool ipv4 = behind->packet->family == AF_INET;
	__close_file FILE *file =
		fopen(ipv4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", "re");
	__cleanup(names_free) struct names tables = {};
	__free_text char *list = NULL;
	char line[64];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		names_add(&tables, line);
	}
	list = names_join(&tables, ", ");
	if (tables.count)
		behind_say(behind, "%s-legacy may drop it: table%s %s",
			   ipv4 ? "iptables" : "ip6tables", tables.count > 1 ? "s" : "", list);
}

/* --- the socket --- */

static bool is_any(const __u8 address[16])
{
	static const __u8 zero[16];

	return !memcmp(address, zero, sizeof(zero));
}

static bool serves_family(const struct socket_info *socket, __u8 family)
{
	return socket->family == family ||
	       (socket->family == AF_INET6 && is_any(socket->local) && !socket->only_ipv6);
}

/* True if the socket receives packets to this address by this interface. */
static bool takes(const struct behind *behind, const struct socket_info *socket)
{
	size_t size = behind->packet->family == AF_INET ? 4 : 16;

	if (socket->device && !links_comes_by(behind->links, socket->device, behind->ifindex))
		return false;
	return serves_family(socket, behind->packet->family) &&
	       (is_any(socket->local) || !memcmp(socket->local, local_of(behind), size));
}

/* "127.0.0.1", or the device that the socket is bound to; the caller frees. */
static char *elsewhere_text(const struct behind *behind, const struct socket_info *socket)
{
	const struct link *link = links_find(behind->links, socket->device);
	char address[INET6_ADDRSTRLEN];

	if (link && is_any(socket->local))
		return xasprintf("interface %s", link->name);
	inet_ntop(socket->family, socket->local, address, sizeof(address));
	return xstrdup(address);
}

static void find_socket(struct behind *behind)
{
	bool tcp = behind->packet->protocol == IPPROTO_TCP;
	__u16 port = behind->packet->destination_port;
	__u32 states = tcp ? SOCKET_STATE(TCP_LISTEN) :
			     SOCKET_STATE(TCP_CLOSE) | SOCKET_STATE(TCP_ESTABLISHED);
	const struct socket_info *elsewhere = NULL;
	struct socket_info *list = NULL;
	size_t count = 0, i;
	bool taken = sockets_list(behind->packet->protocol, states, &list, &count) != 0;

	for (i = 0; i < count && !taken; i++) {
		if (list[i].local_port != port)
			continue;
		taken = takes(behind, &list[i]);
		elsewhere = &list[i];
	}
	if (!taken && elsewhere) {
		__free_text char *where = elsewhere_text(behind, elsewhere);

		behind_say(behind, "no process takes it: the one on %u/%s listens on %s alone",
			   port, tcp ? "tcp" : "udp", where);
	} else if (!taken) {
		behind_say(behind, "no process listens on %u/%s: this host %s", port,
			   tcp ? "tcp" : "udp",
			   tcp ? "refuses the connection" : "answers that the port is unreachable");
	}
	free(list);
}

/* True if a waiting socket decides, and not a live connection. */
static bool needs_listener(const struct behind *behind)
{
	return is_own(behind) && !behind->out && behind->state == NFT_STATE_NEW &&
	       (behind->packet->protocol == IPPROTO_TCP || behind->packet->protocol == IPPROTO_UDP);
}

void behind_find(struct behind *behind)
{
	find_way(behind);
	go(behind);
	if (behind->out)
		return;
	if (!behind_is_over(behind))
		find_legacy(behind);
	if (!behind_is_over(behind) && needs_listener(behind))
		find_socket(behind);
}
