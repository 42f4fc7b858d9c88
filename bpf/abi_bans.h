/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of bans: prefixes whose packets are dropped until the ban ends. */
#ifndef PORTCULLIS_ABI_BANS_H
#define PORTCULLIS_ABI_BANS_H

#include <linux/types.h>

#include "bpf/abi_counters.h"

/*
 * A network namespace has one table of bans. The loader writes it, under the lock; programs write
 * only the counts. Addresses are two words in host order: IPv4 is the upper half of the first.
 *
 * First come marks, by which most sources are found not to be banned with one load: a bit for each
 * /24 of IPv4, a hashed bit for each /48 of IPv6, and one for each IPv6 prefix that is wider. Then
 * the lengths in use are tried, the longest first; for each of them one line of a hash table is
 * read, or a second one. So the longest prefix decides: PC_BAN_NEVER lets a source pass within a
 * wider ban. Marks and lengths are only removed when a new table is made.
 */
#define PC_BANS	       1048576 /* prefixes, of all lists */
#define PC_BAN_LINES   8192    /* lines in a chunk */
#define PC_BAN_ENTRIES 7       /* prefixes in a line, at most */
#define PC_BAN_CHUNKS  96
/* Slots of `ban_chunks`: a new table takes the half that the live one does not use.
 */
#define PC_BAN_SLOTS   (2 * PC_BAN_CHUNKS)

/* pc_ban_line.kind: family and length of a prefix. 0: none. */
#define PC_BAN_KIND6(length) (1u + (length))
#define PC_BAN_KIND4(length) (130u + (length))
#define PC_BAN_LENGTHS4	     33u
#define PC_BAN_LENGTHS6	     129u
#define PC_BAN_MARK6	     48u

/*
 * pc_ban_line.until: CLOCK_BOOTTIME second in which the ban ends, at most PC_BAN_LAST; with
 * PC_BAN_PASSES the source is a host that passes in wider bans after that. Or it is one of the
 * values below.
 */
#define PC_BAN_LAST    0x7fffffffu
#define PC_BAN_PASSES  0x80000000u
#define PC_BAN_FREE    0u	   /* the entry is unused */
#define PC_BAN_NEVER   0xfffffffeu /* the source passes, even if a wider prefix is banned */
#define PC_BAN_FOREVER 0xffffffffu

/* The end of the ban in pc_ban_line.until: without PC_BAN_PASSES. */
pc_inline __u32 pc_ban_end(__u32 until)
{
	return until < PC_BAN_NEVER ? until & ~PC_BAN_PASSES : until;
}

#define PC_BAN_ENTRIES4 7
#define PC_BAN_ENTRIES6 3

/* A cache line of prefixes of one family. The hash of a prefix chooses two lines, a first and a
 * second. */
struct pc_ban_line {
	union {
		struct {
			__u32 address[PC_BAN_ENTRIES4];
			__u32 until[PC_BAN_ENTRIES4];
			__u8 kind[PC_BAN_ENTRIES4];
			__u8 more;
		} ipv4;
		struct {
			__u64 address[PC_BAN_ENTRIES6][2];
			__u32 until[PC_BAN_ENTRIES6];
			__u8 kind[PC_BAN_ENTRIES6];
			/* 1: a prefix whose first line this is may be in its second line. */
			__u8 more;
		} ipv6;
	};
};
_Static_assert(__builtin_offsetof(struct pc_ban_line, ipv4.more) ==
		       __builtin_offsetof(struct pc_ban_line, ipv6.more),
	       "pc_ban_line.more");
_Static_assert(sizeof(struct pc_ban_line) == 64, "pc_ban_line");

/* Packets that a ban dropped, and those that it would have dropped under observe. */
struct pc_ban_count {
	struct pc_count drop;
	struct pc_count would;
};

/* The only value of an inner map of `ban_chunks`. */
struct pc_ban_chunk {
	struct pc_ban_line line[PC_BAN_LINES];
	struct pc_ban_count count[PC_BAN_LINES * PC_BAN_ENTRIES];
};

/* Packets of a CPU in a jiffy that are counted one by one; after these, one in 64 is counted, as
 * 64. */
#define PC_BAN_EACH   1000u
#define PC_BAN_SAMPLE 64u

/* The only value of the inner map of `bans`. */
struct pc_bans {
	__u64 secret; /* the key of the hashes */
	__u64 file;   /* the file that the table was made from: its number and length */
	__u64 file_length;
	/* lines of IPv4, in the first chunks; then of IPv6. Multiples of PC_BAN_LINES */
	__u32 lines[2];
	__u32 slot;	/* the first chunk in `ban_chunks` */
	__u32 used;	/* entries that are not free; some may have ended */
	/* 1: an IPv6 prefix wider than PC_BAN_MARK6 is denied, so each source is looked up in the
	 * trie */
	__u32 wide6;
	__u32 pad[5];
	/* PC_BAN_KIND* in use, the longest first; 0: no more. */
	__u8 lengths4[64];
	__u8 lengths6[256];
	__u8 mark4[(1u << 24) / 8];
	__u8 mark6[(1u << 23) / 8];
};
_Static_assert(__builtin_offsetof(struct pc_bans, mark4) == 384, "pc_bans");

/* The prefix of a length, up to 128, that has an address. */
pc_inline void pc_ban_mask(__u64 address[2], __u32 length)
{
	if (length <= 64) {
		address[1] = 0;
		address[0] = length ? address[0] & ~0ULL << ((64 - length) & 63) : 0;
	} else {
		address[1] &= ~0ULL << ((128 - length) & 63);
	}
}

/* The hash of a prefix: the upper half chooses its first line, the lower half the second one. */
pc_inline __u64 pc_ban_hash6(const __u64 address[2], __u32 kind, __u64 secret)
{
	__u64 hash = (address[0] ^ secret) * 0x9e3779b97f4a7c15ULL;

	hash = (hash ^ hash >> 32 ^ address[1]) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ hash >> 29 ^ kind) * 0x94d049bb133111ebULL;
	return hash ^ hash >> 32;
}

/* An IPv4 prefix fits in one word, and a packet waits for each multiplication, so one is enough. */
pc_inline __u64 pc_ban_hash4(__u64 address, __u32 kind, __u64 secret)
{
	__u64 hash = ((address >> 32 | (__u64)kind << 32) ^ secret) * 0x9e3779b97f4a7c15ULL;

	hash = (hash ^ hash >> 32) * 0xbf58476d1ce4e5b9ULL;
	return hash ^ hash >> 32;
}

pc_inline __u64 pc_ban_hash(const __u64 address[2], __u32 kind, __u64 secret)
{
	return kind >= PC_BAN_KIND4(0) ? pc_ban_hash4(address[0], kind, secret) :
					 pc_ban_hash6(address, kind, secret);
}

/* The two lines of a prefix. */
pc_inline __u32 pc_ban_first(__u64 hash, const struct pc_bans *table, int ipv6)
{
	return (ipv6 ? table->lines[0] : 0) + (((hash >> 32) * table->lines[ipv6]) >> 32);
}

pc_inline __u32 pc_ban_second(__u64 hash, const struct pc_bans *table, int ipv6)
{
	return (ipv6 ? table->lines[0] : 0) + (((hash & 0xffffffff) * table->lines[ipv6]) >> 32);
}

#define PC_BAN_BIT4(address) ((__u32)((address) >> 40)) /* of the first word */
#define PC_BAN_BIT6(hash)    ((__u32)((hash) >> 20) & ((1u << 23) - 1))

#endif
