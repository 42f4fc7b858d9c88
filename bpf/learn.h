/* SPDX-License-Identifier: GPL-2.0 */
/* Learns flows from outgoing packets if ingress could not find a socket for the answer. */
#ifndef PORTCULLIS_LEARN_H
#define PORTCULLIS_LEARN_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/came_in.h"
#include "bpf/flow.h"
#include "bpf/kind.h"
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

/* The socket that sent a packet. NULL: it is forwarded, or the kernel sent it without a socket. */
static __always_inline struct bpf_sock *sending_socket(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;

	return socket ? bpf_sk_fullsock(socket) : NULL;
}

/*
 * Whether IPsec has decrypted the packet: a peer of this host sent it, not a stranger. A global
 * function, because it is rarely called and its callers have little stack.
 */
__noinline int is_decrypted(struct __sk_buff *skb)
{
	struct bpf_xfrm_state state;

	return have_xfrm && !bpf_skb_get_xfrm_state(skb, 0, &state, sizeof(state), 0);
}

/*
 * Whether a packet was forwarded from another interface, or from a client of the VPN gateway on
 * this interface. Other packets that leave by the interface by which they came in, or by one below
 * it, may be a stranger's packets that are reflected: their answers must not be learned.
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
 * Whether the generation learns connections that the sender begins through this host: a machine, or
 * another sender. `behind`: flow_how_behind.
 */
static __always_inline bool learns_forwarded(const struct pc_generation *generation, __u32 behind)
{
	return flow_how_unpack(behind).class ? generation->forward & PC_FORWARD_MACHINES :
					       generation->forward & PC_FORWARD_OTHERS;
}

/*
 * Whether the addresses or ports of the socket differ from those of the packet: they are
 * translated, or the socket is a raw one. Volatile keeps the compiler from merging loads, whose
 * fields the verifier would not recognize.
 */
static __always_inline bool is_translated(const struct packet *packet, const struct pc_flow *flow,
					  const volatile struct bpf_sock *socket)
{
	__u64 ports = (socket->src_port ^ packet->local_port) |
		      (socket->dst_port ^ bpf_htons(packet->remote_port));
	__u64 ipv4 = opaque(socket->src_ip4 ^ flow->ipv4.local), ipv6 = 0;
	int i;

	ipv4 = opaque(ipv4 | (socket->dst_ip4 ^ flow->ipv4.remote));
	/* Compares word by word: otherwise the compiler loads all words first, and keeps them on
	 * the stack. */
#pragma clang loop unroll(full)
	for (i = 0; i < 4; i++)
		ipv6 = opaque(ipv6 | (socket->src_ip6[i] ^ flow->ipv6.local[i]));
#pragma clang loop unroll(full)
	for (i = 0; i < 4; i++)
		ipv6 = opaque(ipv6 | (socket->dst_ip6[i] ^ flow->ipv6.remote[i]));
	return ports | (packet->ipv6 ? ipv6 : ipv4);
}

/*
 * Whether ingress may not find the socket of a TCP packet for its answer: the socket is bound to a
 * device (ingress may look with another index, as that of a bond's member), its addresses are
 * translated on the way, or it belongs to another network namespace (macvlan).
 */
static __always_inline bool tcp_needs_learning(const struct packet *packet,
					       const struct pc_generation *generation,
					       struct __sk_buff *skb, struct pc_flow *flow,
					       __u32 behind)
{
	const struct bpf_sock *socket = sending_socket(skb);

	if (!socket)
		return learns_forwarded(generation, behind) && is_forwarded(generation, skb);
	if (socket->bound_dev_if)
		return true;
	if (!is_translated(packet, flow, socket) && !generation->forward)
		return false;
	return !flow_socket(skb, flow);
}

/*
 * Whether ingress may not find the socket of a UDP packet for its answer, as tcp_needs_learning, or
 * the socket is not connected. Tunnels of the kernel send without naming their socket, so it is
 * looked up.
 */
static __always_inline bool udp_needs_learning(const struct packet *packet,
					       const struct pc_generation *generation,
					       struct __sk_buff *skb, struct pc_flow *flow,
					       __u32 how)
{
	struct bpf_sock_tuple *tuple = (void *)flow;
	__u32 size = packet->ipv6 ? sizeof(tuple->ipv6) : sizeof(tuple->ipv4);
	struct bpf_sock *socket = sending_socket(skb);

	if (socket) {
		if (socket->protocol != PROTOCOL_UDP || socket->state != BPF_TCP_ESTABLISHED ||
		    socket->bound_dev_if)
			return true;
		if (!is_translated(packet, flow, socket) && !generation->forward)
			return false;
		return !flow_socket(skb, flow);
	}
	if (skb->ingress_ifindex)
		return flow_how_unpack(how).forwarded;
	socket = bpf_sk_lookup_udp(skb, tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (socket)
		bpf_sk_release(socket);
	return !!socket;
}

enum learn {
	LEARN_NOT,
	LEARN_TWICE, /* learn it if this side sends a second time */
	LEARN,
};

/* Whether a flow may be learned from a packet whose answer no open port admits. */
static __always_inline enum learn may_learn(const struct packet *packet,
					    const struct pc_generation *generation,
					    struct __sk_buff *skb, const struct pc_flow *flow,
					    __u64 at, __u32 how)
{
	enum came came;

	if (packet->tcp & TCP_RST || is_multicast(flow))
		return LEARN_NOT;
	if (flow_how_unpack(how).echo)
		return skb->sk || flow_how_unpack(how).forwarded ? LEARN : LEARN_NOT;
	if (is_syn(packet)) /* this side began */
		return LEARN;
	if (packet->transport == PC_TCP && packet->tcp & TCP_SYN) /* the other side began */
		return LEARN_NOT;
	came = flow_came(flow, false, at);
	/* Another interface, or an earlier generation, may know the sender as a machine. */
	if (came == CAME_NOT && skb->ingress_ifindex)
		came = flow_came(flow, true, at);
	if (came == CAME_NOT)
		return LEARN;
	return came == CAME_LATELY && is_from_before(packet, generation, skb, at) ? LEARN_TWICE :
										    LEARN_NOT;
}

/*
 * Notes a large datagram of an open port in `large`. A port that is open only to some source ports
 * is not noted: else an open port of a DHCP client would let a stranger lower the path MTU of any
 * address.
 */
static __always_inline void large_note(const struct packet *packet,
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

/*
 * Whether this side had already sent some time ago. Packets in quick succession count as one,
 * because a server may answer with several.
 */
static __always_inline bool is_second(const struct pc_flow_state *known, __u64 at)
{
	return (at - known->seen) >> PC_CAME_SHIFT > PC_CAME_JUST;
}

/*
 * Notes in a flow what this side did. A SYN restarts the flow, but not an assured one, because the
 * SYN of a forwarded flow may be forged.
 */
static __always_inline void flow_note_sent(const struct packet *packet, struct pc_flow_state *state,
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

/*
 * Whether a TCP packet acknowledges the last data of the remote side. Only a host that received the
 * data knows its sequence number.
 */
static __always_inline bool acknowledges(const struct packet *packet,
					 const struct pc_flow_state *state)
{
	__u32 ahead = (tcp_word_sequence(packet->tcp) - state->slot) & PC_SLOT_MASK;

	return (packet->tcp & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST)) == TCP_ACK &&
	       state->flags & PC_FLOW_REPLIED && !pc_flow_closed(state->flags) &&
	       ahead <= PC_HEARD_AHEAD;
}

/* Whether a program of a user other than root sent the packet. */
static __always_inline bool sent_by_user(struct __sk_buff *skb)
{
	return sending_socket(skb) && bpf_get_socket_uid(skb);
}

/* Notes an outgoing packet of a live flow, and moves the flow if it becomes assured or is over. */
static __always_inline void flow_continue(const struct packet *packet, const struct pc_flow *flow,
					  struct pc_flow_state *state, bool assured,
					  struct __sk_buff *skb)
{
	flow_note_sent(packet, state, assured);
	if (assured) {
		if (packet->protocol == PROTOCOL_TCP && pc_flow_closed(state->flags))
			flow_close(flow, state);
	} else if (packet->protocol != PROTOCOL_TCP) {
		if (flow_is_stream(flow, state))
			flow_assure(flow, state);
	} else if (acknowledges(packet, state)) {
		if (sent_by_user(skb))
			state->flags |= PC_FLOW_ASSURED;
		else
			flow_assure(flow, state);
	}
}

/*
 * The bits of `how` for the class of a packet's machine, in the generation of that number. The
 * packet itself has no field for it, so that the verifier need not follow both cases.
 */
static __always_inline __u32 flow_how_behind(__u32 class, __u32 generation)
{
	struct flow_how how = {.class = class, .made = generation};

	return bits_as(__u32, how);
}

/*
 * `how` for flow_begin. `behind`: flow_how_behind. `known`: the state of a flow that is over or
 * PC_FLOW_MAYBE, or NULL.
 */
static __always_inline __u32 flow_how_to_begin(const struct packet *packet,
					       const struct pc_generation *generation,
					       struct kind_word sent, struct __sk_buff *skb,
					       __u32 behind, const struct pc_flow_state *known,
					       bool assured)
{
	struct flow_how how = flow_how_unpack(flow_how_pack(packet) | behind);

	how.echo = sent.echo;
	how.large = sent.large;
	if (learns_forwarded(generation, behind) && is_forwarded(generation, skb))
		how.forwarded = 1;
	if (known && assured) {
		how.assured = 1;
	} else if (known && known->flags & PC_FLOW_MAYBE) {
		how.maybe = 1;
		how.again = is_second(known, now());
	}
	return bits_as(__u32, how);
}

/* Adds a flow to `flows`, and marks its local port. */
static __always_inline void flow_enter(const struct packet *packet, const struct pc_flow *flow,
				       const struct pc_flow_state *state, __u32 how)
{
	__u8 *mark;

	bpf_map_update_elem(&flows, flow, state, BPF_ANY);
	if (flow_how_unpack(how).assured)
		flow_forget_assured(flow);
	mark = learned_at(packet);
	if (mark && !*mark)
		*mark = 1;
}

/*
 * Whether the class in `how` means the same in this generation: a swap may have come in between.
 * Then a machine's flow is learned even if an open port may admit the answer.
 */
static __always_inline bool is_class_of(__u32 how, const struct pc_generation *generation)
{
	struct flow_how known = flow_how_unpack(how);

	return !known.class || known.made == (generation->number & 0xff);
}

/*
 * Learns a flow if neither an open port nor a socket would admit the answer. A flood from outside
 * must not create flows: neither by answers of this host to what an open port of another interface
 * admits, nor by answers to what passed only because of observe.
 *
 * A global function, so that the verifier checks it once. It reads the active generation itself,
 * because that one will decide the answer.
 */
__noinline int flow_begin(struct __sk_buff *skb, __u32 where, __u32 ports, __u32 how, __u32 tcp)
{
	const struct pc_generation *generation = generation_current();
	struct flow_how known = flow_how_unpack(how);
	struct pc_flow_state state = {};
	struct packet packet = {};
	struct pc_flow flow;
	enum admit admit;
	enum learn may;
	bool needed;
	__u64 at;

	packet_init_egress(&packet, skb);
	flow_fill(&packet, where, ports, how);
	packet.transport = transport_of(packet.protocol);
	packet.tcp = tcp;
	packet.machine = machine_pack(known.class, 0);
	packet.behind = known.class;
	if (!generation || !flow_key(&packet, &flow))
		return 0;
	needed = packet.protocol != PROTOCOL_UDP ||
		 udp_needs_learning(&packet, generation, skb, &flow, how);
	packet_settle_kind(&packet, PARSED_PORT);
	packet.transport = transport_of(packet.protocol);
	needed = forgotten(needed, packet_any(&packet)) & 1;
	flow.family = forgotten(flow.family, packet_any(&packet));
	if (!needed && !known.large)
		return 0;
	at = now();
	/* flow.ipv4.remote has the same offset as flow.ipv6.remote. */
	admit = known.echo || !is_class_of(how, generation) ?
			ADMIT_UNLISTED :
			table_admit_from(&packet, flow.ipv6.remote, generation);
	packet_settle_kind(&packet, PARSED_PORT);
	packet.transport = transport_of(packet.protocol);
	admit = forgotten(admit, packet_any(&packet));
	flow.family = forgotten(flow.family, packet_any(&packet));
	if (admit >= ADMIT_PASS && known.large)
		large_note(&packet, generation, &flow, at);
	/* Answers to a question of this host must not count against the limit of the port. */
	if (admit == ADMIT_PASS || (admit == ADMIT_LIMITED && packet.protocol == PROTOCOL_TCP))
		return 0;
	if (!needed)
		return 0;
	may = may_learn(&packet, generation, skb, &flow, at, how);
	if (may == LEARN_NOT)
		return 0;
	if (may == LEARN_TWICE && !known.again) {
		if (known.maybe)
			return 0;
		state.flags = PC_FLOW_MAYBE;
	}
	if (tcp & TCP_FIN)
		state.flags |= PC_FLOW_FIN_OUT;
	state.ifindex = skb->ifindex;
	state.seen = at;
	state.slot = pc_since(at);
	flow_enter(&packet, &flow, &state, how);
	return 0;
}

/*
 * Learns from an outgoing packet, or notes it in the flow to which it belongs. `behind`:
 * flow_how_behind.
 */
static __always_inline void flow_learn(const struct packet *packet,
				       const struct pc_generation *generation,
				       struct kind_word sent, struct __sk_buff *skb, __u32 behind)
{
	struct pc_flow_state *known;
	struct pc_flow flow;
	bool assured;

	if (sent.parsed != PARSED_PORT && !sent.echo)
		return;
	if (!flow_key(packet, &flow))
		return;
	if (packet->protocol == PROTOCOL_TCP &&
	    !tcp_needs_learning(packet, generation, skb, &flow, behind))
		return;
	known = flow_find(&flow, &assured);
	if (known && flow_touch(&flow, known, assured))
		flow_continue(packet, &flow, known, assured, skb);
	else
		flow_begin(skb, flow_where_pack(packet), flow_ports_pack(packet),
			   flow_how_to_begin(packet, generation, sent, skb, behind, known, assured),
			   packet->tcp);
}

#endif
