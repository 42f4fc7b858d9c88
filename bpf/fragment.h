/* SPDX-License-Identifier: GPL-2.0 */
/* The rule `fragment`: the later fragments of a datagram share the verdict of its first one. */
#ifndef PORTCULLIS_FRAGMENT_H
#define PORTCULLIS_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

/* Fills the key of a datagram (RFC 791, 3.2; RFC 8200, 4.5). False: it cannot be read. */
static __always_inline bool fragment_key(const struct packet *packet, struct pc_fragment *key)
{
	const __be32 *source; /* the destination follows */
	const void *id;
	__be32 buffer[2];

	__builtin_memset(key, 0, sizeof(*key));
	key->egress = packet->egress;
	if (packet->ipv6) {
		/* Written before it is known whether it is needed, so that it needs no stack until
		 * then. */
		*(volatile __u16 *)&key->link = packet->link;
		/* If they have to be copied, then into the key, because the stack is short. */
		if (!packet_read_ip(packet, offsetof(struct ipv6hdr, saddr), 32, key->source,
				    (const void **)&source))
			return false;
		key->family = 6;
		__builtin_memcpy(key->source, source, 16);
		__builtin_memcpy(key->destination, source + 4, 16);
		if (!is_link_local6(key->destination[0]) && !is_multicast6(key->destination[0]))
			key->link = 0;
		if (!packet_read(packet,
				 (packet->fragment_at & 0x7fff) +
					 offsetof(struct ipv6_extension, id),
				 4, buffer, &id))
			return false;
		key->id = *(const __be32 *)id;
	} else {
		if (!packet_read_ip(packet, offsetof(struct iphdr, saddr), 8, buffer,
				    (const void **)&source))
			return false;
		key->family = 4;
		key->protocol = packet->protocol;
		key->source[0] = source[0];
		key->destination[0] = source[1];
		if (!packet_read_ip(packet, offsetof(struct iphdr, id), 2, buffer, &id))
			return false;
		key->id = *(const __be16 *)id;
	}
	return true;
}

/* Stores the cells that the first fragment of a datagram counted. */
static __always_inline void fragment_store(const struct packet *packet, __u32 cell, __u32 second)
{
	struct pc_fragment key;

	if (fragment_key(packet, &key)) {
		struct pc_fragment_state state = {.seen = now(), .cell = cell, .second = second};

		bpf_map_update_elem(&fragments, &key, &state, BPF_ANY);
	}
}

/* The cells that the first fragment of a datagram counted when it passed. */
struct first_fragment {
	__u64 cell : 32;
	__u64 second : 31;
	__u64 known : 1; /* 0: no first fragment of the datagram passed recently */
};
_Static_assert(PC_FRAGMENT_ECHO < 1ULL << 31, "first_fragment.second");

static __always_inline __u64 first_fragment_pack(struct first_fragment first)
{
	return bits_as(__u64, first);
}

static __always_inline struct first_fragment first_fragment_unpack(__u64 word)
{
	return bits_as(struct first_fragment, word);
}

/* Finds the first fragment of a datagram: a packed struct first_fragment. */
static __always_inline __u64 fragment_find(const struct packet *packet)
{
	const struct pc_fragment_state *state;
	struct pc_fragment key;

	if (is_told())
		return first_fragment_pack(
			(struct first_fragment){.cell = explained.first_cell,
						.second = explained.first_second,
						.known = !!told(PC_TOLD_FRAGMENT)});
	if (!fragment_key(packet, &key))
		return 0;
	state = bpf_map_lookup_elem(&fragments, &key);
	if (!state || (__s64)(now() - state->seen) >= (__s64)PC_FRAGMENT_LIFETIME)
		return 0;
	return first_fragment_pack(
		(struct first_fragment){.cell = state->cell, .second = state->second, .known = 1});
}

/* The offsets that fragment_key reads, as a word for the global functions. */
struct fragment_where {
	__u32 ip : 8;
	__u32 protocol : 8;
	__u32 fragment_at : 16; /* offset of the IPv6 fragment header; 0: IPv4 */
};

static __always_inline __u32 fragment_where_pack(const struct packet *packet)
{
	struct fragment_where where = {
		.ip = packet->ip, .protocol = packet->protocol, .fragment_at = packet->fragment_at};

	return bits_as(__u32, where);
}

static __always_inline struct fragment_where fragment_where_unpack(__u32 word)
{
	return bits_as(struct fragment_where, word);
}

/* Fills the packet of a global function at ingress. */
static __always_inline void fragment_packet(struct packet *packet, struct xdp_md *ctx, __u32 word,
					    __u32 link)
{
	struct fragment_where where = fragment_where_unpack(word);

	packet_start(packet, ctx);
	packet->gather = true;
	packet->ip = where.ip;
	packet->protocol = where.protocol;
	packet->fragment_at = where.fragment_at;
	packet->ipv6 = !!packet->fragment_at;
	packet->link = link;
}

__noinline __u64 fragment_find_ingress(struct xdp_md *ctx, __u32 where, __u32 link)
{
	struct packet packet = {};

	fragment_packet(&packet, ctx, where, link);
	return fragment_find(&packet);
}

__noinline int fragment_store_ingress(struct xdp_md *ctx, __u32 where, __u32 link, __u32 cell,
				      __u32 second)
{
	struct packet packet = {};

	fragment_packet(&packet, ctx, where, link);
	fragment_store(&packet, cell, second);
	return 0;
}

/* fragment_packet at egress. */
static __always_inline void fragment_packet_egress(struct packet *packet, struct __sk_buff *skb,
						   __u32 word, __u32 link)
{
	struct fragment_where where = fragment_where_unpack(word);

	packet_init_egress(packet, skb);
	packet->ip = where.ip;
	packet->protocol = where.protocol;
	packet->fragment_at = where.fragment_at;
	packet->ipv6 = !!packet->fragment_at;
	packet->link = link;
}

__noinline __u64 fragment_find_egress(struct __sk_buff *skb, __u32 where, __u32 link)
{
	struct packet packet = {};

	fragment_packet_egress(&packet, skb, where, link);
	return fragment_find(&packet);
}

__noinline int fragment_store_egress(struct __sk_buff *skb, __u32 where, __u32 link, __u32 cell,
				     __u32 second)
{
	struct packet packet = {};

	fragment_packet_egress(&packet, skb, where, link);
	fragment_store(&packet, cell, second);
	return 0;
}

/* Remembers a first fragment that passes and the cells that it counts. */
static __always_inline void fragment_remember(const struct packet *packet, __u32 cell, __u32 second)
{
	if (packet->egress)
		fragment_store_egress(packet->ctx, fragment_where_pack(packet), packet->link, cell,
				      second);
	else
		fragment_store_ingress(packet->ctx, fragment_where_pack(packet), packet->link, cell,
				       second);
}

/* The first fragment of the datagram to which a later fragment belongs. */
static __always_inline struct first_fragment fragment_follow(const struct packet *packet)
{
	__u64 word = packet->egress ?
			     fragment_find_egress(packet->ctx, fragment_where_pack(packet),
						  packet->link) :
			     fragment_find_ingress(packet->ctx, fragment_where_pack(packet),
						   packet->link);

	return first_fragment_unpack(word);
}

#endif
