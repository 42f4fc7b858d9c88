/* SPDX-License-Identifier: GPL-2.0 */
/* Banned and denied sources: the rules `banned`, `denied`. abi_bans.h describes the table. */
#ifndef PORTCULLIS_BAN_H
#define PORTCULLIS_BAN_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/account.h"
#include "bpf/listen.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/table.h"

/* A packet whose source is asked about, as a word for the global functions. 0: it need not be. */
struct ban_word {
	__u64 length : 32; /* of the frame */
	__u64 ip : 5;	   /* offset of the IP header */
	__u64 ipv6 : 1;
	__u64 count : 1; /* a drop counts for its ban */
	__u64 would : 1; /* as would-drop */
	__u64 unused : 23;
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

/* The weight with which a drop counts for its ban; 0: not at all. */
static __always_inline __u32 ban_weight(struct pc_heard_cpu *own)
{
	__u64 jiffy = bpf_jiffies64();

	if (own->ban_jiffy != jiffy) {
		own->ban_jiffy = jiffy;
		own->ban_used = 0;
	}
	if (++own->ban_used <= PC_BAN_EACH)
		return 1;
	/* A multiplicative hash, so that sources that take turns are sampled alike. */
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

/* The second with which ends are compared: what ends later holds, as PC_BAN_NEVER always does. */
static __always_inline __u32 ban_second(void)
{
	struct pc_heard_cpu *own;

	if (replays)
		return explained.second;
	own = heard_own();
	return own ? boot_second(own) : PC_BAN_NEVER - 1;
}

/* Whether an end has not come yet. */
static __always_inline bool ban_holds(__u32 until)
{
	return until >= PC_BAN_NEVER || ban_second() < until;
}

/* What a line says of a prefix: BAN_*. */
#define BAN_NONE  0
#define BAN_MORE  1 /* nothing, but the other line may */
#define BAN_DROP  2
#define BAN_NEVER 3

/* What an entry that has the prefix says. */
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
 * The entries of a line that have a prefix, a bit each. Without branches, because the verifier
 * would follow both sides of each.
 */
static __always_inline __u64 ban_entries(const struct pc_ban_line *line, const __u64 address[2],
					 __u8 kind, bool ipv6)
{
	__u64 entries = 0, differ;
	__u32 i;

	if (ipv6) {
#pragma clang loop unroll(full)
		for (i = 0; i < PC_BAN_ENTRIES6; i++) {
			differ = (line->ipv6.address[i][0] ^ address[0]) |
				 (line->ipv6.address[i][1] ^ address[1]) |
				 (line->ipv6.kind[i] ^ kind);
			entries |= (opaque(differ | -differ) >> 63 ^ 1) << i;
		}
		return entries;
	}
#pragma clang loop unroll(full)
	for (i = 0; i < PC_BAN_ENTRIES4; i++) {
		differ = (line->ipv4.address[i] ^ address[0] >> 32) | (line->ipv4.kind[i] ^ kind);
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

/* Looks for a prefix in a line. */
static __always_inline int ban_in_line(const __u64 address[2], __u32 kind, __u32 slot, __u32 line,
				       struct ban_word what)
{
	struct pc_ban_chunk *chunk = ban_chunk(slot, line);
	const struct pc_ban_line *at;
	__u64 entries, entry, until;
	int found = BAN_NONE;

	if (!chunk)
		return BAN_NONE;
	at = &chunk->line[bounded(line, PC_BAN_LINES - 1)];
	entries = ban_entries(at, address, kind, what.ipv6);
	if (entries) {
		entry = highest_bit(entries);
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
	bit = PC_BAN_BIT6(pc_ban_hash(address, kind, table->secret));
	return table->mark6[bounded(bit >> 3, sizeof(table->mark6) - 1)] >> (bit & 7) & 1;
}

/*
 * Looks for the prefix of one length, if a wide IPv6 one has its mark. A global function, so that
 * the verifier checks it once.
 */
__noinline int ban_of_length(__u64 first, __u64 second, __u32 kind, __u64 word)
{
	struct ban_word what = ban_word_unpack(word);
	const struct pc_bans *table = bans_current();
	__u64 address[2] = {first, second}, hash;
	int found;

	if (!table || (kind < PC_BAN_KIND6(PC_BAN_MARK6) && !ban_marked6(table, first, kind)))
		return BAN_NONE;
	pc_ban_mask(address,
		    kind >= PC_BAN_KIND4(0) ? kind - PC_BAN_KIND4(0) : kind - PC_BAN_KIND6(0));
	hash = pc_ban_hash(address, kind, table->secret);
	found = ban_in_line(address, kind, table->slot, pc_ban_first(hash, table, what.ipv6), what);
	if (found == BAN_MORE)
		found = ban_in_line(address, kind, table->slot,
				    pc_ban_second(hash, table, what.ipv6), what);
	return found == BAN_MORE ? BAN_NONE : found;
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

/*
 * What the lengths in use say of an address, the longest first: BAN_*. Those of `from` and above
 * are passed over. The verifier follows each of up to 129 steps, so that a step does little: both
 * families have the same ones.
 */
static __always_inline int ban_search(const struct pc_bans *table, __u64 first, __u64 second,
				      __u64 from, __u64 word)
{
	const __u8 *lengths =
		table->lengths4 + ban_word_unpack(word).ipv6 * (sizeof(table->lengths4) + 0ULL);
	__u32 i;

	for (i = 0; i < PC_BAN_LENGTHS6; i++) {
		__u64 kind = lengths[i];
		int found;

		if (!kind)
			break;
		/* Tests a value apart, because the verifier learns of `from` by a comparison. */
		if ((__s64)opaque(kind - from) >= 0)
			continue;
		found = ban_of_length(first, second, kind, word);
		if (found != BAN_NONE)
			return found;
	}
	return BAN_NONE;
}

/* Whether a group of `deny` has a source. Its network has a mark; most packets end before this. */
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
 * Whether the source of a packet is banned or denied: 1 + enum pc_reason, or 0. The mark of its
 * network tells most apart; where it is set, the lengths in use are looked through.
 */
__noinline int portcullis_banned(struct xdp_md *ctx, __u64 word)
{
	struct ban_word what = ban_word_unpack(word);
	const struct pc_bans *table = bans_current();
	__u64 first, second;
	__u64 marked, from;
	int found;

	if (!table || !ban_source(ctx, what, &first, &second))
		return 0;
	if (!what.ipv6) {
		marked = ban_marked4(table, first);
		if (!marked)
			return 0;
	} else {
		marked = ban_marked6(table, first, PC_BAN_KIND6(PC_BAN_MARK6));
	}
	/* `from` without a branch: else the verifier would follow each step several times. */
	first = forgotten(first, what.length);
	second = forgotten(second, what.length);
	marked = forgotten(marked, what.length) & 1;
	what = ban_word_unpack(opaque(word));
	from = PC_BAN_KIND6(PC_BAN_MARK6) + marked * 2 * PC_BAN_LENGTHS6;
	found = ban_search(table, first, second, from, word);
	if (found != BAN_NONE)
		return found == BAN_DROP ? 1 + PC_REASON_BANNED : 0;
	if (!marked && !table->wide6)
		return 0;
	return ban_denied(first, second, what.ipv6) ? 1 + PC_REASON_DENIED : 0;
}

/* Whether sources are asked about. */
static __always_inline bool has_bans(void)
{
	return filter.flag & (PC_FILTER_BANS | PC_FILTER_DENIED);
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
		.set = 1,
	});
}

#endif
