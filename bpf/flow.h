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
	/* The destination follows; copied to where it goes anyway: the stack is short. */
	const __be32 *source;

	__builtin_memset(flow, 0, sizeof(*flow));
	flow->protocol = packet->protocol;
	if (packet->ipv6) {
		__be32 from[4];

		if (!packet_read_ip(packet, offsetof(struct ipv6hdr, saddr), 32, flow->ipv6.remote,
				    (const void **)&source))
			return false;
		flow->family = 6;
		if (packet->outward) {
			__builtin_memcpy(from, source, 16);
			__builtin_memcpy(flow->ipv6.remote, source + 4, 16);
			__builtin_memcpy(flow->ipv6.local, from, 16);
		} else {
			__builtin_memcpy(flow->ipv6.remote, source, 16);
			__builtin_memcpy(flow->ipv6.local, source + 4, 16);
		}
		flow->ipv6.remote_port = remote_port;
		flow->ipv6.local_port = local_port;
		if (is_link_local6(flow->ipv6.remote[0]) || is_link_local6(flow->ipv6.local[0]))
			flow->link = packet->link;
	} else {
		__be32 from;

		if (!packet_read_ip(packet, offsetof(struct iphdr, saddr), 8, flow->ipv6.remote,
				    (const void **)&source))
			return false;
		flow->family = 4;
		from = source[0];
		flow->ipv4.remote = packet->outward ? source[1] : from;
		flow->ipv4.local = packet->outward ? from : source[1];
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
	       (packet->tcp & TCP_FIN ? FLOW_FIN : 0) | (packet->tcp & TCP_RST ? FLOW_RESET : 0);
}

/*
 * The lower part is never 0, which a state has that nobody has looked at: jiffies pass it five
 * minutes after boot (INITIAL_JIFFIES of the kernel).
 */
static __always_inline __u64 flow_slot(void)
{
	__u64 slot = bpf_jiffies64() >> 6;

	return slot & PC_SLOT_MASK ? slot : slot - 1;
}

/*
 * Behind each of several look-ups, keeps the compiler from making one of them, in a map that is
 * chosen before: only a look-up in one map is put in line by the verifier. 10 ns a packet.
 */
#define look_up_apart(number) asm volatile("" : : "i"(number))

static __always_inline struct pc_flow_state *flow_find(const struct pc_flow *flow, bool *assured)
{
	struct pc_flow_state *state = NULL;

	if (flow->protocol == PROTOCOL_TCP) {
		state = bpf_map_lookup_elem(&connections, flow);
		look_up_apart(1);
	} else if (flow->protocol == PROTOCOL_UDP) {
		state = bpf_map_lookup_elem(&streams, flow);
		look_up_apart(2);
	}
	*assured = state;
	return state ? state : bpf_map_lookup_elem(&flows, flow);
}

static __always_inline void flow_forget_assured(const struct pc_flow *flow)
{
	if (flow->protocol == PROTOCOL_TCP)
		bpf_map_delete_elem(&connections, flow);
	else
		bpf_map_delete_elem(&streams, flow);
}

/* From `flows` to where nothing that is not assured can evict it. */
static __always_inline void flow_assure_here(const struct pc_flow *flow,
					     const struct pc_flow_state *known)
{
	struct pc_flow_state state = {.seen = known->seen,
				      .ifindex = known->ifindex,
				      .flags = known->flags | PC_FLOW_ASSURED};

	if (flow->protocol == PROTOCOL_TCP)
		bpf_map_update_elem(&connections, flow, &state, BPF_ANY);
	else
		bpf_map_update_elem(&streams, flow, &state, BPF_ANY);
	bpf_map_delete_elem(&flows, flow);
}

/* Back to `flows`: it is over. First there, so that it is always found. */
static __always_inline void flow_close_here(const struct pc_flow *flow,
					    const struct pc_flow_state *known)
{
	struct pc_flow_state state = {
		.seen = known->seen, .ifindex = known->ifindex, .flags = known->flags};

	bpf_map_update_elem(&flows, flow, &state, BPF_ANY);
	flow_forget_assured(flow);
}

/* Both are rare: apart from the usual path, but not where the chain of calls is deep already. */
static __noinline int flow_assure(const struct pc_flow *flow, const struct pc_flow_state *known)
{
	flow_assure_here(flow, known);
	return 0;
}

static __noinline int flow_close(const struct pc_flow *flow, const struct pc_flow_state *known)
{
	flow_close_here(flow, known);
	return 0;
}

/*
 * Whether a known flow lives, and if so notes that it was seen. The clock costs 15 ns, so it is
 * asked once a slot of an assured one; in between that lives as it did.
 */
static __always_inline bool flow_touch(const struct pc_flow *flow, struct pc_flow_state *state,
				       bool assured)
{
	__u64 slot = flow_slot(), at, seen;

	if (assured && pc_looked(state, slot))
		return true;
	at = now();
	if (!flow_alive(flow, state, at))
		return false;
	seen = state->seen;
	if ((__s64)(at - seen) > (__s64)FLOW_TOUCH)
		seen = at;
	if (assured)
		pc_look(state, slot, seen);
	else if (seen != state->seen)
		state->seen = seen;
	return true;
}

static __always_inline __u32 flow_since(__u64 at)
{
	return at >> PC_SINCE_SHIFT & PC_SLOT_MASK;
}

/* UDP of both sides that has gone on for a while. */
static __always_inline bool flow_is_stream(const struct pc_flow *flow,
					   const struct pc_flow_state *state)
{
	__u32 age;

	if (flow->protocol != PROTOCOL_UDP || !(state->flags & PC_FLOW_REPLIED))
		return false;
	age = flow_since(now()) - state->slot;
	return (age & PC_SLOT_MASK) >= PC_STREAM_AGE;
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

/* Does not refresh the flow: the packet was quoted in an ICMP error, not sent by the peer. */
static __always_inline bool flow_is_learned(const struct pc_flow *flow)
{
	bool assured;
	const struct pc_flow_state *state = flow_find(flow, &assured);

	return state && flow_alive(flow, state, now());
}

/* `heard`: TCP_SEQUENCE. */
static __always_inline bool flow_answers(const struct pc_flow *flow, __u32 how, __u32 heard,
					 bool deep)
{
	bool assured, stream;
	struct pc_flow_state *state = flow_find(flow, &assured);

	if (!state || !flow_touch(flow, state, assured))
		return false;
	stream = !assured && flow_is_stream(flow, state);
	flow_heard(state, how);
	if (assured) {
		if (flow->protocol == PROTOCOL_TCP && pc_flow_closed(state->flags))
			deep ? flow_close_here(flow, state) : (void)flow_close(flow, state);
	} else if (flow->protocol == PROTOCOL_TCP) {
		state->slot = heard;
	} else if (stream) {
		deep ? flow_assure_here(flow, state) : (void)flow_assure(flow, state);
	}
	return true;
}

static __always_inline bool flow_learned(const struct pc_flow *flow, __u32 how, __u32 heard,
					 const struct packet *packet)
{
	return packet->outward ? flow_is_learned(flow) :
				 flow_answers(flow, how, heard, packet->gather);
}

/* Echo flows have no port. They share the marks of UDP, by identifier. */
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
	return (__u32)packet->link << 16 | packet->ip;
}

/* Fills what the key is read from. `ports`: remote << 16 | local, host order. */
static __always_inline void flow_fill(struct packet *packet, __u32 where, __u32 ports, __u32 how)
{
	packet->ip = where & 0x1fff;
	packet->link = where >> 16;
	packet->remote_port = ports >> 16;
	packet->local_port = ports;
	packet->protocol = how;
	packet->ipv6 = !!(how & FLOW_IPV6);
}

static __always_inline void flow_packet(struct packet *packet, struct xdp_md *ctx, __u32 where,
					__u32 ports, __u32 how)
{
	packet_start(packet, ctx);
	flow_fill(packet, where, ports, how);
	packet->gather = true;
}

/* Asks the kernel's sockets and the learned flows, in the order in which they are likely to know.
 */
static __always_inline bool flow_lookup(const struct packet *packet, __u32 how, __u32 heard)
{
	struct pc_flow flow;

	if (!flow_key(packet, &flow))
		return false;
	if (flow.protocol == PROTOCOL_TCP && flow_socket(packet->ctx, &flow))
		return true;
	if (flow_possible(packet) && flow_learned(&flow, how, heard, packet))
		return true;
	return flow.protocol == PROTOCOL_UDP && flow_socket(packet->ctx, &flow);
}

/*
 * Whether the packet that is `where` belongs to a live flow. A global function, which is
 * verified once; it takes scalars, for older verifiers take nothing else.
 */
__noinline int flow_live(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how, __u32 heard)
{
	struct packet packet = {};

	flow_packet(&packet, ctx, where, ports, how);
	return flow_lookup(&packet, how, heard);
}

/* The same of a packet that went out, as an ICMP error quotes it. */
__noinline int flow_quoted(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {.outward = true};

	flow_packet(&packet, ctx, where, ports, how);
	return flow_lookup(&packet, how, 0);
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

static __always_inline __u32 flow_sequence(const struct packet *packet)
{
	return TCP_SEQUENCE(packet->tcp);
}

static __always_inline bool flow_of_packet(const struct packet *packet)
{
	if (packet->outward)
		return flow_quoted(packet->ctx, flow_where(packet), flow_ports(packet),
				   flow_how(packet));
	/* In line for the usual frame: a call is 7 ns more. */
	if (!packet->gather)
		return flow_lookup(packet, flow_how(packet), flow_sequence(packet));
	return flow_live(packet->ctx, flow_where(packet), flow_ports(packet), flow_how(packet),
			 flow_sequence(packet));
}

/* A SYN without ACK begins a connection: it is no reply to anything. */
static __always_inline bool is_syn(const struct packet *packet)
{
	return packet->transport == PC_TCP && (packet->tcp & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* --- tuples that came in --- */

static __always_inline struct pc_came_in *came_in_table(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&came_in, &zero);
}

/* Notes a packet whose answer is not to be learned. */
__noinline int flow_came_in(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct pc_came_in *table = came_in_table();
	__u32 by_port, by_tuple;
	struct packet packet = {};
	struct pc_flow flow;
	__u16 epoch;

	if (!table)
		return 0;
	flow_packet(&packet, ctx, where, ports, how);
	if (!flow_key(&packet, &flow))
		return 0;
	pc_came_cells(&flow, table->secret, &by_port, &by_tuple);
	by_port = bounded(by_port, PC_CAME_CELLS - 1);
	by_tuple = bounded(by_tuple, PC_CAME_CELLS - 1);
	epoch = pc_came_epoch(now());
	/* A store would take the line from other CPUs. */
	if (table->by_port[by_port] != epoch)
		table->by_port[by_port] = epoch;
	if (table->by_tuple[by_tuple] != epoch)
		table->by_tuple[by_tuple] = epoch;
	return 0;
}

enum came {
	CAME_NOT,
	CAME_LATELY,
	CAME_JUST_NOW,
};

/* Whether what is sent may answer a packet that came in. */
static __always_inline enum came flow_came(const struct pc_flow *flow, __u64 at)
{
	const struct pc_came_in *table = came_in_table();
	__u16 epoch = pc_came_epoch(at), one, other;
	__u32 by_port, by_tuple;

	if (!table)
		return CAME_JUST_NOW;
	pc_came_cells(flow, table->secret, &by_port, &by_tuple);
	one = table->by_port[bounded(by_port, PC_CAME_CELLS - 1)];
	other = table->by_tuple[bounded(by_tuple, PC_CAME_CELLS - 1)];
	if (!pc_came_within(one, epoch, PC_CAME_LATELY) ||
	    !pc_came_within(other, epoch, PC_CAME_LATELY))
		return CAME_NOT;
	return pc_came_within(one, epoch, PC_CAME_JUST) &&
			       pc_came_within(other, epoch, PC_CAME_JUST) ?
		       CAME_JUST_NOW :
		       CAME_LATELY;
}

/* Whether UDP may go on since before the filter. */
static __always_inline bool is_from_before(const struct packet *packet,
					   const struct pc_generation *generation,
					   const struct __sk_buff *skb, __u64 at)
{
	const struct pc_came_in *table = came_in_table();

	if (packet->protocol != PROTOCOL_UDP || (__s64)(generation->grace - at) <= 0 || !table)
		return false;
	return skb->ingress_ifindex ||
	       table->begun[packet->local_port / 64] >> packet->local_port % 64 & 1;
}

/* Whether another interface has a filter, out of which a packet that passes may be answered. */
static __always_inline bool has_other_filters(void)
{
	__u32 zero = 0;
	const struct pc_shared *namespace = bpf_map_lookup_elem(&shared, &zero);

	return namespace && namespace->several;
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

/* The socket that sent it; NULL for what is forwarded, and for what the kernel sends by itself. */
static __always_inline struct bpf_sock *sender(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	return socket ? bpf_sk_fullsock(socket) : NULL;
}

/*
 * Whether IPsec has decrypted the packet: its sender is a peer of this host's, not a stranger.
 * Rare, and a global function, for its callers have little stack.
 */
__noinline int is_decrypted(struct __sk_buff *skb)
{
	struct bpf_xfrm_state state;

	return have_xfrm && !bpf_skb_get_xfrm_state(skb, 0, &state, sizeof(state), 0);
}

/*
 * Whether a packet came from another interface, or from a client of the VPN gateway on this one.
 * Another that comes back out of the interface by which it came in, or of one below that, is a
 * stranger's: its answer is not learned.
 */
static __always_inline bool is_forwarded(const struct pc_generation *generation,
					 struct __sk_buff *skb)
{
	__u32 from = skb->ingress_ifindex;
	int i;

	if (!from)
		return false;
	if (from == skb->ifindex)
		return is_decrypted(skb);
#pragma clang loop unroll(full)
	for (i = 0; i < PC_UPPERS; i++)
		if (generation->upper[i] == from)
			return is_decrypted(skb);
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
		return generation->forward && is_forwarded(generation, skb);
	if (socket->bound_dev_if)
		return true;
	if (!is_translated(packet, flow, socket) && !generation->forward)
		return false;
	return !flow_socket(skb, flow);
}

/* How flow_begin is asked, beside: */
#define FLOW_ECHO      0x00800 /* an echo request */
#define FLOW_LARGE     0x01000 /* is_large */
#define FLOW_FORWARDED 0x02000 /* is_forwarded, and that is learned */
#define FLOW_MAYBE     0x04000 /* it is known, and so far PC_FLOW_MAYBE */
#define FLOW_AGAIN     0x08000 /* is_second */
#define FLOW_ASSURED   0x10000 /* one that is over was assured */

/* The same of UDP, and of sockets that are not connected. Tunnels of the kernel send without one.
 */
static __always_inline bool udp_needs_learning(const struct packet *packet,
					       const struct pc_generation *generation,
					       struct __sk_buff *skb, struct pc_flow *flow,
					       __u32 how)
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
		return how & FLOW_FORWARDED;
	socket = bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (socket)
		bpf_sk_release(socket);
	return !!socket;
}

enum learn {
	LEARN_NOT,
	LEARN_TWICE, /* if it happens again */
	LEARN,
};

/* Whether the answer to a packet may be learned, which no open port admits. */
static __always_inline enum learn may_learn(const struct packet *packet,
					    const struct pc_generation *generation,
					    struct __sk_buff *skb, const struct pc_flow *flow,
					    __u64 at, __u32 how)
{
	enum came came;

	if (packet->tcp & TCP_RST || is_multicast(flow))
		return LEARN_NOT;
	if (how & FLOW_ECHO)
		return skb->sk || how & FLOW_FORWARDED ? LEARN : LEARN_NOT;
	if (is_syn(packet)) /* this side begins */
		return LEARN;
	if (packet->transport == PC_TCP && packet->tcp & TCP_SYN) /* the other one did */
		return LEARN_NOT;
	came = flow_came(flow, at);
	if (came == CAME_NOT)
		return LEARN;
	return came == CAME_LATELY && is_from_before(packet, generation, skb, at) ? LEARN_TWICE :
										    LEARN_NOT;
}

static __always_inline bool is_large(const struct packet *packet)
{
	return packet->protocol == PROTOCOL_UDP &&
	       packet->end - packet->at > PC_LARGE + sizeof(struct udphdr);
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

	if (is_multicast(flow) || !table_any_source(packet, generation))
		return;
	seen = bpf_map_lookup_elem(&large, flow);
	if (!seen)
		bpf_map_update_elem(&large, flow, &at, BPF_ANY);
	else if ((__s64)(at - *seen) > (__s64)FLOW_TOUCH)
		*seen = at;
}

/* Whether it happened before, a while ago: a server may answer once with several packets. */
static __always_inline bool is_second(const struct pc_flow_state *known, __u64 at)
{
	return (at - known->seen) >> PC_CAME_SHIFT > PC_CAME_JUST;
}

/* What this side did in a flow that is known. A SYN may be forged; it ends nothing that lives. */
static __always_inline void flow_spoke(const struct packet *packet, struct pc_flow_state *state,
				       bool assured)
{
	__u8 flags = state->flags & ~(PC_FLOW_RESET | PC_FLOW_RESET_IN);

	if (is_syn(packet) && !assured)
		flags = 0;
	if (packet->tcp & TCP_RST)
		flags |= PC_FLOW_RESET;
	if (packet->tcp & TCP_FIN)
		flags |= PC_FLOW_FIN_OUT;
	if (flags != state->flags)
		state->flags = flags;
}

/* Whether a TCP packet acknowledges what the remote side has sent last, as only its peer can. */
static __always_inline bool acknowledges(const struct packet *packet,
					 const struct pc_flow_state *state)
{
	__u32 ahead = (flow_sequence(packet) - state->slot) & PC_SLOT_MASK;

	return (packet->tcp & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST)) == TCP_ACK &&
	       state->flags & PC_FLOW_REPLIED && !pc_flow_closed(state->flags) &&
	       ahead <= PC_HEARD_AHEAD;
}

/* Whether a packet is of a user's own program. */
static __always_inline bool is_users(struct __sk_buff *skb)
{
	return sender(skb) && bpf_get_socket_uid(skb);
}

static __always_inline void flow_goes_on(const struct packet *packet, const struct pc_flow *flow,
					 struct pc_flow_state *state, bool assured,
					 struct __sk_buff *skb)
{
	flow_spoke(packet, state, assured);
	if (assured) {
		if (packet->protocol == PROTOCOL_TCP && pc_flow_closed(state->flags))
			flow_close(flow, state);
	} else if (packet->protocol != PROTOCOL_TCP) {
		if (flow_is_stream(flow, state))
			flow_assure(flow, state);
	} else if (acknowledges(packet, state)) {
		if (is_users(skb))
			state->flags |= PC_FLOW_ASSURED;
		else
			flow_assure(flow, state);
	}
}

/* How a packet is that goes out, whose flow is not known, or over. */
static __always_inline __u32 flow_how_begun(const struct packet *packet,
					    const struct pc_generation *generation,
					    enum parsed parsed, struct __sk_buff *skb,
					    const struct pc_flow_state *known, bool assured)
{
	__u32 how = flow_how(packet);

	if (parsed == PARSED_PACKET)
		how |= FLOW_ECHO;
	if (is_large(packet))
		how |= FLOW_LARGE;
	if (generation->forward && is_forwarded(generation, skb))
		how |= FLOW_FORWARDED;
	if (known && assured)
		how |= FLOW_ASSURED;
	else if (known && known->flags & PC_FLOW_MAYBE)
		how |= FLOW_MAYBE | (is_second(known, now()) ? FLOW_AGAIN : 0);
	return how;
}

/*
 * Learns a flow, if the answer to the packet would find neither an open port nor a socket. A flood
 * from outside must not get in here: not by answers to what an open port of another interface
 * admits, nor by answers to what passed only by observe.
 *
 * A global function, which is verified once. It asks the generation that judges by now, which is
 * to judge the answer.
 */
__noinline int flow_begin(struct __sk_buff *skb, __u32 where, __u32 ports, __u32 how, __u32 tcp)
{
	const struct pc_generation *generation = generation_current();
	struct pc_flow_state state = {};
	struct packet packet = {};
	struct pc_flow flow;
	enum learn may;
	bool needed;
	__u8 *mark;
	__u64 at;

	packet_init_egress(&packet, skb);
	flow_fill(&packet, where, ports, how);
	packet.transport = packet.protocol == PROTOCOL_TCP ? PC_TCP : PC_UDP;
	packet.tcp = tcp;
	if (!generation || !flow_key(&packet, &flow))
		return 0;
	needed = packet.protocol != PROTOCOL_UDP ||
		 udp_needs_learning(&packet, generation, skb, &flow, how);
	if (!needed && !(how & FLOW_LARGE))
		return 0;
	at = now();
	/* The address of IPv4 stands there too. */
	if (!(how & FLOW_ECHO) &&
	    table_admit_from(&packet, flow.ipv6.remote, generation) == ADMIT_PASS) {
		if (how & FLOW_LARGE)
			flow_large(&packet, generation, &flow, at);
		return 0;
	}
	if (!needed)
		return 0;
	may = may_learn(&packet, generation, skb, &flow, at, how);
	if (may == LEARN_NOT)
		return 0;
	if (may == LEARN_TWICE && !(how & FLOW_AGAIN)) {
		if (how & FLOW_MAYBE)
			return 0;
		state.flags = PC_FLOW_MAYBE;
	}
	if (tcp & TCP_FIN)
		state.flags |= PC_FLOW_FIN_OUT;
	state.ifindex = skb->ifindex;
	state.seen = at;
	state.slot = flow_since(at);
	bpf_map_update_elem(&flows, &flow, &state, BPF_ANY);
	if (how & FLOW_ASSURED)
		flow_forget_assured(&flow);
	mark = learned_at(&packet);
	if (mark && !*mark)
		*mark = 1;
	return 0;
}

/* Learns from a packet that goes out. */
static __always_inline void flow_learn(const struct packet *packet,
				       const struct pc_generation *generation, enum parsed parsed,
				       struct __sk_buff *skb)
{
	struct pc_flow_state *known;
	struct pc_flow flow;
	bool assured;

	if (parsed != PARSED_PORT && !(parsed == PARSED_PACKET && is_echo(packet)))
		return;
	if (!flow_key(packet, &flow))
		return;
	if (packet->protocol == PROTOCOL_TCP && !tcp_needs_learning(packet, generation, skb, &flow))
		return;
	known = flow_find(&flow, &assured);
	if (known && flow_touch(&flow, known, assured))
		flow_goes_on(packet, &flow, known, assured, skb);
	else
		flow_begin(skb, flow_where(packet), flow_ports(packet),
			   flow_how_begun(packet, generation, parsed, skb, known, assured),
			   packet->tcp);
}

#endif
