/* SPDX-License-Identifier: GPL-2.0 */
/* Temporary members of groups (abi_grants.h), looked up where a port, a limit or a ban refuses a
 * packet. */
#ifndef PORTCULLIS_GRANT_H
#define PORTCULLIS_GRANT_H

#include <stdbool.h>

#include "bpf/flow.h"
#include "bpf/learn.h"
#include "bpf/listen.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/table.h"

/*
 * Whose groups are looked up: those of a span of the active generation, of limits of a set, or of
 * `never-ban`; as a word for the functions below. 0: none. A swap may come in between, so the word
 * has the lowest byte of the generation's number.
 */
struct granting_span {
	__u32 index : 16; /* index of the span; with `limits` that of the set */
	__u32 ipv6 : 1;	  /* the packet is IPv6 */
	/* A bit for each limit whose `except` is looked up; 0: the groups of the span are. */
	__u32 limits : 4;
	__u32 never : 1; /* the groups of `never-ban` are looked up */
	__u32 unused : 1;
	__u32 set : 1; /* 1 */
	__u32 generation : 8;
};
_Static_assert(PC_LIMITS_OF_SPAN <= 4, "granting_span.limits");

/*
 * The key of the address that is looked up. It uses the memory of the event, because the stack is
 * short; events are made only after the verdict. struct noted_frame follows it there.
 */
static __always_inline struct pc_grant_key *grant_key(void)
{
	return (struct pc_grant_key *)event_place();
}
_Static_assert(offsetof(struct pc_event, length) >= offsetof(struct pc_grant_key, group) &&
		       offsetof(struct pc_event, length) < offsetof(struct pc_grant_key, address),
	       "span_granted clears pc_event.length");

/* The generation of a span's word; NULL: a swap came in between. */
static __always_inline const struct pc_generation *granting_generation(struct granting_span known)
{
	const struct pc_generation *generation = generation_current();

	return generation && (__u8)generation->number == known.generation ? generation : NULL;
}

/* The groups that a word selects. */
static __always_inline __u64 granting_groups(const struct pc_generation *generation,
					     struct granting_span known)
{
	const struct pc_limit_set *set =
		&generation->limit_set[bounded(known.index, PC_LIMITS - 1)];
	__u64 groups = 0;
	int i;

	if (known.never)
		return generation->never_ban;
	if (!known.limits)
		return generation->span[bounded(known.index, PC_SPANS - 1)].groups;

/* It has no branches, because the verifier would follow both sides of each. */
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LIMITS_OF_SPAN; i++)
		groups |= generation->limit[bounded(set->limit[i] - 1, PC_LIMITS - 1)].except &
			  -(opaque(known.limits) >> i & 1);
	return groups;
}

/* The word of struct pc_groups to which these groups belong. */
static __always_inline __u32 granting_groups_word(const struct pc_generation *generation,
						  struct granting_span known)
{
	if (known.never)
		return 0;
	return known.limits ? generation->limit_set[bounded(known.index, PC_LIMITS - 1)].word :
			      generation->span[bounded(known.index, PC_SPANS - 1)].word;
}

#define GRANT_PART 8 /* groups that span_granted_part looks up */

/*
 * Whether a grant that has not ended puts the address in this CPU's grant_key into one of eight
 * groups of the word. A global function, so that the verifier follows eight steps, and not one for
 * each group. The groups are found again, because its caller has only 32 bytes of stack.
 */
__noinline int span_granted_part(__u32 word, __u32 part)
{
	struct granting_span known = bits_as(struct granting_span, word);
	struct pc_grant_key *key = grant_key();
	const struct pc_generation *generation = granting_generation(known);
	__u32 second, i, from = bounded(part * GRANT_PART, PC_GROUPS - GRANT_PART);
	const __u64 *group;
	__u64 groups;
	void *trie;

	if (!key || !generation)
		return false;
	group = &generation->group[bounded(granting_groups_word(generation, known),
					   PC_GROUP_WORDS - 1)][from];
	groups = granting_groups(generation, known) >> from;
	trie = only_of(&grants);
	if (!trie)
		return false;
	second = second_of_ends();
	for (i = 0; i < GRANT_PART; i++) {
		const __u32 *until;

		if (!(groups >> i & 1) || !group[i])
			continue;
		key->group = group[i];
		until = bpf_map_lookup_elem(trie, key);
		if (until && second < *until)
			return true;
	}
	return false;
}

/*
 * Whether a grant that has not ended puts an address into one of the groups of the word. A
 * global function, so that the verifier checks it once.
 */
__noinline int span_granted(__u64 first, __u64 second, __u32 word)
{
	struct granting_span known = bits_as(struct granting_span, word);
	struct pc_grant_key *key = grant_key();
	const struct pc_generation *generation = granting_generation(known);
	bool granted = false;
	__u64 groups;
	__u32 part;

	if (!key || !generation)
		return false;
	groups = granting_groups(generation, known);
	key->length = PC_GRANT_BITS + (known.ipv6 ? 128 : 32);
	key->family = bpf_htonl(known.ipv6 ? 6 : 4);
	__builtin_memcpy(key->address, &first, 8);
	__builtin_memcpy(key->address + 8, &second, 8);
	for (part = 0; part < PC_GROUPS / GRANT_PART; part++)
		if (groups >> part * GRANT_PART & ((1 << GRANT_PART) - 1) &&
		    span_granted_part(word, part)) {
			granted = true;
			break;
		}
	key->group = 0; /* also clears pc_event.length, which stays 0 until there is an answer */
	return granted;
}

/* The span of an entry that contains the remote port and has groups, as a struct granting_span; 0:
 * none. */
static __always_inline __u32 granting_span(const struct packet *packet,
					   const struct pc_generation *generation, __u16 entry)
{
	const struct pc_span *span = entry_span(generation, entry, packet->remote_port);
	struct granting_span found = {
		.ipv6 = packet->ipv6, .set = 1, .generation = generation->number};

	if (!span || !span->groups)
		return 0;
	found.index = span - generation->span;
	return bits_as(__u32, found);
}

/* Fills a packet, without its addresses. */
static __always_inline void grant_packet(struct packet *packet, __u32 ports, __u32 how)
{
	flow_fill(packet, 0, ports, how);
	packet->transport = packet->protocol == PROTOCOL_TCP ? PC_TCP : PC_UDP;
	packet->machine = machine_pack(flow_how_unpack(how).class, 0);
	packet->behind = flow_how_unpack(how).class;
}

/*
 * The span whose groups a grant may extend for a packet: that of its local port, or with
 * flow_how.echo of its remote port. Each argument is used, because for an unused one the compiler
 * may pass an uninitialized register, which the verifier refuses.
 */
__noinline int span_of_packet(__u32 ports, __u32 how)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};

	if (!generation || !is_class_of(how, generation))
		return 0;
	grant_packet(&packet, ports, how);
	return granting_span(&packet, generation,
			     flow_how_unpack(how).echo ? entry_out(&packet, generation) :
							 entry_in(&packet, generation));
}

/* Whether a grant opens the local port to the remote side, or with `out` the remote port to us. */
static __always_inline bool packet_granted(const struct packet *packet,
					   const struct pc_generation *generation, bool out)
{
	struct flow_how how = flow_how_unpack(flow_how_pack(packet));
	struct address remote;
	__u32 span;

	how.made = generation->number;
	how.echo = out;
	span = span_of_packet(flow_ports_pack(packet), bits_as(__u32, how));
	if (!span)
		return false;
	remote = packet_address(packet, !packet->outward);
	return span_granted(remote.first, remote.second, span);
}

/* Whether there may be grants. Tests one byte that is read anyway. */
static __always_inline bool has_grants(void)
{
	return filter.flag & PC_FILTER_GRANTS;
}

#endif
