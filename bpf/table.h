/* SPDX-License-Identifier: GPL-2.0 */
/* The port table: the rules `service`, `source` and `unlisted`, and the `out` services. */
#ifndef PORTCULLIS_TABLE_H
#define PORTCULLIS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

enum admit {
	ADMIT_UNLISTED,
	ADMIT_SOURCE, /* the port is listed, but not for this source or source port */
	ADMIT_PASS,
};

/* The generation in a slot, or NULL. */
static __always_inline const struct pc_generation *generation_in(__u32 slot)
{
	void *map = bpf_map_lookup_elem(&generations, &slot);

	slot = 0;
	return map ? bpf_map_lookup_elem(map, &slot) : NULL;
}

/* The active generation, or NULL. The clock is slow: it is read only if there is a deadline. */
static __always_inline const struct pc_generation *generation_current(void)
{
	const struct pc_generation *generation = generation_in(0);
	__u64 deadline;

	if (!generation)
		return NULL;
	/* `confirm` stores 0: a second read would take that for a deadline long past. */
	deadline = *(const volatile __u64 *)&generation->deadline;
	if (deadline && bpf_ktime_get_boot_ns() >= deadline)
		return generation_in(generation->fallback);
	return generation;
}

/*
 * The span of a rule that contains a source port, or NULL. Spans are sorted and disjoint. A step of
 * the search adds `half` or 0 without a branch, because the verifier would follow both sides of
 * each branch.
 */
static __always_inline const struct pc_span *span_find(const struct pc_generation *generation,
						       const struct pc_rule *rule, __u16 source)
{
	__u64 low = rule->span, count = rule->spans;
	const struct pc_span *span;
	int i;

	if (!count)
		return NULL;
	for (i = 0; i < PC_SEARCH_STEPS && count > 1; i++) {
		__u64 half = count / 2;
		__s64 reached; /* all ones if the span begins at `source` or below, else 0 */

		span = &generation->span[bounded(low + half, PC_SPANS - 1)];
		reached = ((__s64)span->first - source - 1) >> 63;
		low += half & reached;
		count -= half;
	}
	span = &generation->span[bounded(low, PC_SPANS - 1)];
	return source >= span->first && source <= span->last ? span : NULL;
}

/*
 * Reads the remote address into a key of a trie. False: the address cannot be read. `remote` is a
 * copy of the address, or NULL to read it from the packet.
 */
static __always_inline bool remote_key(const struct packet *packet, const void *remote,
				       struct pc_key *key)
{
	/* If it must be copied, it is copied into the key: the stack is short. */
	const void *address;

	if (packet->ipv6) {
		if (remote)
			address = remote;
		else if (!packet_read_ip(packet,
					 (packet->outward ? offsetof(struct ipv6hdr, daddr) :
							    offsetof(struct ipv6hdr, saddr)),
					 16, key->address, &address))
			return false;
		key->length = PC_KEY_FAMILY_BITS + 128;
		key->family = bpf_htonl(6);
		__builtin_memcpy(key->address, address, 16);
	} else {
		if (remote)
			address = remote;
		else if (!packet_read_ip(packet,
					 (packet->outward ? offsetof(struct iphdr, daddr) :
							    offsetof(struct iphdr, saddr)),
					 4, key->address, &address))
			return false;
		key->length = PC_KEY_FAMILY_BITS + 32;
		key->family = bpf_htonl(4);
		__builtin_memcpy(key->address, address, 4);
	}
	return true;
}

/*
 * Whether the remote side is link-local. Outgoing packets to a multicast group of the link count as
 * such, because link-local addresses answer them.
 */
static __always_inline bool is_link_local(const struct packet *packet, const struct pc_key *key)
{
	const __u8 *address = key->address;

	if (key->family == bpf_htonl(6))
		return (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) ||
		       (packet->outward && address[0] == 0xff && (address[1] & 0x0f) == 2);
	return (address[0] == 169 && address[1] == 254) ||
	       (packet->outward && address[0] == 224 && !address[1] && !address[2]);
}

/* Whether a span admits the remote address. `slot`: the trie of the generation. */
static __always_inline bool span_admits(const struct packet *packet, const void *remote,
					const struct pc_span *span, __u32 slot)
{
	struct pc_key key = {};
	__u64 *groups;
	void *trie;

	if (span->anyone)
		return true;
	if (!remote_key(packet, remote, &key))
		return false;
	if (span->link_local && is_link_local(packet, &key))
		return true;
	if (!span->groups)
		return false;
	trie = bpf_map_lookup_elem(&tries, &slot);
	if (!trie)
		return false;
	groups = bpf_map_lookup_elem(trie, &key);
	return groups && (*groups & span->groups);
}

/* Whether an entry of the port table admits the remote address and port. */
static __always_inline enum admit entry_admit(const struct packet *packet, const void *remote,
					      const struct pc_generation *generation, __u16 entry)
{
	const struct pc_span *span;

	if (entry == PC_PORT_CLOSED)
		return ADMIT_UNLISTED;
	if (entry == PC_PORT_OPEN)
		return ADMIT_PASS;
	span = span_find(generation, &generation->rule[bounded(entry - PC_PORT_RULE, PC_RULES - 1)],
			 packet->remote_port);
	return span && span_admits(packet, remote, span, generation->tries_slot) ? ADMIT_PASS :
										   ADMIT_SOURCE;
}

/* Whether the local port is open to every source port. */
static __always_inline bool table_any_source(const struct packet *packet,
					     const struct pc_generation *generation)
{
	__u32 port = PC_PORT(packet->transport, packet->local_port);
	__u16 entry = generation->port[bounded(port, PC_PORTS - 1)];
	const struct pc_rule *rule;
	const struct pc_span *span;

	if (entry < PC_PORT_RULE)
		return entry == PC_PORT_OPEN;
	rule = &generation->rule[bounded(entry - PC_PORT_RULE, PC_RULES - 1)];
	span = &generation->span[bounded(rule->span, PC_SPANS - 1)];
	return !span->first && span->last == 0xffff;
}

/* As table_admit; `remote` is a copy of the remote address, or NULL. */
static __always_inline enum admit table_admit_from(const struct packet *packet, const void *remote,
						   const struct pc_generation *generation)
{
	__u32 port = PC_PORT(packet->transport, packet->local_port);

	return entry_admit(packet, remote, generation,
			   generation->port[bounded(port, PC_PORTS - 1)]);
}

/* Whether the local port is open to the remote side: for an outgoing packet, to its answer. */
static __always_inline enum admit table_admit(const struct packet *packet,
					      const struct pc_generation *generation)
{
	return table_admit_from(packet, NULL, generation);
}

/* Whether an `out` service lists the remote side. */
static __always_inline bool table_covers(const struct packet *packet,
					 const struct pc_generation *generation)
{
	__u32 port = PC_PORT(packet->transport, packet->remote_port);

	return entry_admit(packet, NULL, generation,
			   generation->out[bounded(port, PC_PORTS - 1)]) == ADMIT_PASS;
}

#endif
