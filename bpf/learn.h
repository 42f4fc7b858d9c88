/* SPDX-License-Identifier: GPL-2.0 */
/* Learns from what goes out: the flows whose answers ingress could not find otherwise. */
#ifndef PORTCULLIS_LEARN_H
#define PORTCULLIS_LEARN_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/came_in.h"
#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/table.h"

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
	__u32 ahead = (tcp_word_sequence(packet->tcp) - state->slot) & PC_SLOT_MASK;

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
	__u32 how = flow_how_pack(packet);

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
	state.slot = pc_since(at);
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
		flow_begin(skb, flow_where_pack(packet), flow_ports_pack(packet),
			   flow_how_begun(packet, generation, parsed, skb, known, assured),
			   packet->tcp);
}

#endif
