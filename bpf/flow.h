/* SPDX-License-Identifier: GPL-2.0 */
/* A flow: its key, its state in the maps, and the words that pass a packet to a global function. */
#ifndef PORTCULLIS_FLOW_H
#define PORTCULLIS_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

/* `seen` is updated at most this often, so that fewer cache lines become dirty. */
#define FLOW_TOUCH PC_SECOND

/* Fills the key of a packet. False: its addresses cannot be read. */
static __always_inline bool flow_key(const struct packet *packet, struct pc_flow *flow)
{
	__be16 remote_port = bpf_htons(packet->remote_port);
	__be16 local_port = bpf_htons(packet->local_port);
	/* The destination follows the source. If they have to be copied, then into the key, because
	 * the stack is short. */
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

/* Compares as signed, because the loader's clock may be a tick ahead of the coarse clock. */
static __always_inline bool flow_alive(const struct pc_flow *flow,
				       const struct pc_flow_state *state, __u64 at)
{
	return (__s64)(at - state->seen) < (__s64)pc_flow_lifetime(flow->protocol, state->flags);
}

/*
 * Whether the tuple has a TCP socket that is not a listener, or a UDP socket connected to the peer.
 */
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

/*
 * The present slot of 64 jiffies. Jiffies pass 0 five minutes after boot (INITIAL_JIFFIES of the
 * kernel), but a slot skips it: 0 in pc_flow_state.slot means that the clock was never read.
 */
static __always_inline __u64 flow_slot(void)
{
	__u64 slot = bpf_jiffies64() >> 6;

	return slot & PC_SLOT_MASK ? slot : slot - 1;
}

/*
 * Put it behind each of several look-ups, so that the compiler does not merge them into one look-up
 * in a variable map: the verifier only inlines look-ups in a fixed map, which saves 10 ns a packet.
 */
#define look_up_apart(number) asm volatile("" : : "i"(number))

/*
 * Whether the caller supplies the state of earlier packets; then the maps are not read. Only code
 * outside the first pass may call this.
 */
static __always_inline bool is_told(void)
{
	return replays;
}

static __always_inline bool told(__u8 what)
{
	return explained.told & what;
}

/* The state of a flow, or NULL. `assured`: it is in the map of assured flows. */
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

/* Moves a flow from `flows` to the map of assured ones, where new flows cannot evict it. */
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

/* Moves a flow that is over back to `flows`. Adds it there first, so that it can always be
 * found. */
static __always_inline void flow_close_here(const struct pc_flow *flow,
					    const struct pc_flow_state *known)
{
	struct pc_flow_state state = {
		.seen = known->seen, .ifindex = known->ifindex, .flags = known->flags};

	bpf_map_update_elem(&flows, flow, &state, BPF_ANY);
	flow_forget_assured(flow);
}

/* flow_assure_here and flow_close_here as calls, for paths with enough stack: both are rare. */
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
 * Whether a known flow lives; if so, notes that it was seen. Reading the clock costs 15 ns, so for
 * an assured flow it is read once in a slot, and the flow counts as live until the slot ends.
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

/* Whether both sides have talked over a UDP flow, and it is PC_STREAM_AGE old. */
static __always_inline bool flow_is_stream(const struct pc_flow *flow,
					   const struct pc_flow_state *state)
{
	__u32 age;

	if (flow->protocol != PROTOCOL_UDP || !(state->flags & PC_FLOW_REPLIED))
		return false;
	age = pc_since(now()) - state->slot;
	return (age & PC_SLOT_MASK) >= PC_STREAM_AGE;
}

/* Whether a flow is learned and lives. Does not refresh it: its peer did not send the packet. */
static __always_inline bool flow_is_learned(const struct pc_flow *flow)
{
	bool assured;
	const struct pc_flow_state *state = flow_find(flow, &assured);

	return state && flow_alive(flow, state, now());
}

/* The mark of a local port. Echo flows have no port and use the marks of UDP, by identifier. */
static __always_inline __u8 *learned_at(const struct packet *packet)
{
	__u32 index = pc_learned_index(packet->protocol, packet->local_port);
	struct pc_learned *table = only_of(&learned);

	return table ? &table->port[bounded(index, sizeof(table->port) - 1)] : NULL;
}

/* Whether `flows` may have a flow of the packet's local port. */
static __always_inline bool flow_possible(const struct packet *packet)
{
	const __u8 *mark = learned_at(packet);

	return mark && *mark;
}

/*
 * Three words pass a packet to a global function that needs its key: `where` (its IP header), its
 * `ports`, and `how` (its properties). flow_fill reads them.
 */
struct flow_where {
	__u32 ip : 13; /* offset of the IP header */
	__u32 unused : 3;
	__u32 link : 16; /* packet.link */
};

struct flow_ports {
	__u32 local : 16; /* host order */
	__u32 remote : 16;
};

struct flow_how {
	__u32 protocol : 8;
	__u32 ipv6 : 1;
	__u32 fin : 1;
	__u32 reset : 1;
	/* Only learn.h sets the fields from `echo` to `assured`. */
	__u32 echo : 1;	     /* an echo request; for span_of_packet: use the `out` services */
	__u32 large : 1;     /* is_large */
	__u32 forwarded : 1; /* is_forwarded, and the generation learns such traffic */
	__u32 maybe : 1;     /* the flow is known, with PC_FLOW_MAYBE */
	__u32 again : 1;     /* is_second */
	__u32 assured : 1;   /* the flow is known and over, and was assured */
	__u32 class : 7;     /* class of the packet's machine; 0: this host */
	/* the lowest byte of the number of the generation that has the class */
	__u32 made : 8;
};
_Static_assert(PC_CLASSES < 1 << 7, "flow_how.class");

static __always_inline __u32 flow_how_pack(const struct packet *packet)
{
	/* Moves bits without branches, because the verifier would follow both sides of each
	 * test. */
	struct flow_how how = {.protocol = packet->protocol,
			       .ipv6 = packet->ipv6,
			       .fin = packet->tcp / TCP_FIN,
			       .reset = packet->tcp / TCP_RST,
			       .class = packet->behind ? packet_class(packet) : 0};

	return bits_as(__u32, how);
}

static __always_inline struct flow_how flow_how_unpack(__u32 word)
{
	return bits_as(struct flow_how, word);
}

static __always_inline __u32 flow_where_pack(const struct packet *packet)
{
	struct flow_where where = {.ip = packet->ip, .link = packet->link};

	return bits_as(__u32, where);
}

static __always_inline struct flow_where flow_where_unpack(__u32 word)
{
	return bits_as(struct flow_where, word);
}

static __always_inline __u32 flow_ports_pack(const struct packet *packet)
{
	struct flow_ports ports = {.local = packet->local_port, .remote = packet->remote_port};

	return bits_as(__u32, ports);
}

static __always_inline struct flow_ports flow_ports_unpack(__u32 word)
{
	return bits_as(struct flow_ports, word);
}

/* Fills the fields that flow_key reads. */
static __always_inline void flow_fill(struct packet *packet, __u32 where, __u32 ports, __u32 how)
{
	packet->ip = flow_where_unpack(where).ip;
	packet->link = flow_where_unpack(where).link;
	packet->remote_port = flow_ports_unpack(ports).remote;
	packet->local_port = flow_ports_unpack(ports).local;
	packet->protocol = flow_how_unpack(how).protocol;
	packet->ipv6 = flow_how_unpack(how).ipv6;
}

/* Fills the packet of a global function at ingress. */
static __always_inline void flow_packet(struct packet *packet, struct xdp_md *ctx, __u32 where,
					__u32 ports, __u32 how)
{
	packet_start(packet, ctx);
	flow_fill(packet, where, ports, how);
	packet->gather = true;
}

#endif
