// SPDX-License-Identifier: GPL-2.0
/* Tells what else of this host decides about a packet. */
#include "loader/host/behind.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/net/local_address.h"
#include "loader/net/sockets.h"
#include "loader/net/tc.h"
#include "loader/object/tc_programs.h"

__attribute__((format(printf, 2, 3))) static void say(struct behind *behind, const char *format,
						      ...)
{
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	names_add(&behind->next, text);
}

/* True if nothing certain can be said of the rest of the packet's way. */
static bool is_over(const struct behind *behind)
{
	return behind->drops || behind->translated;
}

static const __u8 *local_of(const struct behind *behind)
{
	return behind->out ? behind->packet->source : behind->packet->destination;
}

static const __u8 *remote_of(const struct behind *behind)
{
	return behind->out ? behind->packet->destination : behind->packet->source;
}

/*
 * True if the packet is for this host, or from it; else it is forwarded. The route also knows
 * addresses that no interface has: broadcast, and those of `ip route add local`.
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

/* --- programs --- */

static void find_programs_at(struct behind *behind, const struct link *link)
{
	struct programs programs = {};
	__free_text char *text = NULL;

	programs_tcx(link->ifindex, behind->out ? TCX_EGRESS : TCX_INGRESS, &programs);
	programs_clsact(link->ifindex, behind->out ? TC_EGRESS : TC_INGRESS, &programs);
	text = programs_text(&programs, behind->egress);
	if (*text)
		say(behind, "%s: TC %s may drop it: %s", link->name,
		    behind->out ? "egress" : "ingress", text);
}

/* At the interface, and at those above it: a bridge, a bond, a VLAN. */
static void find_programs(struct behind *behind)
{
	size_t i;

	for (i = 0; i < behind->links->count && behind->ifindex; i++)
		if (links_comes_by(behind->links, behind->links->link[i].ifindex, behind->ifindex))
			find_programs_at(behind, &behind->links->link[i]);
}

/* The interface that the IP layer sees, and that of a hook of devices. */
static const struct link *link_of(const struct behind *behind, bool of_device)
{
	unsigned int ifindex =
		of_device ? behind->ifindex : links_zone(behind->links, behind->ifindex);

	return links_find(behind->links, ifindex);
}

/* --- the reverse path --- */

/* The setting in force is the higher one of the interface and of all. */
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
	const struct link *link = link_of(behind, false);
	struct route route = {};
	int filter;

	if (behind->packet->family != AF_INET || !link)
		return;
	filter = reverse_path_filter(link->name);
	if (!filter || route_find(behind->routes, AF_INET, remote_of(behind), &route))
		return;
	if (route.type == RTN_UNICAST && (filter == 2 || route.ifindex == link->ifindex))
		return;
	say(behind, "rp_filter drops it: the route back to the source %s%s",
	    route.type == RTN_UNICAST ? "does not go by " : "is missing",
	    route.type == RTN_UNICAST ? link->name : "");
	behind->drops = true;
}

/* --- forwarding --- */

static void find_forwarding(struct behind *behind)
{
	bool ipv4 = behind->packet->family == AF_INET;
	__close_file FILE *file = fopen(ipv4 ? "/proc/sys/net/ipv4/ip_forward" :
					       "/proc/sys/net/ipv6/conf/all/forwarding",
					"re");
	char local[INET6_ADDRSTRLEN];
	int on;

	if (!file || fscanf(file, "%d", &on) != 1 || on)
		return;
	inet_ntop(behind->packet->family, local_of(behind), local, sizeof(local));
	say(behind, "%s is not an address of this host, which does not forward: %s is 0", local,
	    ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding");
	behind->drops = true;
}

/* --- nftables --- */

/* A step of a packet's way, in this order. */
struct step {
	__u8 family; /* NFPROTO_*; NFPROTO_UNSPEC: inet, and that of the packet */
	__u32 hook;
	const char *name;
	bool of_device;
	bool routes; /* the packet is routed just before */
};

static const struct step way_in[] = {
	{NFPROTO_NETDEV, NF_NETDEV_INGRESS, "ingress", true, false},
	{NFPROTO_INET, NF_INET_INGRESS, "ingress", true, false},
	{NFPROTO_UNSPEC, NF_INET_PRE_ROUTING, "prerouting", false, false},
	{NFPROTO_UNSPEC, NF_INET_LOCAL_IN, "input", false, true},
};

static const struct step way_through[] = {
	{NFPROTO_NETDEV, NF_NETDEV_INGRESS, "ingress", true, false},
	{NFPROTO_INET, NF_INET_INGRESS, "ingress", true, false},
	{NFPROTO_UNSPEC, NF_INET_PRE_ROUTING, "prerouting", false, false},
	{NFPROTO_UNSPEC, NF_INET_FORWARD, "forward", false, true},
	{NFPROTO_UNSPEC, NF_INET_POST_ROUTING, "postrouting", false, false},
};

static const struct step way_out[] = {
	{NFPROTO_UNSPEC, NF_INET_LOCAL_OUT, "output", false, false},
	{NFPROTO_UNSPEC, NF_INET_POST_ROUTING, "postrouting", false, false},
	{NFPROTO_NETDEV, 1 /* NF_NETDEV_EGRESS, since 5.16 */, "egress", true, false},
};

static const char *family_name(__u8 family)
{
	switch (family) {
	case NFPROTO_INET: return "inet";
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_NETDEV: return "netdev";
	default: return "?";
	}
}

static bool is_on(const struct behind *behind, const struct step *step,
		  const struct nft_chain *chain)
{
	const struct link *link = link_of(behind, true);
	bool family =
		step->family == NFPROTO_UNSPEC ?
			chain->family == NFPROTO_INET || chain->family == behind->packet->family :
			chain->family == step->family;

	if (!chain->base || !family || chain->hook != step->hook)
		return false;
	return !step->of_device || (link && names_have(&chain->devices, link->name));
}

/* "table inet filter, chain input (input, priority 0, policy drop)"; the caller frees. */
static char *place_text(const struct step *step, const struct nft_chain *base,
			const struct nft_rule *rule)
{
	bool deeper = rule && strcmp(rule->chain, base->name);

	return xasprintf("table %s %s, chain %s%s%s (%s, priority %d, policy %s)",
			 family_name(base->family), base->table, deeper ? rule->chain : base->name,
			 deeper ? " of " : "", deeper ? base->name : "", step->name, base->priority,
			 base->policy == NF_DROP ? "drop" : "accept");
}

/* Why the packet is dropped there; the caller frees. */
static char *why_text(const struct behind *behind, const struct nft_answer *answer)
{
	char remote[INET6_ADDRSTRLEN];

	if (!answer->rule)
		return xstrdup("its policy is drop");
	if (!answer->set)
		return xasprintf("rule with handle %llu", (unsigned long long)answer->rule->handle);
	if (!answer->set_has_source)
		return xasprintf("by the set %s", answer->set->name);
	inet_ntop(behind->packet->family, behind->packet->source, remote, sizeof(remote));
	return xasprintf("%s is in the set %s", remote, answer->set->name);
}

static void ask_chain(struct behind *behind, struct nft_rules *rules, const struct step *step,
		      const struct nft_chain *chain, const struct nft_packet *packet)
{
	struct nft_answer answer = nft_walk(rules, chain, packet);
	__free_text char *place = place_text(step, chain, answer.rule);
	__free_text char *why = why_text(behind, &answer);

	switch (answer.verdict) {
	case NFT_DROPS:
		say(behind, "nftables %s it: %s: %s", answer.rejects ? "rejects" : "drops", place,
		    why);
		behind->drops = true;
		break;
	case NFT_MAY_DROP:
		say(behind, "nftables may drop it: %s: %s, with a condition that is not known here",
		    place, why);
		break;
	case NFT_PASSES:
		say(behind, "nftables %s: %s",
		    answer.translates ? "changes its destination, and later rules see the new one" :
					"lets it through",
		    place);
		break;
	}
	behind->translated |= answer.translates;
}

/* The chains of a step, by priority. */
static void ask_step(struct behind *behind, struct nft_rules *rules, const struct step *step,
		     const struct nft_packet *packet)
{
	bool *done = xcalloc(rules->chains + 1, sizeof(*done));
	size_t i;

	while (!is_over(behind)) {
		const struct nft_chain *next = NULL;

		for (i = 0; i < rules->chains; i++)
			if (!done[i] && is_on(behind, step, &rules->chain[i]) &&
			    (!next || rules->chain[i].priority < next->priority))
				next = &rules->chain[i];
		if (!next)
			break;
		done[next - rules->chain] = true;
		ask_chain(behind, rules, step, next, packet);
	}
	free(done);
}

static void find_nftables(struct behind *behind, const struct step *way, size_t steps)
{
	__cleanup(nft_rules_free) struct nft_rules rules = {};
	const struct link *link = link_of(behind, false);
	__u8 bytes[FRAME_MADE_MOST];
	struct nft_packet packet = {
		.family = behind->packet->family,
		.protocol = behind->packet->protocol,
		.bytes = bytes,
		.length = frame_make(behind->packet, PC_FRAME_IP, bytes),
		.transport = behind->packet->family == AF_INET ? 20 : 40,
		.state = behind->state,
	};
	size_t i;

	if (behind->out) {
		packet.out = link ? link->name : NULL;
		packet.out_index = link ? link->ifindex : 0;
	} else {
		packet.in = link ? link->name : NULL;
		packet.in_index = link ? link->ifindex : 0;
	}
	if (nft_read(&rules))
		nft_rules_free(&rules); /* the kernel has no nf_tables */
	for (i = 0; i < steps && !is_over(behind); i++) {
		if (way[i].routes)
			find_reverse_path(behind);
		if (way[i].routes && !is_over(behind) && !is_own(behind))
			find_forwarding(behind);
		if (!is_over(behind))
			ask_step(behind, &rules, &way[i], &packet);
	}
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
		say(behind, "%s-legacy may drop it: table%s %s", ipv4 ? "iptables" : "ip6tables",
		    tables.count > 1 ? "s" : "", list);
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

/* True if the socket takes what comes to this address by this interface. */
static bool takes(const struct behind *behind, const struct socket_info *socket)
{
	size_t size = behind->packet->family == AF_INET ? 4 : 16;

	if (socket->device && !links_comes_by(behind->links, socket->device, behind->ifindex))
		return false;
	return serves_family(socket, behind->packet->family) &&
	       (is_any(socket->local) || !memcmp(socket->local, local_of(behind), size));
}

/* "127.0.0.1", or the device that it is bound to; the caller frees. */
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

		say(behind, "no process takes it: the one on %u/%s listens on %s alone", port,
		    tcp ? "tcp" : "udp", where);
	} else if (!taken) {
		say(behind, "no process listens on %u/%s: this host %s", port, tcp ? "tcp" : "udp",
		    tcp ? "refuses the connection" : "answers that the port is unreachable");
	}
	free(list);
}

/* True if a socket that waits decides: not one of a connection that lives. */
static bool needs_listener(const struct behind *behind)
{
	return is_own(behind) && !behind->out && behind->state == NFT_STATE_NEW &&
	       (behind->packet->protocol == IPPROTO_TCP || behind->packet->protocol == IPPROTO_UDP);
}

void behind_find(struct behind *behind)
{
	if (behind->out) {
		find_nftables(behind, way_out, ARRAY_SIZE(way_out));
		if (!is_over(behind))
			find_programs(behind);
		return;
	}
	find_programs(behind);
	if (is_own(behind))
		find_nftables(behind, way_in, ARRAY_SIZE(way_in));
	else
		find_nftables(behind, way_through, ARRAY_SIZE(way_through));
	if (!is_over(behind))
		find_legacy(behind);
	if (!is_over(behind) && needs_listener(behind))
		find_socket(behind);
}
