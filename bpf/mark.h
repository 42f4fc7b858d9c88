/* SPDX-License-Identifier: GPL-2.0 */
/* Marks local ports that may have connections, so that floods to other ports cause no socket
 * look-ups. */
#ifndef PORTCULLIS_MARK_H
#define PORTCULLIS_MARK_H

#include <stdbool.h>
#include <bpf/bpf_core_read.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"

/* As in the kernel's headers of these names; see struct xdp_buff. */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

typedef struct {
	int counter;
} __attribute__((preserve_access_index)) atomic_t;

struct netns_ipv4 {
	atomic_t dev_addr_genid;
} __attribute__((preserve_access_index));

struct net {
	unsigned int dev_base_seq;
	struct ns_common ns;
	struct netns_ipv4 ipv4;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct net_device {
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

struct xdp_rxq_info {
	struct net_device *dev;
} __attribute__((preserve_access_index));

static __always_inline struct pc_marks *marks_table(void)
{
	return only_of(&marks);
}

static __always_inline void mark_port(struct pc_marks *table, __u32 port)
{
	__u8 *mark = &table->port[bounded(port, PC_PORTS - 1)];

	/* Skips a store without effect, which would take the cache line from other CPUs. */
	if (!*mark)
		*mark = 1;
}

/* The kernel's counts of interface changes in a packet's network namespace; 0: unknown. */
static __always_inline struct pc_devices devices_of(struct xdp_md *ctx)
{
	const struct xdp_buff *buff = bpf_cast_to_kern_ctx(ctx);
	const struct net *net;

	/* A kernel without network namespaces has no such pointer. */
	if (!bpf_core_field_exists(((struct net_device *)0)->nd_net.net) ||
	    !bpf_core_field_exists(((struct net *)0)->dev_base_seq) ||
	    !bpf_core_field_exists(((struct net *)0)->ipv4.dev_addr_genid.counter))
		return (struct pc_devices){};
	net = buff->rxq->dev->nd_net.net;
	return (struct pc_devices){.changes = net->dev_base_seq,
				   .ups = net->ipv4.dev_addr_genid.counter,
				   .netns = net->ns.inum};
}

/*
 * Checks whether marks are trusted, and refills this CPU's look-ups without a mark for a jiffy. A
 * global function, because it is rarely called.
 */
__noinline __u32 mark_spare(struct xdp_md *ctx)
{
	struct pc_devices devices = devices_of(ctx);
	const struct pc_marks *table = marks_table();

	if (!table || !devices.changes || table->devices.changes != devices.changes ||
	    table->devices.netns != devices.netns ||
	    (table->devices.ups != devices.ups && !table->any_ups))
		return PC_SPARE_ALL;
	return table->looks;
}

/*
 * Whether a packet to this port (PC_PORT) needs no socket look-up. A global function, so that the
 * verifier does not follow its paths through the code behind it.
 */
__noinline int mark_skips(struct xdp_md *ctx, __u32 port)
{
	__u32 key = own_row() + PC_PAGE_WIDE, jiffy;
	const struct pc_marks *table = marks_table();
	struct pc_spare *spare;
	struct pc_page *page;

	if (!table || table->port[bounded(port, PC_PORTS - 1)])
		return false;
	page = bpf_map_lookup_elem(&counters, &key);
	if (!page)
		return false;
	/* Otherwise clang 19 adds to the pointer before it tests it, which the verifier refuses. */
	asm volatile("" : "+r"(page));
	spare = (struct pc_spare *)&page->word[PC_TOTAL_WIDE(PC_CELL_SPARE)];
	jiffy = bpf_jiffies64();
	if (spare->jiffy != jiffy) {
		spare->left = mark_spare(ctx);
		spare->jiffy = jiffy;
	}
	if (!spare->left)
		return true;
	if (spare->left != PC_SPARE_ALL)
		spare->left--;
	return false;
}

/*
 * Marks the port of a packet whose socket was found: the look-up may have been made without a mark.
 * Takes the port from the key, which is on the stack, so it needs no stack itself.
 */
static __always_inline void mark_found(const struct pc_flow *flow)
{
	__be16 port = flow->family == 6 ? flow->ipv6.local_port : flow->ipv4.local_port;
	struct pc_marks *table = marks_table();

	if (table)
		mark_port(table, PC_PORT(flow->protocol == PROTOCOL_TCP ? PC_TCP : PC_UDP,
					 bpf_ntohs(port)));
}

#define SOCKET_RAW 3 /* SOCK_RAW of linux/net.h */

/* Given to mark_sent instead of a port: the packet has no port, or must leave no mark. */
#define MARK_OTHER PC_PORTS
#define MARK_NOT   (PC_PORTS + 1)

/* The port that an outgoing packet marks. A RST leaves no mark: it answers a scan. */
static __always_inline __u32 mark_port_of(const struct packet *packet, enum parsed parsed)
{
	if (parsed != PARSED_PORT)
		return MARK_OTHER;
	return packet->tcp & TCP_RST ? MARK_NOT : PC_PORT(packet->transport, packet->local_port);
}

/* The socket's own port, if it is a TCP or UDP socket. A socket that is not a full one is TCP. */
static __always_inline void mark_own(struct pc_marks *table, struct bpf_sock *socket)
{
	__u32 port = socket->src_port, transport = PC_TCP;
	const struct bpf_sock *full = bpf_sk_fullsock(socket);

	if (full && (full->type == SOCKET_RAW ||
		     (full->protocol != PROTOCOL_TCP && full->protocol != PROTOCOL_UDP)))
		return;
	if (full && full->protocol == PROTOCOL_UDP)
		transport = PC_UDP;
	mark_port(table, PC_PORT(transport, port));
}

/*
 * Marks the port of a packet that this host sends. The socket has another one where NAT changed the
 * packet, or where its headers are not those of the connection: in a tunnel, with IPsec, with
 * labels of MPLS. A SYN-ACK has a request socket, which is not a full one, or none (SYN cookies). A
 * global function, because its caller has a full stack.
 */
__noinline int mark_sent(struct __sk_buff *skb, __u32 port)
{
	struct pc_marks *table = marks_table();
	struct bpf_sock *socket = skb->sk;

	if (!table || port == MARK_NOT)
		return 0;
	if (port < PC_PORTS && (socket || !skb->ingress_ifindex))
		mark_port(table, port);
	if (socket && (port >= PC_PORTS || socket->src_port != (__u16)port))
		mark_own(table, socket);
	return 0;
}

#endif
