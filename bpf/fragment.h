/* SPDX-License-Identifier: GPL-2.0 */
/* The rule `fragment`: the later fragments of a datagram share the verdict of its first one. */
#ifndef PORTCULLIS_FRAGMENT_H
#define PORTCULLIS_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

/* Fills the key (RFC 791, 3.2; RFC 8200, 4.5); false if it cannot be read. */
static __always_inline bool fragment_key(const struct packet *packet, struct pc_fragment *key)
{
	const __be32 *source; /* the destination follows */
	const void *id;
	__be32 buffer[2];

	__builtin_memset(key, 0, sizeof(*key));
	key->egress = packet->egress;
	if (packet->ipv6) {
		/* Copied to where they go anyway: the stack is short. */
		if (!packet_read_ip(packet, offsetof(struct ipv6hdr, saddr), 32, key->source,
				    (const void **)&source))
			return false;
		key->family = 6;
		__builtin_memcpy(key->source, source, 16);
		__builtin_memcpy(key->destination, source + 4, 16);
		if (is_link_local6(key->destination[0]) || is_multicast6(key->destination[0]))
			key->link = packet->link;
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

static __always_inline void fragment_store(const struct packet *packet, __u32 cell, __u32 second)
{
	struct pc_fragment key;

	if (fragment_key(packet, &key)) {
		struct pc_fragment_state state = {.seen = now(), .cell = cell, .second = second};

		bpf_map_update_elem(&fragments, &key, &state, BPF_ANY);
	}
}

/* FRAGMENT_KNOWN | second << 32 | cell of the first fragment that passed; 0: none is known. */
#define FRAGMENT_KNOWN	   (1ULL << 63)
#define FRAGMENT_CELL(f)   ((__u32)(f))
#define FRAGMENT_SECOND(f) ((__u32)((f) >> 32) & 0x7fffffff)

static __always_inline __u64 fragment_find(const struct packet *packet)
{
	const struct pc_fragment_state *state;
	struct pc_fragment key;

	if (!fragment_key(packet, &key))
		return 0;
	state = bpf_map_lookup_elem(&fragments, &key);
	if (!state || (__s64)(now() - state->seen) >= (__s64)PC_FRAGMENT_LIFETIME)
		return 0;
	return FRAGMENT_KNOWN | (__u64)state->second << 32 | state->cell;
}

/* For the global functions: `ip` | `protocol` << 8 | `fragment_at` << 16, which is 0 for IPv4. */
static __always_inline void fragment_packet(struct packet *packet, struct xdp_md *ctx, __u32 where,
					    __u32 link)
{
	packet_start(packet, ctx);
	packet->gather = true;
	packet->ip = where & 0x1f;
	packet->protocol = where >> 8;
	packet->fragment_at = where >> 16;
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

static __always_inline __u32 fragment_where(const struct packet *packet)
{
	return (__u32)packet->fragment_at << 16 | packet->protocol << 8 | packet->ip;
}

/* The first fragment of a datagram passed, counted in these cells. */
static __always_inline void fragment_remember(const struct packet *packet, __u32 cell, __u32 second)
{
	if (packet->egress)
		fragment_store(packet, cell, second);
	else
		fragment_store_ingress(packet->ctx, fragment_where(packet), packet->link, cell,
				       second);
}

/* The cells that the first fragment of this datagram counted. */
static __always_inline __u64 fragment_follow(const struct packet *packet)
{
	return packet->egress ?
		       fragment_find(packet) :
		       fragment_find_ingress(packet->ctx, fragment_where(packet), packet->link);
}

#endif
