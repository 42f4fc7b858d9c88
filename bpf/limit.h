/* SPDX-License-Identifier: GPL-2.0 */
/* The rule `limit`: how much one source may begin at a service. abi_limits.h describes the
 * cells. */
#ifndef PORTCULLIS_LIMIT_H
#define PORTCULLIS_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/came_in.h"
#include "bpf/event.h"
#include "bpf/grant.h"
#include "bpf/learn.h"
#include "bpf/machine.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/reply.h"
#include "bpf/table.h"

/* --- cells --- */

/* Whether limits are counted here: a program that only explains reads the live filter's cells. */
static __always_inline bool limit_counts(void)
{
	return !explains || replays;
}

/* The clock of the cells. */
static __always_inline __u64 limit_now(void)
{
	return replays ? explained.at : now();
}

static __always_inline struct pc_limiter *limiter_own(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&limiter, &zero);
}

/* A cell; NULL: there is none. */
static __always_inline volatile __u64 *limit_cell(__u32 index)
{
	__u32 zero = 0;
	void *cells = bpf_map_lookup_elem(&limit_cells, &zero);

	return cells ? bpf_map_lookup_elem(cells, &index) : NULL;
}

/* The two cells of a source. False: the filter has no cells. */
struct limit_pair {
	volatile __u64 *one, *other;
};

static __always_inline bool limit_pair_find(__u64 hash, __u32 row, __u32 size,
					    struct limit_pair *pair)
{
	__u32 zero = 0, one = row + ((__u32)hash & (size - 1)),
	      other = row + size + ((__u32)(hash >> 32) & (size - 1));
	void *cells = bpf_map_lookup_elem(&limit_cells, &zero);

	if (!cells)
		return false;
	pair->one = bpf_map_lookup_elem(cells, &one);
	pair->other = bpf_map_lookup_elem(cells, &other);
	return pair->one && pair->other;
}

/* When a source is next due. */
static __always_inline __u64 limit_due(const struct limit_pair *pair)
{
	__u64 one = *pair->one, other = *pair->other;

	return one < other ? one : other;
}

/* Raises the cells of a source. Another source may have raised a shared cell further. */
static __always_inline void limit_raise(const struct limit_pair *pair, __u64 due)
{
	if (*pair->one < due)
		*pair->one = due;
	if (*pair->other < due)
		*pair->other = due;
}

/* A packet and a limit, as a word for the global functions. */
struct limit_word {
	__u64 ports : 32; /* struct flow_ports */
	__u64 limit : 8;  /* index in pc_generation.limit, or 1 + one in pc_generation.limit_set */
	__u64 ip : 5;	  /* offset of the IP header */
	__u64 ipv6 : 1;
	__u64 syn : 1;	      /* a TCP SYN */
	__u64 begun : 1;      /* a connection that was completed just now */
	__u64 behind : 1;     /* to or from a machine behind this host */
	__u64 generation : 8; /* the lowest byte of its number */
	__u64 whole : 1;      /* the packet is no fragment */
	__u64 link_local : 1; /* the source is link-local; only for limit_excepted */
	__u64 unused : 5;
};

static __always_inline __u64 limit_word_pack(struct limit_word word)
{
	return bits_as(__u64, word);
}

static __always_inline struct limit_word limit_word_unpack(__u64 word)
{
	return bits_as(struct limit_word, word);
}

/* The generation of a word; NULL: a swap came in between, and the index may mean another limit. */
static __always_inline const struct pc_generation *limit_generation(struct limit_word word)
{
	const struct pc_generation *generation = generation_current();

	return generation && (__u8)generation->number == word.generation ? generation : NULL;
}

/* The hash of a source at a limit. `owner`: packet_tallies of a machine's packet, else 0. */
static __always_inline __u64 limit_hash(const struct pc_limit *limit, __u64 first, __u64 second,
					struct limit_word word, __u32 owner, __u64 secret)
{
	__u64 prefix[2];

	if (word.ipv6) {
		prefix[0] = bpf_be64_to_cpu(first);
		prefix[1] = bpf_be64_to_cpu(second);
	} else {
		prefix[0] = bpf_ntohl((__u32)first);
		prefix[1] = 0;
	}
	pc_limit_prefix(prefix, limit->length[word.ipv6], word.ipv6);
	return pc_limit_hash(prefix, limit->service, owner, secret);
}

/*
 * Adds to the load of all cells. Above their capacity, real and forged sources cannot be
 * distinguished, so no source is limited for a while.
 */
static __always_inline void limit_load(struct pc_limiter *own, const struct pc_limit *limit,
				       __u64 at)
{
	__u64 load = *(volatile __u64 *)&own->load;

	if ((__s64)(load - at) < 0)
		*(volatile __u64 *)&own->load = at + limit->load;
	else
		__sync_fetch_and_add(&own->load, limit->load);
	if ((__s64)(load - at) > (__s64)limit->backlog)
		own->open_until = at + limit->tolerance + limit->interval;
}

/* Whether a source recently completed a connection, and its completed connections are within the
 * limit.
 */
static __always_inline bool limit_is_real(const struct pc_limit *limit, __u64 hash, __u64 at)
{
	struct limit_pair pair;
	__u64 due;

	if (!limit_pair_find(hash, PC_LIMIT_REAL_ROW(0), PC_LIMIT_REAL, &pair))
		return false;
	due = limit_due(&pair);
	return due && (__s64)(at - due) < (__s64)PC_LIMIT_HOLD &&
	       (__s64)(due - at) <= (__s64)limit->tolerance;
}

/* Whether a source above the limit passes all the same. */
static __always_inline bool limit_is_open(struct pc_limiter *own, const struct pc_limit *limit,
					  struct limit_word word, __u64 hash, __u64 at)
{
	if (word.syn && limit_is_real(limit, hash, at))
		return true;
	if ((__s64)(own->open_until - at) <= 0)
		return false;
	if (limit_counts()) {
		__sync_fetch_and_add(&own->opened, 1);
		own->opened_at = at;
	}
	return true;
}

/*
 * Whether a source may begin one more connection at a limit; if so, counts it. `packed`: a struct
 * limit_word. A global function, so that the verifier checks it once.
 */
__noinline int limit_take(__u64 first, __u64 second, __u64 packed, __u32 owner)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct pc_limiter *own = limiter_own();
	const struct pc_limit *limit;
	struct limit_pair pair;
	__u64 hash, at, due;

	if (!generation || !own)
		return true;
	limit = &generation->limit[bounded(word.limit, PC_LIMITS - 1)];
	hash = limit_hash(limit, first, second, word, owner, own->secret);
	if (!limit_pair_find(hash, PC_LIMIT_ROW(0), PC_LIMIT_CELLS, &pair))
		return true;
	at = limit_now();
	due = limit_due(&pair);
	if ((__s64)(due - at) < 0)
		due = at;
	if (due - at > limit->tolerance)
		return limit_is_open(own, limit, word, hash, at);
	if (!limit_counts())
		return true;
	limit_raise(&pair, due + limit->interval);
	if (!(hash >> 56 & limit->sample))
		limit_load(own, limit, at);
	return true;
}

/* --- incoming packets --- */

/* The groups that contain an address, in one word of a trie. */
__noinline __u64 limit_groups(__u64 first, __u64 second, __u32 how)
{
	struct groups_word word = bits_as(struct groups_word, how);
	const struct pc_groups *found;
	struct pc_key key = {};
	__u32 slot = word.slot;
	void *trie;

	address_key(first, second, word.ipv6, &key);
	trie = bpf_map_lookup_elem(&tries, &slot);
	found = trie ? bpf_map_lookup_elem(trie, &key) : NULL;
	return found ? found->word[bounded(word.word, PC_GROUP_WORDS - 1)] : 0;
}

static __always_inline bool limit_link_local(const struct packet *packet, __u64 first)
{
	return packet->ipv6 ? is_link_local6((__u32)first) :
			      ((__u32)first & bpf_htonl(0xffff0000)) == bpf_htonl(0xa9fe0000);
}

/* The words of a datagram for flow_packet. */
static __always_inline __u32 limit_where(struct limit_word word,
					 const struct pc_generation *generation)
{
	struct flow_where where = {.ip = word.ip, .link = generation->link};

	return bits_as(__u32, where);
}

static __always_inline __u32 limit_how(struct limit_word word)
{
	struct flow_how how = {.protocol = PROTOCOL_UDP, .ipv6 = word.ipv6, .class = word.behind};

	return bits_as(__u32, how);
}

/* Whether a datagram belongs to a learned flow, as an answer to a question of this host. */
__noinline int limit_answers(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {};
	struct pc_flow flow;

	if (is_told())
		return told(PC_TOLD_FLOW);
	flow_packet(&packet, ctx, where, ports, how);
	return flow_possible(&packet) && flow_key(&packet, &flow) &&
	       flow_learned(&flow, how, 0, &packet);
}

/* Whether a limit applies to a source. */
static __always_inline bool limit_admits(const struct pc_limit *limit, __u64 groups,
					 bool link_local)
{
	return limit->anyone || groups & limit->groups || (link_local && limit->link_local);
}

/*
 * Whether a grant exempts a source from a limit of a set that admits it. `groups`: those that
 * contain the source. `packed`: a struct limit_word with the set. A global function, so that the
 * verifier checks it once.
 */
__noinline int limit_excepted(__u64 first, __u64 second, __u64 groups, __u64 packed)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct granting_span known = {.index = word.limit - 1,
				      .ipv6 = word.ipv6,
				      .set = 1,
				      .generation = word.generation};
	const struct pc_limit_set *set;
	__u32 limits = 0;
	int i;

	if (!generation)
		return false;
	set = &generation->limit_set[bounded(word.limit - 1, PC_LIMITS - 1)];
	/* It has no branches. Index 0 leads to the last place of pc_generation.limit, which has no
	 * limit. */
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LIMITS_OF_SPAN; i++) {
		const struct pc_limit *limit =
			&generation->limit[bounded(set->limit[i] - 1, PC_LIMITS - 1)];

		__u64 of = groups & limit->groups;

		limits |= (limit->anyone | opaque(of | -of) >> 63 |
			   (word.link_local & limit->link_local))
			  << i;
	}
	known.limits = limits;
	return known.limits && span_granted(first, second, bits_as(__u32, known));
}

/* Whether a service, with or without a limit, lets a source begin one more connection. */
static __always_inline bool limit_of_set(struct xdp_md *ctx, const struct pc_generation *generation,
					 struct limit_word word, __u32 owner)
{
	struct packet packet = {.gather = true, .ip = word.ip, .ipv6 = word.ipv6};
	const struct pc_limit_set *set =
		&generation->limit_set[bounded(word.limit - 1, PC_LIMITS - 1)];
	struct limit_word one = word;
	struct address source;
	bool link_local = false;
	__u64 groups = 0;
	int i;

	packet_start(&packet, ctx);
	source = packet_address(&packet, true);
	if (set->asks) {
		struct groups_word how = {
			.slot = generation->tries_slot, .word = set->word, .ipv6 = word.ipv6};

		groups = limit_groups(source.first, source.second, bits_as(__u32, how));
		link_local = limit_link_local(&packet, source.first);
	}
	if (groups & set->free || (link_local && set->free_link_local))
		return true;
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LIMITS_OF_SPAN; i++) {
		const struct pc_limit *limit;

		if (!set->limit[i])
			break;
		one.limit = set->limit[i] - 1;
		limit = &generation->limit[bounded(one.limit, PC_LIMITS - 1)];
		if (!limit_admits(limit, groups, link_local))
			continue;
		if (groups & limit->except || (link_local && limit->except_link_local) ||
		    limit_take(source.first, source.second, limit_word_pack(one), owner))
			return true;
	}
	if (!has_grants())
		return false;
	word.link_local = link_local;
	return limit_excepted(source.first, source.second, groups, limit_word_pack(word));
}

/*
 * Whether a packet is over the limits of all services that admit it. `packed`: a struct limit_word
 * with a set. Packets that pass are noted: this host's own questions from a port with a limit are
 * learned, but its answers must not be. A global function, so that the verifier checks it once.
 */
__noinline int limit_is_over(struct xdp_md *ctx, __u64 packed, __u32 owner)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);

	if (!generation)
		return false;
	if (is_told())
		explained.asked_limit = 1;
	if (!word.syn &&
	    limit_answers(ctx, limit_where(word, generation), word.ports, limit_how(word)))
		return false;
	if (!limit_of_set(ctx, generation, word, owner))
		return true;
	if (!word.syn && !explains)
		flow_came_in(ctx, limit_where(word, generation), word.ports, limit_how(word));
	return false;
}

/* The word of a packet that begins a connection at a port with a limit (a SYN, any datagram); else
 * 0.
 */
static __always_inline __u64 limit_asks(const struct packet *packet,
					const struct pc_generation *generation, __u32 limit)
{
	struct limit_word word = {.ports = flow_ports_pack(packet),
				  .limit = limit,
				  .ip = packet->ip,
				  .ipv6 = packet->ipv6,
				  .syn = packet->transport == PC_TCP,
				  .behind = packet->behind,
				  .whole = !packet->fragment,
				  .generation = generation->number};

	return packet->transport == PC_TCP && !is_syn(packet) ? 0 : limit_word_pack(word);
}

/*
 * The limit of a TCP SYN to this host, as 1 + its index. 0: it has none, or not all sources that
 * the port admits have one limit in common, as they usually do.
 */
static __always_inline __u32 limit_of_all(const struct packet *packet,
					  const struct pc_generation *generation)
{
	const struct pc_span *span =
		entry_span(generation, entry_in(packet, generation), packet->remote_port);
	const struct pc_limit_set *set;

	if (!span || !span->anyone || !span->limit)
		return 0;
	set = &generation->limit_set[bounded(span->limit - 1, PC_LIMITS - 1)];
	return set->asks || set->limit[1] ? 0 : set->limit[0];
}

/* Whether a packet of the first pass begins a connection at a port with a limit. */
static __always_inline bool limit_begins(const struct packet *packet,
					 const struct pc_generation *generation)
{
	return entry_in(packet, generation) & PC_PORT_LIMITED &&
	       (blind(packet->transport) == PC_UDP || is_syn(packet));
}

/* packet_tallies of a packet to a machine, else 0. `packed`: a struct limit_word. */
__noinline __u32 limit_owner(struct xdp_md *ctx, __u64 packed)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct packet packet = {.gather = true, .ip = word.ip, .ipv6 = word.ipv6};

	if (!generation || !word.behind)
		return 0;
	packet_start(&packet, ctx);
	return packet_set_machine(&packet, generation) ? packet_tallies(&packet) : 0;
}

/*
 * The word of a packet for limit_is_over, or 0. Limits have a pass of their own before those that
 * decide, because the functions called there share a short stack. The first pass tests limits
 * itself.
 */
__noinline __u64 portcullis_limited(struct xdp_md *ctx, __u32 parsed)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};
	__u32 limit;

	if (!generation || parsed != PARSED_PORT)
		return 0;
	packet_start(&packet, ctx);
	packet_noted(&packet);
	generation = packet_set_machine(&packet, generation);
	if (!generation)
		return 0;
	packet_settle_kind(&packet, PARSED_PORT);
	packet.behind = packet_class(&packet);
	return table_admit_limit(&packet, generation, &limit) == ADMIT_LIMITED ?
		       limit_asks(&packet, generation, limit) :
		       0;
}

/* --- outgoing packets --- */

/* Notes a completed connection of a source at a limit. `packed`: a struct limit_word. */
__noinline int limit_complete(__u64 first, __u64 second, __u64 packed, __u32 owner)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct pc_limiter *own = limiter_own();
	const struct pc_limit *limit;
	struct limit_pair pair;
	__u64 at, due, most;

	if (!generation || !own)
		return 0;
	limit = &generation->limit[bounded(word.limit, PC_LIMITS - 1)];
	if (!limit_pair_find(limit_hash(limit, first, second, word, owner, own->secret),
			     PC_LIMIT_REAL_ROW(0), PC_LIMIT_REAL, &pair))
		return 0;
	at = limit_now();
	due = limit_due(&pair);
	most = at + limit->tolerance + limit->interval;
	if ((__s64)(due - at) < 0)
		due = at;
	if (word.begun)
		due += limit->interval;
	limit_raise(&pair, due < most ? due : most);
	return 0;
}

/* Notes a connection for each limit of a set. */
__noinline int limit_complete_all(struct __sk_buff *skb, __u64 packed, __u32 owner)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct packet packet = {.ip = word.ip, .ipv6 = word.ipv6};
	const struct pc_limit_set *set;
	struct address remote;
	int i;

	if (!generation)
		return 0;
	packet_init_egress(&packet, skb);
	remote = packet_address(&packet, false);
	set = &generation->limit_set[bounded(word.limit - 1, PC_LIMITS - 1)];
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LIMITS_OF_SPAN; i++) {
		if (!set->limit[i])
			break;
		word.limit = set->limit[i] - 1;
		limit_complete(remote.first, remote.second, limit_word_pack(word), owner);
	}
	return 0;
}

/*
 * Notes that a connection sends. Returns the word of limit_sent, with `begun` if it had not sent
 * before; 0: it did a moment ago.
 */
__noinline __u64 limit_tuple(struct __sk_buff *skb, __u64 packed)
{
	struct limit_word word = limit_word_unpack(packed);
	struct packet packet = {.ip = word.ip, .ipv6 = word.ipv6};
	__u64 known, mask = (1ULL << PC_LIMIT_TICK_BITS) - 1, hash;
	struct pc_limiter *own = limiter_own();
	struct address local, remote;
	volatile __u64 *cell;
	__u64 tuple[2];

	if (!own)
		return 0;
	packet_init_egress(&packet, skb);
	local = packet_address(&packet, true);
	remote = packet_address(&packet, false);
	tuple[0] = remote.first ^ word.ports;
	tuple[1] = remote.second ^ local.second;
	hash = pc_limit_hash(tuple, local.first, 0, own->secret);
	cell = limit_cell(PC_LIMIT_TUPLE + ((__u32)hash & (PC_LIMIT_TUPLES - 1)));
	if (!cell)
		return 0;
	known = *cell;
	hash = (hash & ~mask) | (limit_now() >> PC_LIMIT_TICK_SHIFT & mask);
	if (known == hash)
		return 0;
	*cell = hash;
	word.begun = !!((known ^ hash) & ~mask);
	return limit_word_pack(word);
}

/*
 * Whether a TCP packet shows that its connection was completed: this host's socket, or a machine
 * behind it, sends neither SYN nor RST. (Packets that this host sends without a socket belong to no
 * connection: they answer packets that may be forged.)
 */
static __always_inline bool limit_shows_completed(const struct packet *packet,
						  struct __sk_buff *skb)
{
	const struct bpf_sock *socket;

	if ((packet->tcp & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
		return false;
	/* A capture does not show which socket sent. */
	if (skb->ingress_ifindex || is_told())
		return true;
	socket = sending_socket(skb);
	return socket && socket->src_port == packet->local_port;
}

/*
 * The limits of a TCP packet that shows that its connection was completed, as a struct limit_word
 * with a set; 0: it has none. `sent`: kind_pack. A global function, because its caller has little
 * stack.
 */
__noinline __u64 limit_sent(struct __sk_buff *skb, __u64 sent)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	const struct pc_span *span;

	if (!generation)
		return 0;
	packet_init_egress(&packet, skb);
	kind_unpack(&packet, sent);
	if (!limit_shows_completed(&packet, skb))
		return 0;
	generation = packet_set_machine(&packet, generation);
	if (!generation)
		return 0;
	packet.behind = packet_class(&packet);
	span = entry_span(generation, entry_in(&packet, generation), packet.remote_port);
	if (!span || !span->limit)
		return 0;
	return limit_word_pack((struct limit_word){.ports = flow_ports_pack(&packet),
						   .limit = span->limit,
						   .ip = packet.ip,
						   .ipv6 = packet.ipv6,
						   .behind = packet.behind,
						   .generation = generation->number});
}

/* packet_tallies of a packet that a machine sends, else 0. */
__noinline __u32 limit_owner_sent(struct __sk_buff *skb, __u64 packed)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct packet packet = {.ip = word.ip, .ipv6 = word.ipv6};

	if (!generation || !word.behind)
		return 0;
	packet_init_egress(&packet, skb);
	return packet_set_machine(&packet, generation) ? packet_tallies(&packet) : 0;
}

/* Notes a connection that sends from a port with a limit. */
static __always_inline void limit_note_sent(struct __sk_buff *skb, __u64 sent)
{
	__u64 word = limit_sent(skb, sent);

	/* Each call is separate, because the functions called share a short stack. */
	if (word)
		word = limit_tuple(skb, word);
	if (word)
		limit_complete_all(skb, word, limit_owner_sent(skb, word));
}

#endif
