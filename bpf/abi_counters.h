/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of the counters: ports, reasons, the cells that count them, and where a cell is. */
#ifndef PORTCULLIS_ABI_COUNTERS_H
#define PORTCULLIS_ABI_COUNTERS_H

#include <linux/types.h>

#define pc_inline static inline __attribute__((always_inline))

enum pc_transport {
	PC_TCP = 0,
	PC_UDP = 1,
	PC_TRANSPORTS,
};

/* The index of a port in a table of ports: transport << 16 | port in host order. */
#define PC_PORTS	      (PC_TRANSPORTS << 16)
#define PC_PORT(transport, n) ((__u32)(transport) << 16 | (__u16)(n))
_Static_assert(PC_PORTS == PC_PORT(PC_TRANSPORTS - 1, 0xffff) + 1, "PC_PORT");

pc_inline enum pc_transport pc_port_transport(__u32 index)
{
	return index >> 16;
}

pc_inline __u16 pc_port_number(__u32 index)
{
	return index;
}

/*
 * Why a packet is dropped: the rules of portcullis(8), VERDICTS, in their order. reason_name of
 * loader/report/counters.c has their names; a reason without a name is reserved.
 */
enum pc_reason {
	PC_REASON_MALFORMED,
	PC_REASON_BANNED,
	PC_REASON_DENIED,
	PC_REASON_FRAGMENT,
	PC_REASON_ICMP,
	PC_REASON_LIMIT,
	PC_REASON_PROTOCOL,
	PC_REASON_SOURCE,
	PC_REASON_UNLISTED,
	PC_REASON_OUTBOUND, /* at egress, under outbound enforcement */
	PC_REASONS,
};

/* Why a packet passes although no service admits it. */
enum pc_other {
	PC_OTHER_NON_IP,
	PC_OTHER_ICMP, /* ICMP, ICMPv6, IGMP */
	PC_OTHER_PROTOCOL,
	PC_OTHER_REPLY,
	PC_OTHERS,
};

/*
 * A packet counts in cells. The number of a cell says what it counts; it is the same in every
 * filter and after every swap.
 *
 * Ingress: a passed packet counts in one cell, and a reply also in the cell of its remote port if
 * an `out` service lists that port. A dropped packet counts in the cell of its reason and, if the
 * reason is `source` or `unlisted`, in the cell of its port. So the sum over all reasons but
 * `outbound` has every drop once.
 *
 * Egress: a passed packet counts in PC_CELL_EGRESS and, if an `out` service lists its remote port,
 * in the cell of that port. A dropped packet counts in the cell of `outbound` and in that of its
 * remote port.
 *
 *	PC_CELL_PASS		+ PC_PORT: passed, by local port
 *	PC_CELL_DROP		+ PC_PORT: dropped, by local port
 *	PC_CELL_WOULD_DROP	+ PC_PORT: would drop, by local port
 *	PC_CELL_OUT		+ PC_PORT: sent to a remote port, and its replies
 *	PC_CELL_REASON		+ enum pc_reason: dropped
 *	PC_CELL_SPARE, _DEAF, _GATE	no cells: see below
 *	PC_CELL_REASON_WOULD	+ enum pc_reason: would drop
 *	PC_CELL_OTHER		+ enum pc_other: passed
 *	PC_CELL_EGRESS		passed at egress
 *
 *	PC_CELL_OUT_DROP	+ PC_PORT: dropped at egress, by remote port. Few ports ever count
 *				there, so these two kinds are always in the hash `rare`
 *	PC_CELL_OUT_WOULD_DROP	+ PC_PORT: would drop at egress, by remote port
 *	PC_CELL_MACHINE		+ kind: packets of a tally of a machine behind this host. A tally
 *				is a port that its recipe lists (a remote port: an `out` service), a
 *				range of more than PC_TALLY_RANGE ports of one service, or what it
 *				does not list. A machine's packets count here instead of at a port
 *				of this host. The loader numbers the tallies and never uses a number
 *				again
 *
 * PC_CELL_GATE, PC_CELL_DEAF and PC_CELL_SPARE are words of each CPU in the cache line of the
 * commonest reason. They say whether a drop is recorded (struct pc_gate in abi_drops.h), whether
 * listeners are told of it (struct pc_deaf in abi_events.h), and whether sockets are asked about a
 * port without a mark (struct pc_spare in abi_marks.h).
 */
#define PC_CELL_PASS	     0u
#define PC_CELL_DROP	     (1u * PC_PORTS)
#define PC_CELL_WOULD_DROP   (2u * PC_PORTS)
#define PC_CELL_OUT	     (3u * PC_PORTS)
#define PC_CELL_REASON	     (4u * PC_PORTS)
#define PC_CELL_SPARE	     (PC_CELL_REASON + 13u)
#define PC_CELL_DEAF	     (PC_CELL_REASON + 14u)
#define PC_CELL_GATE	     (PC_CELL_REASON + 15u)
#define PC_CELL_REASON_WOULD (PC_CELL_REASON + 16u)
#define PC_CELL_OTHER	     (PC_CELL_REASON + 32u)
#define PC_CELL_EGRESS	     (PC_CELL_REASON + 48u)
#define PC_CELLS	     (PC_CELL_REASON + PC_PAGE_WORDS)

#define PC_CELL_OUT_DROP       PC_CELLS
#define PC_CELL_OUT_WOULD_DROP (PC_CELLS + 1u * PC_PORTS)
#define PC_CELLS_ALL	       (PC_CELLS + 2u * PC_PORTS)

/* Tallies have four cells each, by enum pc_tally_kind; the first is on a page's edge. */
enum pc_tally_kind {
	PC_TALLY_PASS, /* passed at ingress, by local port */
	PC_TALLY_DROP,
	PC_TALLY_WOULD_DROP,
	PC_TALLY_SENT, /* sent to a remote port, and its replies */
	PC_TALLY_KINDS,
};
#define PC_CELL_MACHINES	     ((PC_CELLS_ALL + PC_PAGE_CELLS - 1) / PC_PAGE_CELLS * PC_PAGE_CELLS)
#define PC_CELL_MACHINE(tally, kind) (PC_CELL_MACHINES + (tally)*PC_TALLY_KINDS + (kind))
#define PC_MACHINE_PAGES	     2048u
#define PC_TALLIES		     (PC_MACHINE_PAGES * PC_PAGE_CELLS / PC_TALLY_KINDS)
#define PC_CELLS_END		     (PC_CELL_MACHINES + PC_MACHINE_PAGES * PC_PAGE_CELLS)
#define PC_TALLY_RANGE		     128u

/* Whether a word of a row counts packets. */
#define PC_CELL_COUNTS(cell) ((cell) < PC_CELL_SPARE || (cell) > PC_CELL_GATE)

/* The size of the hash `rare`. When it is full, only the reason of a drop is counted. */
#define PC_RARE_SIZE 32768

/*
 * A cell is on a page of the row of the CPU that counts, in the map `counters`. Only that CPU
 * writes the row, by plain stores.
 *
 *	page PC_PAGE_WIDE	the cells from PC_CELL_REASON on, each a wide word
 *	page PC_PAGE_TOUCHED	a bit for each page of the row: the page has counts
 *	from PC_PAGE_DROP on	drops and would-drops of all ports; a port has one narrow word for
 *				both
 *	from PC_PAGE_LISTED on	the cells of PC_CELL_PASS and PC_CELL_OUT, each a narrow word, for
 *				the pages of 256 ports of which a service ever listed one, and those
 *				of machines, for the pages whose tallies were ever given. The value
 *of `filter` has the page of the row for each of them
 *
 * A cell is one word, so that one add counts a packet and its bytes, and a reader sees both
 * together:
 *
 *	narrow (32 bits)	bits 0-20 bytes, bits 21-30 packets, bit 31 set for would-drops
 *	wide (64 bits)		bits 0-35 bytes, bits 36-63 packets
 *
 * When the top bit of a field is set, or a narrow word has the drops of another policy, the program
 * flushes the word into its total: a wide word in the map `totals`, to which all CPUs add. A full
 * total or wide word is flushed into the hash `carries`. Until the sum is right again, the word
 * that is being flushed keeps a top bit, which tells a reader to read again.
 *
 * A CPU that came after the program was loaded has no row: it adds to the totals. A listed port
 * whose page found no room counts in `rare`.
 */
#define PC_PAGE_CELLS	256u /* narrow words of a page */
#define PC_PAGE_WORDS	128u /* wide words of a page */
#define PC_PAGE_WIDE	0u
#define PC_PAGE_TOUCHED 1u
#define PC_PAGE_DROP	2u
#define PC_PAGE_LISTED	(PC_PAGE_DROP + PC_PORTS / PC_PAGE_CELLS)
/* The row of a CPU that has none. Added to any page, it is past the end of `counters`. */
#define PC_ROW_NONE	0xffff0000u

/* Whether a cell is that of a drop or would-drop, and the other cell in its narrow word. */
#define PC_CELL_IS_DROP(cell) ((cell)-PC_CELL_DROP < 2u * PC_PORTS)
#define PC_CELL_PARTNER(cell) ((cell) ^ (PC_CELL_DROP ^ PC_CELL_WOULD_DROP))
/* Bit 31 of the narrow word of a cell: set for PC_CELL_WOULD_DROP and PC_CELL_OUT. */
#define PC_CELL_SIGN(cell)    (((cell)&PC_CELL_WOULD_DROP) << 13)

/*
 * Listed pages: those of PC_CELL_PASS, then those of PC_CELL_OUT, then those of machines. PC_LISTED
 * and PC_LISTED_MACHINE are the number of a cell's page, PC_LISTED_CELL the first cell of a page.
 */
#define PC_LISTED_PAGES		(2u * PC_PORTS / PC_PAGE_CELLS)
#define PC_LISTED(cell)		((cell) % (2u * PC_PORTS) / PC_PAGE_CELLS)
#define PC_LISTED_MACHINE(cell) (PC_LISTED_PAGES + ((cell)-PC_CELL_MACHINES) / PC_PAGE_CELLS)
#define PC_LISTED_CELL(page)                                                            \
	((page) < PC_LISTED_PAGES / 2 ? PC_CELL_PASS + (page)*PC_PAGE_CELLS :           \
	 (page) < PC_LISTED_PAGES     ? PC_CELL_OUT - PC_PORTS + (page)*PC_PAGE_CELLS : \
					PC_CELL_MACHINES + ((page)-PC_LISTED_PAGES) * PC_PAGE_CELLS)
#define PC_LISTED_LEAST	 62u /* a row has room for at least so many listed pages */
#define PC_LISTED_GROWTH 32u /* pages in a row for ports that swaps may list later */

struct pc_page {
	union {
		__u64 word[PC_PAGE_WORDS];
		__u32 cell[PC_PAGE_CELLS];
	};
};
_Static_assert(sizeof(struct pc_page) == 1024, "pc_page");

#define PC_NARROW_PACKET       (1u << 21)
#define PC_NARROW_BYTES	       (PC_NARROW_PACKET - 1)
#define PC_NARROW_BYTES_CARRY  (1u << 20) /* twice the bytes of the largest GSO packet */
#define PC_NARROW_PACKET_CARRY (1u << 30)
#define PC_NARROW_WOULD	       (1u << 31)
_Static_assert(PC_CELL_SIGN(PC_CELL_WOULD_DROP) == PC_NARROW_WOULD, "PC_CELL_SIGN");
_Static_assert(!PC_CELL_SIGN(PC_CELL_DROP), "PC_CELL_SIGN");
#define PC_NARROW_PENDING (PC_NARROW_BYTES_CARRY | PC_NARROW_PACKET_CARRY)

struct pc_count {
	__u64 packets;
	__u64 bytes;
};

/*
 * An entry of the map `past`, which never changes: what the filter of an older layout had counted
 * in a cell when it was taken over.
 */
struct pc_past {
	__u32 cell;
	__u32 pad;
	struct pc_count count;
};

/*
 * An entry of the map `tallies`, which never changes: what a tally of a machine counts. The first
 * entry is that of tally 1. A machine has tallies in a row for its recipe, the first of them
 * PC_TALLY_IN, and further ones if it had other ports before.
 */
struct pc_tally {
	__u64 machine;	   /* digest of its name */
	__u32 first, last; /* PC_PORT; last < first: what is not listed */
	__u32 out;	   /* 1: remote ports, of `out` services */
	__u32 pad;
};

#define PC_CELL_BYTES_BITS   36
#define PC_CELL_PACKET	     (1ULL << PC_CELL_BYTES_BITS)
#define PC_CELL_BYTES_CARRY  (1ULL << 35)
#define PC_CELL_PACKET_CARRY (1ULL << 63)
#define PC_CELL_PENDING	     (PC_CELL_BYTES_CARRY | PC_CELL_PACKET_CARRY)
_Static_assert(PC_CELL_BYTES_CARRY << 1 == PC_CELL_PACKET, "wide word");
_Static_assert(PC_NARROW_BYTES_CARRY << 1 == PC_NARROW_PACKET, "narrow word");
_Static_assert(PC_NARROW_PACKET_CARRY << 1 == PC_NARROW_WOULD, "narrow word");

pc_inline __u64 pc_wide_pack(__u64 packets, __u64 bytes)
{
	return packets * PC_CELL_PACKET + bytes;
}

pc_inline struct pc_count pc_wide_unpack(__u64 word)
{
	return (struct pc_count){.packets = word >> PC_CELL_BYTES_BITS,
				 .bytes = word & (PC_CELL_PACKET - 1)};
}

pc_inline __u32 pc_narrow_pack(__u32 packets, __u32 bytes)
{
	return packets * PC_NARROW_PACKET + bytes;
}

pc_inline struct pc_count pc_narrow_unpack(__u32 word)
{
	return (struct pc_count){.packets = (word & ~PC_NARROW_WOULD) / PC_NARROW_PACKET,
				 .bytes = word & PC_NARROW_BYTES};
}

/* The index of a cell's total. A listed port has it by its page in the row and its place there. */
#define PC_TOTAL_WIDE(cell) ((cell)-PC_CELL_REASON)
#define PC_TOTAL_PORT(cell) (PC_PAGE_WORDS + ((cell)-PC_CELL_DROP))
#define PC_TOTAL_LISTED(page, cell)                                                \
	(PC_PAGE_WORDS + 2u * PC_PORTS + ((page)-PC_PAGE_LISTED) * PC_PAGE_CELLS + \
	 (cell) % PC_PAGE_CELLS)
#define PC_TOTALS(listed_pages) PC_TOTAL_LISTED(PC_PAGE_LISTED + (listed_pages), 0)
#define PC_CARRIES		16384

/* CPUs with ids below this may have a row: the largest NR_CPUS of x86. */
#define PC_CPUS 8192u

#endif
