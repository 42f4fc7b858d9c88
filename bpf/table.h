/* SPDX-License-Identifier: GPL-2.0 */
/* The port table: the rules `service`, `source` and `unlisted`, and the `out` services. */
#ifndef PORTCULLIS_TABLE_H
#define PORTCULLIS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/machine.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

enum admit {
	ADMIT_UNLISTED,
	ADMIT_SOURCE, /* the port is listed, but not for this source or source port */
	ADMIT_PASS,
	ADMIT_LIMITED, /* as ADMIT_PASS, but pc_span.limit says that sources are limited */
};

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
		reached = (__s64)opaque((__s64)span->first - source - 1) >> 63;
		low += half & reached;
		count -= half;
	}
	span = &generation->span[bounded(low, PC_SPANS - 1)];
	return source >= span->first && source <= span->last ? span : NULL;
}

/* The span of an entry of the port table that contains a remote port, or NULL. */
static __always_inline const struct pc_span *entry_span(const struct pc_generation *generation,
							__u16 entry, __u16 remote_port)
{
	return entry < PC_PORT_RULE ?
		       NULL :
		       span_find(generation,
				 &generation->rule[bounded(entry - PC_PORT_RULE, PC_RULES - 1)],
				 remote_port);
}

/*
 * Reads the remote address into a key of a trie. False: it cannot be read. `remote`: a copy of the
 * address; NULL: read it from the packet.
 */
static __always_inline bool remote_key(const struct packet *packet, const void *remote,
				       struct pc_key *key)
{
	/* If it has to be copied, then into the key, because the stack is short. */
	const void *address;

	if (blind(packet->ipv6)) {
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
 * Whether the remote side is link-local. A multicast group of the link counts as link-local for
 * outgoing packets, because link-local addresses answer.
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

/* The values of a span and its trie that groups_admit needs in addition to the groups. */
struct groups_word {
	__u32 slot : 8;
	__u32 word : 8; /* pc_span.word */
	__u32 ipv6 : 1;
	__u32 outward : 1; /* as in struct packet */
	__u32 link_local : 1;
	__u32 unused : 13;
};

/* Fills the key of an address that packet_address read. */
static __always_inline void address_key(__u64 first, __u64 second, bool ipv6, struct pc_key *key)
{
	if (ipv6) {
		key->length = PC_KEY_FAMILY_BITS + 128;
		key->family = bpf_htonl(6);
		__builtin_memcpy(key->address, &first, 8);
		__builtin_memcpy(key->address + 8, &second, 8);
	} else {
		key->length = PC_KEY_FAMILY_BITS + 32;
		key->family = bpf_htonl(4);
		__builtin_memcpy(key->address, &first, 4);
	}
}

/*
 * Whether groups, or link-local if the span has it, admit an address. A global function, so that
 * the verifier checks it once.
 */
__noinline int groups_admit(__u64 first, __u64 second, __u64 groups, __u32 how)
{
	struct groups_word word = bits_as(struct groups_word, how);
	struct packet packet = {.outward = word.outward};
	const struct pc_groups *found;
	struct pc_key key = {};
	__u32 slot = word.slot;
	void *trie;

	address_key(first, second, word.ipv6, &key);
	if (word.link_local && is_link_local(&packet, &key))
		return true;
	trie = groups ? bpf_map_lookup_elem(&tries, &slot) : NULL;
	found = trie ? bpf_map_lookup_elem(trie, &key) : NULL;
	return found && (found->word[bounded(word.word, PC_GROUP_WORDS - 1)] & groups);
}

/* As span_admits, with calls. */
static __always_inline bool span_admits_called(const struct packet *packet,
					       const struct pc_span *span, __u32 slot)
{
	struct groups_word word = {.slot = slot,
				   .word = span->word,
				   .ipv6 = packet->ipv6,
				   .outward = packet->outward,
				   .link_local = span->link_local};
	struct address remote;

	if (span->anyone)
		return true;
	remote = packet_address(packet, !packet->outward);
	return groups_admit(remote.first, remote.second, span->groups, bits_as(__u32, word));
}

/* Whether a span admits the remote address. `slot`: the trie of the generation. */
static __always_inline bool span_admits(const struct packet *packet, const void *remote,
					const struct pc_span *span, __u32 slot)
{
	const struct pc_groups *groups;
	struct pc_key key = {};
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
	/* The first pass knows that this host's groups are in the first word. */
	return groups &&
	       (groups->word[packet->gather ? bounded(span->word, PC_GROUP_WORDS - 1) : 0] &
		span->groups);
}

static __always_inline enum admit span_passes(const struct pc_span *span, __u32 *limit)
{
	__u8 set = span->limit;

	if (!set)
		return ADMIT_PASS;
	*limit = set;
	return ADMIT_LIMITED;
}

/*
 * Whether an entry of the port table admits the remote address and port; `called`: with calls. Sets
 * `limit` to pc_span.limit if the result is ADMIT_LIMITED.
 */
static __always_inline enum admit entry_admit(const struct packet *packet, const void *remote,
					      const struct pc_generation *generation, __u16 entry,
					      bool called, __u32 *limit)
{
	const struct pc_span *span;

	if (entry == PC_PORT_CLOSED)
		return ADMIT_UNLISTED;
	if (entry == PC_PORT_OPEN)
		return ADMIT_PASS;
	span = entry_span(generation, entry, packet->remote_port);
	if (!span)
		return ADMIT_SOURCE;
	return (called ? span_admits_called(packet, span, generation->tries_slot) :
			 span_admits(packet, remote, span, generation->tries_slot)) ?
		       span_passes(span, limit) :
		       ADMIT_SOURCE;
}

/* The entry of the packet's local port. */
static __always_inline __u16 entry_in(const struct packet *packet,
				      const struct pc_generation *generation)
{
	__u32 port = PC_PORT(packet->transport, packet->local_port);

	return packet->behind ? class_port(packet, generation, 0, port)->entry :
				generation->port[bounded(port, PC_PORTS - 1)];
}

/* The entry of the packet's remote port among `out` services. */
static __always_inline __u16 entry_out(const struct packet *packet,
				       const struct pc_generation *generation)
{
	__u32 port = PC_PORT(packet->transport, packet->remote_port);

	return packet->behind ? class_port(packet, generation, 1, port)->entry :
				generation->out[bounded(port, PC_PORTS - 1)];
}

/* Whether the local port is open to every source port. */
static __always_inline bool table_any_source(const struct packet *packet,
					     const struct pc_generation *generation)
{
	__u16 entry = entry_in(packet, generation);
	const struct pc_rule *rule;
	const struct pc_span *span;

	if (entry < PC_PORT_RULE)
		return entry == PC_PORT_OPEN;
	rule = &generation->rule[bounded(entry - PC_PORT_RULE, PC_RULES - 1)];
	span = &generation->span[bounded(rule->span, PC_SPANS - 1)];
	return !span->first && span->last == 0xffff;
}

/* As table_admit; `remote` is a copy of the remote address. It makes no calls, because there is no
 * stack for them. */
static __always_inline enum admit table_admit_from(const struct packet *packet, const void *remote,
						   const struct pc_generation *generation)
{
	__u32 limit;

	return entry_admit(packet, remote, generation, entry_in(packet, generation), false, &limit);
}

/* Whether the table may use calls, which cost 5 ns, and only where groups matter. For the usual
 * packet it is in line.
 */
static __always_inline bool table_calls(const struct packet *packet)
{
	return packet->behind || (packet->gather && !packet->egress);
}

/* As table_admit. `limit`: as entry_admit. */
static __always_inline enum admit
table_admit_limit(const struct packet *packet, const struct pc_generation *generation, __u32 *limit)
{
	return entry_admit(packet, NULL, generation, entry_in(packet, generation),
			   table_calls(packet), limit);
}

/* Whether the local port is open to the remote side: for an outgoing packet, to its answer. */
static __always_inline enum admit table_admit(const struct packet *packet,
					      const struct pc_generation *generation)
{
	__u32 limit;

	return table_admit_limit(packet, generation, &limit);
}

/* Whether an `out` service lists the remote side. */
static __always_inline bool table_covers(const struct packet *packet,
					 const struct pc_generation *generation)
{
	__u32 limit;

	return entry_admit(packet, NULL, generation, entry_out(packet, generation),
			   table_calls(packet), &limit) >= ADMIT_PASS;
}

#endif
