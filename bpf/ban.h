/* SPDX-License-Identifier: GPL-2.0 */
/* Banned and denied sources: the rules `banned`, `denied`. abi_bans.h describes the table. */
#ifndef PORTCULLIS_BAN_H
#define PORTCULLIS_BAN_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/account.h"
#include "bpf/grant.h"
#include "bpf/listen.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/table.h"

/* A packet whose source is looked up, as a word for the global functions. 0: no look-up is
 * needed. */
struct ban_word {
	__u64 length : 32; /* of the frame */
	__u64 ip : 5;	   /* offset of the IP header */
	__u64 ipv6 : 1;
	__u64 count : 1; /* a drop adds to the counts of its ban */
	__u64 would : 1; /* the drop is a would-drop */
	__u64 udp : 1;	 /* UDP with known ports */
	__u64 unused : 22;
	__u64 set : 1; /* 1 */
};

static __always_inline __u64 ban_word_pack(struct ban_word word)
{
	return bits_as(__u64, word);
}

static __always_inline struct ban_word ban_word_unpack(__u64 word)
{
	return bits_as(struct ban_word, word);
}

static __always_inline const struct pc_bans *bans_current(void)
{
	void *map = only_of(&bans);

	return map ? only_of(map) : NULL;
}

static __always_inline struct pc_ban_chunk *ban_chunk(__u32 slot, __u32 line)
{
	__u32 key = slot + line / PC_BAN_LINES;
	void *map = bpf_map_lookup_elem(&ban_chunks, &key);

	return map ? only_of(map) : NULL;
}

/* The weight with which a drop counts for its ban; 0: it is not counted. */
static __always_inline __u32 ban_weight(struct pc_heard_cpu *own)
{
	__u64 jiffy = bpf_jiffies64();

	if (own->ban_jiffy != jiffy) {
		own->ban_jiffy = jiffy;
		own->ban_used = 0;
	}
	if (++own->ban_used <= PC_BAN_EACH)
		return 1;
	/* A multiplicative hash, so that sources that send in turn are sampled equally. */
	return own->ban_used * 0x9e3779b1u % (1u << 31) < (1u << 31) / PC_BAN_SAMPLE ?
		       PC_BAN_SAMPLE :
		       0;
}

static __always_inline void ban_count(struct pc_ban_chunk *chunk, __u32 entry, struct ban_word what)
{
	struct pc_heard_cpu *own = heard_own();
	struct pc_ban_count *count =
		&chunk->count[entry < PC_BAN_LINES * PC_BAN_ENTRIES ? entry : 0];
	__u32 weight;

	if (!what.count || !own)
		return;
	weight = ban_weight(own);
	if (!weight)
		return;
	if (what.would) {
		__sync_fetch_and_add(&count->would.packets, weight);
		__sync_fetch_and_add(&count->would.bytes, (__u64)what.length * weight);
	} else {
		__sync_fetch_and_add(&count->drop.packets, weight);
		__sync_fetch_and_add(&count->drop.bytes, (__u64)what.length * weight);
	}
}

/* Whether an end is still in the future. */
static __always_inline bool ban_holds(__u32 until)
{
	return until >= PC_BAN_NEVER || second_of_ends() < until;
}

/* What a line says about a prefix: BAN_*. */
#define BAN_NONE  0
#define BAN_MORE  1 /* nothing, but the second line may */
#define BAN_DROP  2
#define BAN_NEVER 3

/* What an entry with the prefix says: BAN_*. */
static __always_inline int ban_entry(struct pc_ban_chunk *chunk, __u32 line, __u32 entry,
				     __u32 until, struct ban_word what)
{
	if (!ban_holds(pc_ban_end(until)))
		return until & PC_BAN_PASSES ? BAN_NEVER : BAN_NONE;
	if (until == PC_BAN_NEVER)
		return BAN_NEVER;
	ban_count(chunk, bounded(line, PC_BAN_LINES - 1) * PC_BAN_ENTRIES + entry, what);
	return BAN_DROP;
}

/*
 * The entries of a line that have the prefix, as a bit each. It has no branches, because the
 * verifier would follow both sides of each.
 */
static __always_inline __u64 ban_entries6(const struct pc_ban_line *line, const __u64 address[2],
					  __u8 kind)
{
	__u64 entries = 0, differ;
	__u32 i;

#pragma clang loop unroll(full)
	for (i = 0; i < PC_BAN_ENTRIES6; i++) {
		differ = (line->ipv6.address[i][0] ^ address[0]) |
			 (line->ipv6.address[i][1] ^ address[1]) | (line->ipv6.kind[i] ^ kind);
		entries |= (opaque(differ | -differ) >> 63 ^ 1) << i;
	}
	return entries;
}

/* As ban_entries6. */
static __always_inline __u64 ban_entries4(const struct pc_ban_line *line, __u64 address, __u8 kind)
{
	__u64 entries = 0, differ;
	__u32 i;

#pragma clang loop unroll(full)
	for (i = 0; i < PC_BAN_ENTRIES4; i++) {
		differ = (line->ipv4.address[i] ^ address) | (line->ipv4.kind[i] ^ kind);
		entries |= (opaque(differ - 1) >> 63) << i;
	}
	return entries;
}

/* The number of the highest bit of a byte, without branches. */
static __always_inline __u64 highest_bit(__u64 byte)
{
	__u64 four = opaque(0xf - byte) >> 63 << 2, two;

	byte >>= four;
	two = opaque(3 - byte) >> 63 << 1;
	return four + two + (byte >> two >> 1);
}
_Static_assert(PC_BAN_ENTRIES <= 8, "highest_bit");

/* The index of the entry in a line that has the prefix; PC_BAN_ENTRIES: none. */
static __always_inline __u64 ban_place6(const struct pc_ban_line *line, const __u64 address[2],
					__u32 kind)
{
	__u64 entries = ban_entries6(line, address, kind);

	return entries ? highest_bit(entries) : PC_BAN_ENTRIES;
}

/* As ban_place6, for IPv4. A global function, so that the verifier checks it once. */
__noinline __u32 ban_place_exactly(__u32 slot, __u32 line, __u32 address, __u32 kind)
{
	struct pc_ban_chunk *chunk = ban_chunk(slot, line);
	__u64 entries;

	if (!chunk)
		return PC_BAN_ENTRIES;
	entries = ban_entries4(&chunk->line[bounded(line, PC_BAN_LINES - 1)], address, kind);
	return entries ? highest_bit(entries) : PC_BAN_ENTRIES;
}

/*
 * As ban_place6. Usually no entry or one has the address, so the index is added up and not found
 * from a bit mask: the next load then waits for fewer instructions, and this wait is most of the
 * cost.
 */
static __always_inline __u64 ban_place4(const struct pc_ban_line *at, __u64 address, __u32 kind,
					__u32 slot, __u32 line)
{
	__u64 entry = 0, count = 0;
	__u32 i;

#pragma clang loop unroll(full)
	for (i = 0; i < PC_BAN_ENTRIES4; i++) {
		/* All bits set if the condition holds, else 0. */
		__u64 is = opaque((__s64)((at->ipv4.address[i] ^ address) - 1) >> 63);

		entry |= is & i;
		count -= is;
	}
	if (!count)
		return PC_BAN_ENTRIES;
	/* Otherwise prefixes of several lengths could have the same first address. */
	if (count != 1 || at->ipv4.kind[bounded(entry, 7)] != kind)
		entry = ban_place_exactly(slot, line, address, kind);
	return entry;
}

/* Looks for a prefix in a line. */
static __always_inline int ban_in_line(const __u64 address[2], __u32 kind, __u32 slot, __u32 line,
				       struct ban_word what)
{
	struct pc_ban_chunk *chunk = ban_chunk(slot, line);
	const struct pc_ban_line *at;
	__u64 entry, until;
	int found = BAN_NONE;

	if (!chunk)
		return BAN_NONE;
	at = &chunk->line[bounded(line, PC_BAN_LINES - 1)];
	entry = what.ipv6 ? ban_place6(at, address, kind) :
			    ban_place4(at, address[0] >> 32, kind, slot, line);
	entry = bounded(forgotten(entry, kind), 7);
	if (entry < PC_BAN_ENTRIES) {
		until = what.ipv6 ? offsetof(struct pc_ban_line, ipv6.until) :
				    offsetof(struct pc_ban_line, ipv4.until);
		until = *(const volatile __u32 *)((const char *)at +
						  bounded(until + entry * sizeof(__u32), 63));
		found = ban_entry(chunk, line, entry, until, what);
	}
	return found == BAN_NONE && at->ipv4.more ? BAN_MORE : found;
}

static __always_inline bool ban_marked4(const struct pc_bans *table, __u64 first)
{
	__u32 bit = PC_BAN_BIT4(first);

	return table->mark4[bounded(bit >> 3, sizeof(table->mark4) - 1)] >> (bit & 7) & 1;
}

/* Whether an IPv6 prefix has a mark. */
static __always_inline bool ban_marked6(const struct pc_bans *table, __u64 first, __u32 kind)
{
	__u64 address[2] = {first, 0};
	__u32 bit;

	pc_ban_mask(address, (kind - PC_BAN_KIND6(0)) & 63);
	bit = PC_BAN_BIT6(pc_ban_hash6(address, kind, table->secret));
	return table->mark6[bounded(bit >> 3, sizeof(table->mark6) - 1)] >> (bit & 7) & 1;
}

/* Looks for the prefix of an address in its lines. */
static __always_inline int ban_in_lines(const struct pc_bans *table, __u64 address[2], __u32 kind,
					__u32 length, struct ban_word what)
{
	__u64 hash;
	int found;

	pc_ban_mask(address, length);
	hash = what.ipv6 ? pc_ban_hash6(address, kind, table->secret) :
			   pc_ban_hash4(address[0], kind, table->secret);
	found = ban_in_line(address, kind, table->slot, pc_ban_first(hash, table, what.ipv6), what);
	if (found == BAN_MORE)
		found = ban_in_line(address, kind, table->slot,
				    pc_ban_second(hash, table, what.ipv6), what);
	return found == BAN_MORE ? BAN_NONE : found;
}

/*
 * Look for the prefix of one length; a wide IPv6 prefix only if it has a mark. Global functions, so
 * that the verifier checks each once.
 */
__noinline int ban_of_length4(__u64 first, __u32 kind, __u64 word)
{
	struct ban_word what = ban_word_unpack(word);
	const struct pc_bans *table = bans_current();
	__u64 address[2] = {first, 0};

	what.ipv6 = 0;
	return table ? ban_in_lines(table, address, kind, (kind - PC_BAN_KIND4(0)) & 63, what) :
		       BAN_NONE;
}

__noinline int ban_of_length6(__u64 first, __u64 second, __u32 kind, __u64 word)
{
	struct ban_word what = ban_word_unpack(word);
	const struct pc_bans *table = bans_current();
	__u64 address[2] = {first, second};

	if (!table || (kind < PC_BAN_KIND6(PC_BAN_MARK6) && !ban_marked6(table, first, kind)))
		return BAN_NONE;
	what.ipv6 = 1;
	return ban_in_lines(table, address, kind, kind - PC_BAN_KIND6(0), what);
}

/* Reads the source of a packet into the words of struct pc_ban_line. False: it cannot be read. */
static __always_inline bool ban_source(struct xdp_md *ctx, struct ban_word what, __u64 *first,
				       __u64 *second)
{
	struct packet packet = {.gather = true, .ip = what.ip};
	const __be32 *source;
	__be32 buffer[4];

	packet_start(&packet, ctx);
	*second = 0;
	if (!what.ipv6) {
		if (!packet_read_ip(&packet, offsetof(struct iphdr, saddr), 4, buffer,
				    (const void **)&source))
			return false;
		*first = (__u64)bpf_ntohl(source[0]) << 32;
		return true;
	}
	if (!packet_read_ip(&packet, offsetof(struct ipv6hdr, saddr), 16, buffer,
			    (const void **)&source))
		return false;
	*first = (__u64)bpf_ntohl(source[0]) << 32 | bpf_ntohl(source[1]);
	*second = (__u64)bpf_ntohl(source[2]) << 32 | bpf_ntohl(source[3]);
	return true;
}

#define BAN_STEP6 12

/*
 * Whether the ban of an address alone is in its first line, as most are. In line: a call and what it
 * reads again would cost a banned packet 4 ns. ban_search4 finds the others.
 */
static __always_inline bool ban_found4(const struct pc_bans *table, __u64 first, __u64 word)
{
	const __u32 kind = PC_BAN_KIND4(32);
	const __u64 address[2] = {first, 0};
	__u32 line = pc_ban_first(pc_ban_hash4(first, kind, table->secret), table, 0);
	struct ban_word what = ban_word_unpack(word);

	what.ipv6 = 0;
	return ban_in_line(address, kind, table->slot, line, what) == BAN_DROP;
}

/* The result for an address, by the prefix lengths in use, the longest first: BAN_*. */
static __always_inline int ban_search4(const struct pc_bans *table, __u64 first, __u64 word)
{
	__u32 i;

	for (i = 0; i < PC_BAN_LENGTHS4; i++) {
		__u64 kind = table->lengths4[i];
		int found;

		if (!kind)
			break;
		found = ban_of_length4(first, kind, word);
		if (found != BAN_NONE)
			return found;
	}
	return BAN_NONE;
}

/*
 * As ban_search4, for BAN_STEP6 lengths from pc_bans.lengths6[at] on; skips lengths of `from` and
 * above. A global function, so that the verifier follows the steps once.
 */
__noinline int ban_search_some6(__u64 first, __u64 second, __u32 at, __u32 from, __u64 word)
{
	const struct pc_bans *table = bans_current();
	__u32 i;

	if (!table)
		return BAN_NONE;
	for (i = 0; i < BAN_STEP6; i++) {
		__u64 kind = table->lengths6[bounded(at + i, sizeof(table->lengths6) - 1)];
		int found;

		if (!kind)
			break;
		/* Tests a copy, because the verifier learns about `from` by a comparison. */
		if ((__s64)opaque(kind - from) >= 0)
			continue;
		found = ban_of_length6(first, second, kind, word);
		if (found != BAN_NONE)
			return found;
	}
	return BAN_NONE;
}

static __always_inline int ban_search6(const struct pc_bans *table, __u64 first, __u64 second,
				       __u32 from, __u64 word)
{
	__u32 at;

	for (at = 0; at < PC_BAN_LENGTHS6 && table->lengths6[at]; at += BAN_STEP6) {
		int found = ban_search_some6(first, second, at, from, word);

		if (found != BAN_NONE)
			return found;
	}
	return BAN_NONE;
}

/* What a ban of exactly this address says: BAN_*. */
static __always_inline int ban_of_address(__u64 first, __u64 second, __u64 word)
{
	return ban_word_unpack(word).ipv6 ? ban_of_length6(first, second, PC_BAN_KIND6(128), word) :
					    ban_of_length4(first, PC_BAN_KIND4(32), word);
}

/*
 * Whether a grant makes a source a member of a group of `never-ban`. Other members are in the table
 * of bans.
 */
static __always_inline bool ban_never_granted(__u64 first, __u64 second, bool ipv6)
{
	const struct pc_generation *generation = generation_current();
	struct granting_span known = {.ipv6 = ipv6, .never = 1, .set = 1};

	if (!generation || !generation->never_ban)
		return false;
	known.generation = generation->number;
	return span_granted(bpf_cpu_to_be64(first), bpf_cpu_to_be64(second), bits_as(__u32, known));
}

/* Whether the source is in a group of `deny`. If so, its network has a mark; without a mark the
 * test ends. */
static __always_inline bool ban_denied(__u64 first, __u64 second, bool ipv6)
{
	const struct pc_generation *generation = generation_current();
	struct groups_word how = {.ipv6 = ipv6};

	if (!generation || !generation->denied)
		return false;
	how.slot = generation->tries_slot;
	return groups_admit(bpf_cpu_to_be64(first), bpf_cpu_to_be64(second), generation->denied,
			    bits_as(__u32, how));
}

/*
 * Whether a packet is DHCP, of a server or a client. `packed`: struct flow_ports. At boot the
 * server is not known yet, and without a lease this host would be unreachable.
 */
static __always_inline bool is_dhcp(struct ban_word what, __u32 packed)
{
	struct flow_ports ports = flow_ports_unpack(packed);
	__u16 least = 67 + what.ipv6 * (546 - 67);
	__u64 other = (what.udp ^ 1) | (__u16)(ports.local - least) >> 1 |
		      (__u16)(ports.remote - least) >> 1;

	/* It has no branches, because the verifier would follow the search once for each side. */
	return opaque(other - 1) >> 63;
}

/*
 * Whether the source of a packet is banned or denied: 1 + enum pc_reason, or 0. Without a mark of
 * its network a source is neither, which is the usual case; with a mark, the lengths in use are
 * tried. `ports`: struct flow_ports, if the packet is UDP.
 */
__noinline int portcullis_banned(struct xdp_md *ctx, __u64 word, __u32 ports)
{
	struct ban_word what = ban_word_unpack(word);
	const struct pc_bans *table = bans_current();
	__u64 first, second;
	__u64 marked = 1;
	__u32 from;
	int found;

	if (!table || !ban_source(ctx, what, &first, &second))
		return 0;
	if (what.ipv6)
		marked = ban_marked6(table, first, PC_BAN_KIND6(PC_BAN_MARK6));
	else if (!ban_marked4(table, first))
		return 0;
	if (has_grants() && ban_never_granted(first, second, what.ipv6))
		return 0;
	/* DHCP passes within wider bans: only a ban of exactly its source drops it. */
	if (is_dhcp(what, ports))
		return ban_of_address(first, second, word) == BAN_DROP ? 1 + PC_REASON_BANNED : 0;
	if (!what.ipv6) {
		if (ban_found4(table, first, word))
			return 1 + PC_REASON_BANNED;
		found = ban_search4(table, first, word);
	} else {
		/* It has no branch, because the verifier would follow each step once for each
		 * side. */
		from = PC_BAN_KIND6(PC_BAN_MARK6) + marked * PC_BAN_LENGTHS6;
		found = ban_search6(table, first, second, from, word);
	}
	if (found != BAN_NONE)
		return found == BAN_DROP ? 1 + PC_REASON_BANNED : 0;
	if (!marked && !table->wide6)
		return 0;
	return ban_denied(first, second, what.ipv6) ? 1 + PC_REASON_DENIED : 0;
}

/* Whether there are bans or denied sources to look up. */
static __always_inline bool has_bans(void)
{
	return filter.flag & (PC_FILTER_BANS | PC_FILTER_DENIED);
}

/* Whether an IPv4 packet of the first pass comes from a network without a mark. */
static __always_inline bool ban_elsewhere4(const struct packet *packet)
{
	const struct pc_bans *table;
	struct address source;

	if (packet->ipv6 || !packet_address_linear(packet, true, &source))
		return false;
	table = bans_current();
	return table && !ban_marked4(table, (__u64)bpf_ntohl(source.first) << 32);
}

/* The word of a packet, by which portcullis_banned asks about its source. */
static __always_inline __u64 ban_word_of(const struct packet *packet,
					 const struct pc_generation *generation, enum parsed parsed)
{
	if (parsed == PARSED_MALFORMED || parsed == PARSED_NON_IP || parsed == PARSED_ELSEWHERE)
		return 0;
	return ban_word_pack((struct ban_word){
		.length = packet->length,
		.ip = packet->ip,
		.ipv6 = packet->ipv6,
		.count = !is_explaining(packet) && !is_attaching(generation),
		.would = is_observing(packet, generation),
		.udp = parsed == PARSED_PORT && packet->protocol == PROTOCOL_UDP,
		.set = 1,
	});
}

#endif
