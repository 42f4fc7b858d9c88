/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of limits: how many connections, or datagrams, one source may begin at a service. */
#ifndef PORTCULLIS_ABI_LIMITS_H
#define PORTCULLIS_ABI_LIMITS_H

#include <linux/types.h>

#include "bpf/abi_counters.h"

#define PC_LIMITS	  256 /* limits of a generation; as many different sets of limits */
#define PC_LIMITS_OF_SPAN 4   /* services with a limit that admit one source at one port */

/* The limit of a service. */
struct pc_limit {
	__u64 service;	 /* digest of "PROFILE:SERVICE" */
	__u64 groups;	 /* groups that the service admits */
	__u64 except;	 /* groups whose members are not limited */
	__u64 interval;	 /* ns between two connections at the rate */
	__u64 tolerance; /* ns by which a source may be ahead of its rate: (burst - 1) * interval */
	__u64 load;	 /* ns that one connection adds to pc_limiter.load */
	__u64 backlog;	 /* ns by which pc_limiter.load may be ahead */
	__u8 anyone;	 /* the service admits anyone */
	__u8 link_local;
	__u8 except_link_local;
	/* mask: only sources whose hash has none of these bits add to the load, for all others */
	__u8 sample;
	__u8 length[2]; /* length of the prefix that is one source: IPv4, IPv6 */
	__u8 word;	/* word of pc_groups; the same for all limits of a set */
	__u8 pad;
};
_Static_assert(sizeof(struct pc_limit) == 64, "pc_limit");

/* The limits of a span: which of the sources that it admits are limited, and how. */
struct pc_limit_set {
	__u64 free;		       /* groups that a service without a limit admits */
	__u8 limit[PC_LIMITS_OF_SPAN]; /* 1 + the index of a limit; 0: no more */
	__u8 free_link_local;
	__u8 word; /* pc_limit.word */
	__u8 asks; /* 1: groups or link-local make a difference */
	__u8 pad;
};
_Static_assert(sizeof(struct pc_limit_set) == 16, "pc_limit_set");

/*
 * Cells of the only inner map of `limit_cells`, each CLOCK_MONOTONIC ns. They are kept over swaps,
 * so their hash has the service's name, and not its index.
 *
 *	2 * PC_LIMIT_CELLS	A count-min sketch of two rows. A source has a cell in each row; a
 *				cell is the time at which the source is next due at its rate. A
 *				connection is over the limit only if both cells are ahead by more
 *				than the tolerance, so another source in one of them does no harm.
 *	2 * PC_LIMIT_REAL	The same for completed connections, which forged sources do not
 *				have. A source that completed one in the last PC_LIMIT_HOLD may
 *				begin as many again, so that packets with its forged address do
 *				not cut it off.
 *	PC_LIMIT_TUPLES		The connections that are counted there: the upper bits are of the
 *				hash of the tuple, the lower bits the time when it last sent.
 */
#define PC_LIMIT_CELLS	     (1u << 20)
#define PC_LIMIT_REAL	     (1u << 16)
#define PC_LIMIT_TUPLES	     (1u << 16)
#define PC_LIMIT_ROW(n)	     ((n)*PC_LIMIT_CELLS)
#define PC_LIMIT_REAL_ROW(n) (2 * PC_LIMIT_CELLS + (n)*PC_LIMIT_REAL)
#define PC_LIMIT_TUPLE	     (2 * PC_LIMIT_CELLS + 2 * PC_LIMIT_REAL)
#define PC_LIMIT_ALL	     (PC_LIMIT_TUPLE + PC_LIMIT_TUPLES)
#define PC_LIMIT_HOLD	     8100000000000ULL /* tcp_keepalive_time with its probes: 2 h 15 min */
#define PC_LIMIT_TICK_SHIFT  36		      /* ns: a tuple notes each 69 s that it sends */
#define PC_LIMIT_TICK_BITS   24

/*
 * The only value of `limiter`, which belongs to the filter. Forged sources fill the cells. They do
 * no harm while they begin less than half of the connections that all cells together admit at the
 * rate (PC_LIMIT_CELLS * rate / 2 a second). `load` is the time at which the cells are next due for
 * half of their rate. While it is ahead of the clock by more than pc_limit.backlog, packets above a
 * limit pass.
 */
struct pc_limiter {
	__u64 secret; /* the key of the hashes. Never 0 */
	__u64 load;
	__u64 open_until; /* CLOCK_MONOTONIC ns */
	__u64 opened;	  /* packets above a limit that passed because of this */
	__u64 opened_at;  /* CLOCK_MONOTONIC ns, of the last one */
	__u64 pad[3];
};

/*
 * The prefix of an address, as two words in host order, of which the first has the lower bits where
 * one word is enough. `length`: of the prefix, at least 1.
 */
pc_inline void pc_limit_prefix(__u64 address[2], __u32 length, int ipv6)
{
	if (!ipv6) {
		address[0] = (__u32)address[0] >> ((32 - length) & 31);
	} else if (length <= 64) {
		address[0] >>= (64 - length) & 63;
		address[1] = 0;
	} else {
		address[1] >>= (128 - length) & 63;
	}
}

/* `owner`: the first tally of the machine that has the service; 0: this host. */
pc_inline __u64 pc_limit_hash(const __u64 prefix[2], __u64 service, __u32 owner, __u64 secret)
{
	__u64 hash = (prefix[0] ^ secret) * 0x9e3779b97f4a7c15ULL;

	hash = (hash ^ hash >> 32 ^ prefix[1]) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ hash >> 29 ^ service ^ owner) * 0x94d049bb133111ebULL;
	return hash ^ hash >> 32;
}

#endif
