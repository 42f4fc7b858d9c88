/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keep state: verdict line 7, and what egress learns for it. The kernel's sockets are asked first
 * where they can answer; `flows` holds the rest.
 */
#ifndef PORTCULLIS_FLOW_H
#define PORTCULLIS_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/table.h"

/* `seen` is written again after this long: fewer dirty cache lines. */
#define FLOW_TOUCH PC_SECOND

/* Fills the key of a packet; false if its addresses cannot be read. */
static __always_inline bool flow_key(const struct packet *packet, struct pc_flow *flow)
{
	__be16 remote_port = bpf_htons(packet->remote_port);
	__be16 local_port = bpf_htons(packet->local_port);
	const __be32 *source; /* the destination follows */
	__be32 buffer[8];
	/* What comes in is copied to where it goes anyway: the stack is short. */
	__be32 *into = packet->outward ? buffer : flow->ipv6.remote;

	__builtin_memset(flow, 0, sizeof(*flow));
	flow->protocol = packet->protocol;
	if (packet->ipv6) {
		if (!packet_read_ip(packet, offsetof(struct ipv6hdr, saddr), 32, into,
				    (const void **)&source))
			return false;
		flow->family = 6;
		__builtin_memcpy(flow->ipv6.remote, packet->outward ? source + 4 : source, 16);
		__builtin_memcpy(flow->ipv6.local, packet->outward ? source : source + 4, 16);
		flow->ipv6.remote_port = remote_port;
		flow->ipv6.local_port = local_port;
		if (is_link_local6(flow->ipv6.remote[0]) || is_link_local6(flow->ipv6.local[0]))
			flow->link = packet->link;
	} else {
		if (!packet_read_ip(packet, offsetof(struct iphdr, saddr), 8, into,
				    (const void **)&source))
			return false;
		flow->family = 4;
		flow->ipv4.remote = packet->outward ? source[1] : source[0];
		flow->ipv4.local = packet->outward ? source[0] : source[1];
		flow->ipv4.remote_port = remote_port;
		flow->ipv4.local_port = local_port;
	}
	return true;
}

static __always_inline bool is_icmp(const struct packet *packet)
{
	return packet->protocol == (packet->ipv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP);
}

/* A request: RFC 792; RFC 4443. */
static __always_inline bool is_echo(const struct packet *packet)
{
	return is_icmp(packet) && packet->icmp_type == (packet->ipv6 ? 128 : 8);
}

/* Signed: the loader's clock may be a tick ahead of the coarse one. */
static __always_inline bool flow_alive(const struct pc_flow *flow,
				       const struct pc_flow_state *state, __u64 at)
{
	return (__s64)(at - state->seen) < (__s64)pc_flow_lifetime(flow->protocol, state->flags);
}

/* A TCP socket that is no listener, or a UDP socket connected to this very peer. */
static __always_inline bool flow_socket(void *ctx, struct pc_flow *flow)
{
	struct bpf_sock_tuple *tuple = (void *)flow;
	__u32 size = flow->family == 6 ? sizeof(tuple->ipv6) : sizeof(tuple->ipv4);
	struct bpf_sock *socket;
	bool live;

	if (flow->protocol == PROTOCOL_TCP) {
		socket = bpf_skc_lookup_tcp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);
		if (!socket)
			return false;
		live = socket->state != BPF_TCP_LISTEN;
	} else {
		socket = bpf_sk_lookup_udp(ctx, tuple, size, BPF_F_CURRENT_NETNS, 0);
		if (!socket)
			return false;
		live = socket->state == BPF_TCP_ESTABLISHED;
	}
	bpf_sk_release(socket);
	return live;
}

/* How flow_live is asked: the IP protocol, and these. */
#define FLOW_IPV6  0x100
#define FLOW_FIN   0x200
#define FLOW_RESET 0x400

static __always_inline __u32 flow_how(const struct packet *packet)
{
	return packet->protocol | (packet->ipv6 ? FLOW_IPV6 : 0) |
	       (packet->tcp_flags & TCP_FLAG_FIN ? FLOW_FIN : 0) |
	       (packet->tcp_flags & TCP_FLAG_RST ? FLOW_RESET : 0);
}

/* 64 jiffies, 0.64 s at most; one comes again after 12 days at least. */
static __always_inline __u32 flow_slot(void)
{
	return bpf_jiffies64() >> 6 & 0xffffff;
}

/*
 * Whether a known flow lives, and if so notes that it was seen. The clock costs 15 ns, so it is
 * asked once a slot; in between the flow lives as it did.
 */
static __always_inline bool flow_touch(const struct pc_flow *flow, struct pc_flow_state *state)
{
	__u32 slot = flow_slot();
	__u64 at;

	if (slot == state->slot)
		return true;
	at = now();
	if (!flow_alive(flow, state, at))
		return false;
	state->slot = slot;
	if ((__s64)(at - state->seen) > (__s64)FLOW_TOUCH)
		state->seen = at;
	return true;
}

/* Marks what the remote side did. Another CPU may do so too: the worst is a mark made later. */
static __always_inline void flow_heard(struct pc_flow_state *state, __u32 how)
{
	__u8 flags = state->flags | PC_FLOW_REPLIED;

	if (how & FLOW_FIN)
		flags |= PC_FLOW_FIN_IN;
	if (how & FLOW_RESET)
		flags |= PC_FLOW_RESET_IN;
	if (flags != state->flags)
		state->flags = flags;
}

/* Only a look: nobody was heard. */
static __always_inline bool flow_is_learned(const struct pc_flow *flow)
{
	const struct pc_flow_state *state = bpf_map_lookup_elem(&flows, flow);

	return state && flow_alive(flow, state, now());
}

static __always_inline bool flow_answers(const struct pc_flow *flow, __u32 how)
{
	struct pc_flow_state *state = bpf_map_lookup_elem(&flows, flow);

	if (!state || !flow_touch(flow, state))
		return false;
	flow_heard(state, how);
	return true;
}

static __always_inline bool flow_learned(const struct pc_flow *flow, __u32 how, bool quoted)
{
	return quoted ? flow_is_learned(flow) : flow_answers(flow, how);
}

/* Of an echo, which has no port: those of UDP. */
static __always_inline __u8 *learned_at(const struct packet *packet)
{
	__u32 zero = 0, index = pc_learned_index(packet->protocol, packet->local_port);
	struct pc_learned *marks = bpf_map_lookup_elem(&learned, &zero);

	return marks ? &marks->port[bounded(index, sizeof(marks->port) - 1)] : NULL;
}

/* Whether `flows` may have a flow of the packet's local port. */
static __always_inline bool flow_possible(const struct packet *packet)
{
	const __u8 *mark = learned_at(packet);

	return mark && *mark;
}

/*
 * Where the IP header is, and the link. 16 bits of each; the offset is below 8,192.
 */
static __always_inline __u32 flow_where(const struct packet *packet)
{
	return packet->link << 16 | packet->ip;
}

/* Fills what the key is read from. `ports`: remote << 16 | local, host order. */
static __always_inline void flow_packet(struct packet *packet, struct xdp_md *ctx, __u32 where,
					__u32 ports, __u32 how)
{
	packet_start(packet, ctx);
	packet->ip = where & 0x1fff;
	packet->link = where >> 16;
	packet->remote_port = ports >> 16;
	packet->local_port = ports;
	packet->protocol = how;
	packet->ipv6 = !!(how & FLOW_IPV6);
	packet->gather = true;
}

/* Asks the kernel's sockets and the learned flows, in the order in which they are likely to know.
 */
static __always_inline bool flow_lookup(const struct packet *packet, __u32 how)
{
	struct pc_flow flow;

	if (!flow_key(packet, &flow))
		return false;
	if (flow.protocol == PROTOCOL_TCP && flow_socket(packet->ctx, &flow))
		return true;
	if (flow_possible(packet) && flow_learned(&flow, how, packet->outward))
		return true;
	return flow.protocol == PROTOCOL_UDP && flow_socket(packet->ctx, &flow);
}

/*
 * Whether the packet that is `where` belongs to a live flow. A global function, which is
 * verified once; it takes scalars, for older verifiers take nothing else.
 */
__noinline int flow_live(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {};

	flow_packet(&packet, ctx, where, ports, how);
	return flow_lookup(&packet, how);
}

/* The same of a packet that went out, as an ICMP error quotes it. */
__noinline int flow_quoted(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {.outward = true};

	flow_packet(&packet, ctx, where, ports, how);
	return flow_lookup(&packet, how);
}

/* Whether an open port sent the quoted packet in a large datagram of late. */
__noinline int flow_large_quoted(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {.outward = true};
	struct pc_flow flow;
	const __u64 *seen;

	flow_packet(&packet, ctx, where, ports, how);
	if (!flow_key(&packet, &flow))
		return false;
	seen = bpf_map_lookup_elem(&large, &flow);
	return seen && (__s64)(now() - *seen) < (__s64)PC_LARGE_LIFETIME;
}

static __always_inline __u32 flow_ports(const struct packet *packet)
{
	return (__u32)packet->remote_port << 16 | packet->local_port;
}

static __always_inline bool flow_of_packet(const struct packet *packet)
{
	if (packet->outward)
		return flow_quoted(packet->ctx, flow_where(packet), flow_ports(packet),
				   flow_how(packet));
	/* In line for the usual frame: a call is 7 ns more. */
	if (!packet->gather)
		return flow_lookup(packet, flow_how(packet));
	return flow_live(packet->ctx, flow_where(packet), flow_ports(packet), flow_how(packet));
}

/* A SYN without ACK begins a connection: it is no reply to anything. */
static __always_inline bool is_syn(const struct packet *packet)
{
	return packet->transport == PC_TCP &&
	       (packet->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
}

/* The word of a port in `strangers`. */
static __always_inline __u32 *strangers_at(const struct packet *packet)
{
	__u32 transport = packet->protocol == PROTOCOL_UDP ? PC_UDP : PC_TCP;
	__u32 port = PC_PORT(transport, packet->local_port);

	return bpf_map_lookup_elem(&strangers, &port);
}

static __always_inline __u32 strangers_window(__u64 at)
{
	return at / PC_OBSERVED_LIFETIME & (~0u >> PC_STRANGERS_WINDOW);
}

/* CPUs that count at once lose some: a crowd is one all the same. */
static __always_inline void strangers_count(__u32 *word, __u32 window)
{
	__u32 old = *word;
	bool crowd = (old & PC_STRANGERS_COUNT) >= PC_CROWD;

	if (old >> PC_STRANGERS_WINDOW == window) {
		if ((old & PC_STRANGERS_COUNT) < PC_STRANGERS_COUNT)
			*word = old + 1;
		return;
	}
	crowd = crowd && old >> PC_STRANGERS_WINDOW == window - 1;
	*word = window << PC_STRANGERS_WINDOW | (crowd ? PC_STRANGERS_BEFORE : 0) | 1;
}

static __always_inline bool strangers_crowd(__u32 word, __u32 window)
{
	__u32 ago = window - (word >> PC_STRANGERS_WINDOW);

	return (ago <= 1 && (word & PC_STRANGERS_COUNT) >= PC_CROWD) ||
	       (ago == 0 && word & PC_STRANGERS_BEFORE);
}

/* Notes a packet that passes only by observe, so that its answer is not learned. */
__noinline int flow_observed(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {};
	struct pc_flow flow;
	__u64 at = now();
	__u32 *word;

	flow_packet(&packet, ctx, where, ports, how);
	if (flow_key(&packet, &flow))
		bpf_map_update_elem(&observed, &flow, &at, BPF_ANY);
	word = strangers_at(&packet);
	if (word)
		strangers_count(word, strangers_window(at));
	return 0;
}

/* --- egress --- */

static __always_inline bool is_multicast(const struct pc_flow *flow)
{
	__u8 first;

	if (flow->family == 6)
		return is_multicast6(flow->ipv6.remote[0]);
	first = bpf_ntohl(flow->ipv4.remote) >> 24;
	return first >> 4 == 14 || flow->ipv4.remote == bpf_htonl(0xffffffff);
}

/* Whether a packet answers one that passed only by observe a moment ago, or may do so. */
static __always_inline bool answers_observed(const struct packet *packet,
					     const struct pc_flow *flow, __u64 at)
{
	const __u64 *seen = bpf_map_lookup_elem(&observed, flow);
	const __u32 *word;

	if (seen && (__s64)(at - *seen) < (__s64)PC_OBSERVED_LIFETIME)
		return true;
	word = strangers_at(packet);
	return word && strangers_crowd(*word, strangers_window(at));
}

/* The socket that sent it; NULL for what is forwarded, and for what the kernel sends by itself. */
static __always_inline struct bpf_sock *sender(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	return socket ? bpf_sk_fullsock(socket) : NULL;
}

/*
 * Whether a packet came from another interface. One that comes back out of the interface by which
 * it came in, or of one below that, is a stranger's: its answer is not learned.
 */
static __always_inline bool is_forwarded(const struct packet *packet,
					 const struct pc_generation *generation,
					 struct __sk_buff *skb)
{
	__u32 from = skb->ingress_ifindex;
	int i;

	if (!from || from == packet->ifindex)
		return false;
#pragma clang loop unroll(full)
	for (i = 0; i < PC_UPPERS; i++)
		if (generation->upper[i] == from)
			return false;
	return true;
}

/*
 * Whether the socket's addresses and ports are not the packet's: address translation, or a raw
 * socket. Volatile: from a merged load the verifier would not know the field.
 */
static __always_inline bool is_translated(const struct packet *packet, const struct pc_flow *flow,
					  const volatile struct bpf_sock *socket)
{
	__u32 ports = (socket->src_port ^ packet->local_port) |
		      (socket->dst_port ^ bpf_htons(packet->remote_port));
	__u32 ipv4 = (socket->src_ip4 ^ flow->ipv4.local) | (socket->dst_ip4 ^ flow->ipv4.remote);
	__u32 ipv6 = (socket->src_ip6[0] ^ flow->ipv6.local[0]) |
		     (socket->src_ip6[1] ^ flow->ipv6.local[1]) |
		     (socket->src_ip6[2] ^ flow->ipv6.local[2]) |
		     (socket->src_ip6[3] ^ flow->ipv6.local[3]) |
		     (socket->dst_ip6[0] ^ flow->ipv6.remote[0]) |
		     (socket->dst_ip6[1] ^ flow->ipv6.remote[1]) |
		     (socket->dst_ip6[2] ^ flow->ipv6.remote[2]) |
		     (socket->dst_ip6[3] ^ flow->ipv6.remote[3]);

	return ports | (packet->ipv6 ? ipv6 : ipv4);
}

/*
 * Whether ingress could find no socket for the answer: it is bound to a device (whose index the
 * lookup may not have: that of a bridge above, of a bond's member below), its addresses are
 * translated on the way, or it is a guest's in another network namespace (macvlan).
 */
static __always_inline bool tcp_needs_learning(const struct packet *packet,
					       const struct pc_generation *generation,
					       struct __sk_buff *skb, struct pc_flow *flow)
{
	const struct bpf_sock *socket = sender(skb);

	if (!socket)
		return generation->forward && is_forwarded(packet, generation, skb);
	if (socket->bound_dev_if)
		return true;
	if (!is_translated(packet, flow, socket) && !generation->forward)
		return false;
	return !flow_socket(skb, flow);
}

/* The same of UDP, and of sockets that are not connected. Tunnels of the kernel send without one.
 */
static __always_inline bool udp_needs_learning(const struct packet *packet,
					       const struct pc_generation *generation,
					       struct __sk_buff *skb, struct pc_flow *flow)
{
	struct bpf_sock_tuple *tuple = (void *)flow;
	__u32 size = packet->ipv6 ? sizeof(tuple->ipv6) : sizeof(tuple->ipv4);
	struct bpf_sock *socket = sender(skb);

	if (socket) {
		if (socket->protocol != PROTOCOL_UDP || socket->state != BPF_TCP_ESTABLISHED ||
		    socket->bound_dev_if)
			return true;
		if (!is_translated(packet, flow, socket) && !generation->forward)
			return false;
		return !flow_socket(skb, flow);
	}
	if (skb->ingress_ifindex)
		return generation->forward && is_forwarded(packet, generation, skb);
	socket = bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (socket)
		bpf_sk_release(socket);
	return !!socket;
}

/* Whether an interface of the network namespace opens the local port to anyone. */
static __always_inline bool is_open_port(const struct packet *packet)
{
	__u32 port = PC_PORT(packet->transport, packet->local_port), word = port / 64;
	const __u64 *open = bpf_map_lookup_elem(&open_ports, &word);

	return open && *open >> port % 64 & 1;
}

/* Whether an answer of a port or of an echo request may be learned at all. */
static __always_inline bool may_learn(const struct packet *packet,
				      const struct pc_generation *generation, enum parsed parsed,
				      struct __sk_buff *skb, const struct pc_flow *flow, __u64 at)
{
	if (packet->tcp_flags & TCP_FLAG_RST || is_multicast(flow))
		return false;
	if (parsed != PARSED_PORT)
		return skb->sk || (generation->forward && is_forwarded(packet, generation, skb));
	if (table_admit(packet, generation) == ADMIT_PASS)
		return false;
	if (!skb->ingress_ifindex && is_open_port(packet))
		return false;
	return !answers_observed(packet, flow, at);
}

/*
 * Notes a large datagram of an open port. A rule that asks for source ports is none: the kernel's
 * DHCP client would be enough to lower the path MTU of any address.
 */
static __always_inline void flow_large(const struct packet *packet,
				       const struct pc_generation *generation,
				       const struct pc_flow *flow, __u64 at)
{
	__u64 *seen;

	if (packet->end - packet->at <= PC_LARGE + sizeof(struct udphdr) || is_multicast(flow) ||
	    !table_any_source(packet, generation) || table_admit(packet, generation) != ADMIT_PASS)
		return;
	seen = bpf_map_lookup_elem(&large, flow);
	if (!seen)
		bpf_map_update_elem(&large, flow, &at, BPF_ANY);
	else if ((__s64)(at - *seen) > (__s64)FLOW_TOUCH)
		*seen = at;
}

/* What this side did in a flow that is known. */
static __always_inline void flow_spoke(const struct packet *packet, struct pc_flow_state *state)
{
	__u8 flags = state->flags & ~(PC_FLOW_RESET | PC_FLOW_RESET_IN);

	if (is_syn(packet))
		flags = 0;
	if (packet->tcp_flags & TCP_FLAG_RST)
		flags |= PC_FLOW_RESET;
	if (packet->tcp_flags & TCP_FLAG_FIN)
		flags |= PC_FLOW_FIN_OUT;
	if (flags != state->flags)
		state->flags = flags;
}

/*
 * Learns the flow of a packet that goes out, if its answer would find neither an open port nor a
 * socket. A flood from outside must not get in here: not by answers of an open port, nor by answers
 * to what passed only by observe.
 */
static __always_inline void flow_learn(const struct packet *packet,
				       const struct pc_generation *generation, enum parsed parsed,
				       struct __sk_buff *skb)
{
	struct pc_flow_state *known, state = {.ifindex = packet->ifindex};
	struct pc_flow flow;
	__u8 *mark;
	__u64 at;

	if (parsed != PARSED_PORT && !(parsed == PARSED_PACKET && is_echo(packet)))
		return;
	if (!flow_key(packet, &flow))
		return;
	if (packet->protocol == PROTOCOL_TCP && !tcp_needs_learning(packet, generation, skb, &flow))
		return;
	known = bpf_map_lookup_elem(&flows, &flow);
	if (known && flow_touch(&flow, known)) {
		flow_spoke(packet, known);
		return;
	}
	at = now();
	if (packet->protocol == PROTOCOL_UDP)
		flow_large(packet, generation, &flow, at);
	if (packet->protocol == PROTOCOL_UDP && !udp_needs_learning(packet, generation, skb, &flow))
		return;
	if (!may_learn(packet, generation, parsed, skb, &flow, at))
		return;
	if (packet->tcp_flags & TCP_FLAG_FIN)
		state.flags = PC_FLOW_FIN_OUT;
	state.seen = at;
	state.slot = flow_slot();
	bpf_map_update_elem(&flows, &flow, &state, BPF_ANY);
	mark = learned_at(packet);
	if (mark && !*mark)
		*mark = 1;
}

#endif
