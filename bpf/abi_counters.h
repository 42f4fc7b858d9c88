/* SPDX-License-Identifier: GPL-2.0 */
/* What a packet counts: ports, reasons, the cells that count them, and where each cell is. */
#ifndef PORTCULLIS_ABI_COUNTERS_H
#define PORTCULLIS_ABI_COUNTERS_H

#include <linux/types.h>

#define pc_inline static inline __attribute__((always_inline))

enum pc_transport {
	PC_TCP = 0,
	PC_UDP = 1,
	PC_TRANSPORTS,
};

/* A port's index in every per-port table: transport << 16 | port in host order. */
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
 * Why a packet is dropped. The order is that of the verdict table; names in loader/counters.c. One
 * without a name there is reserved: no program counts it yet.
 */
enum pc_reason {
	PC_REASON_MALFORMED,
	PC_REASON_BANNED, /* reserved */
	PC_REASON_DENIED, /* reserved */
	PC_REASON_FRAGMENT,
	PC_REASON_ICMP,
	PC_REASON_LIMIT, /* reserved */
	PC_REASON_PROTOCOL,
	PC_REASON_SOURCE,
	PC_REASON_UNLISTED,
	PC_REASON_OUTBOUND, /* at egress, under outbound enforcement */
	PC_REASONS,
};

/* Why a packet passes that no port admits. */
enum pc_other {
	PC_OTHER_NON_IP,
	PC_OTHER_ICMP, /* ICMP, ICMPv6, IGMP */
	PC_OTHER_PROTOCOL,
	PC_OTHER_REPLY,
	PC_OTHERS,
};

/*
 * What a packet counts is a cell. Its number says what it means, and is the same in every filter
 * and after every swap.
 *
 * Ingress: a passed packet counts one cell, a reply also that of the remote port if an `out`
 * service lists it. A dropped one counts that of its reason and, if dropped at a port (`source`,
 * `unlisted`), that port's too. A sum over the reasons but `outbound` has every drop once.
 *
 * Egress: a passed packet counts PC_CELL_EGRESS and, if an `out` service lists it, its remote port.
 * A dropped one counts the reason `outbound` and its remote port.
 */
#define PC_CELL_PASS	     0u
#define PC_CELL_DROP	     (1u * PC_PORTS)
#define PC_CELL_WOULD_DROP   (2u * PC_PORTS)
#define PC_CELL_OUT	     (3u * PC_PORTS)	    /* by remote port: sent, and its replies */
#define PC_CELL_REASON	     (4u * PC_PORTS)	    /* + enum pc_reason, dropped */
#define PC_CELL_REASON_WOULD (PC_CELL_REASON + 16u) /* + enum pc_reason, would drop */
/*
 * Reserved, and no cell: the CPU's gate, which says whether a drop is recorded, in the cache line
 * of the commonest reason. Jiffies in bits 36 to 62, credit in bits 0 to 34, so that a reader never
 * takes the word for one that is being flushed.
 */
#define PC_CELL_GATE	     (PC_CELL_REASON + 15u)
#define PC_CELL_OTHER	     (PC_CELL_REASON + 32u) /* + enum pc_other, passed */
#define PC_CELL_EGRESS	     (PC_CELL_REASON + 48u) /* passed at egress */
#define PC_CELLS	     (PC_CELL_REASON + PC_PAGE_WORDS)

/* Cells that few ports ever count: always in the hash `rare`. */
#define PC_CELL_OUT_DROP       PC_CELLS /* by remote port */
#define PC_CELL_OUT_WOULD_DROP (PC_CELLS + 1u * PC_PORTS)
#define PC_CELLS_ALL	       (PC_CELLS + 2u * PC_PORTS)
/*
 * Reserved: cells of machines behind this host, from here on, one a verdict, machine and port;
 * which is which the loader knows. They stand on pages from PC_PAGE_LISTED on, like those of listed
 * ports, or in `rare`.
 */
#define PC_CELL_MACHINES       PC_CELLS_ALL
#define PC_RARE_SIZE	       32768 /* once full, only the reason counts */

/*
 * Where a cell is: on a page of the row of the CPU that counts, in the map `counters`. A CPU writes
 * its own row alone, by plain stores.
 *
 *	page PC_PAGE_WIDE	the cells from PC_CELL_REASON on, a wide word each
 *	page PC_PAGE_TOUCHED	a bit a page of this row: something was counted there
 *	from PC_PAGE_DROP on	drops and would-drops of all ports, which share a narrow word
 *	from PC_PAGE_LISTED on	the cells PC_CELL_PASS and PC_CELL_OUT, a narrow word each, of those
 *				pages of 256 ports of which a service ever listed one; the value of
 *				`filter` tells which page of the row each has
 *
 * A cell is one word, so that a packet and its bytes are counted by one add and read together:
 *
 *	narrow (32 bits)	bits 0-20 bytes, bits 21-30 packets; bit 31: of would-drops
 *	wide   (64 bits)	bits 0-35 bytes, bits 36-63 packets
 *
 * When the top bit of a field is set, or a narrow word has the drops of another policy, the program
 * flushes it: into its total, a wide word in the map `totals` that all CPUs add to. A full total
 * or wide word is flushed into the hash `carries`. Until the sum is right again, the word that is
 * being flushed has a top bit, which tells a reader to read again.
 *
 * A CPU without a row (one that came after the program was loaded) adds to the totals. A port
 * without a page (there was none left) counts in `rare`.
 */
#define PC_PAGE_CELLS	256u /* narrow words of a page */
#define PC_PAGE_WORDS	128u /* wide words of a page */
#define PC_PAGE_WIDE	0u
#define PC_PAGE_TOUCHED 1u
#define PC_PAGE_DROP	2u
#define PC_PAGE_LISTED	(PC_PAGE_DROP + PC_PORTS / PC_PAGE_CELLS)
#define PC_ROW_NONE \
	0xffff0000u /* of a CPU that has none: no page of `counters`, whatever is added */

/* The cells that share narrow words: one of them, and the one that it shares its word with. */
#define PC_CELL_IS_DROP(cell) ((cell)-PC_CELL_DROP < 2u * PC_PORTS)
#define PC_CELL_PARTNER(cell) ((cell) ^ (PC_CELL_DROP ^ PC_CELL_WOULD_DROP))
/* Bit 31 of a narrow word, as a cell has it. That of PC_CELL_OUT has it too, and that alone. */
#define PC_CELL_SIGN(cell)    (((cell)&PC_CELL_WOULD_DROP) << 13)

/* Pages of ports whose passes (the first half) or sent packets are counted: by PC_LISTED(cell). */
#define PC_LISTED(cell) ((cell) % (2u * PC_PORTS) / PC_PAGE_CELLS)
#define PC_LISTED_CELL(page)                                       \
	((page)*PC_PAGE_CELLS + ((page)*PC_PAGE_CELLS < PC_PORTS ? \
					 PC_CELL_PASS :            \
					 PC_CELL_OUT - PC_PORTS)) /* the first */
#define PC_LISTED_PAGES	 (2u * PC_PORTS / PC_PAGE_CELLS)
#define PC_LISTED_LEAST	 62u /* pages that a row has for them at least */
#define PC_LISTED_GROWTH 32u /* pages for what a swap may list in addition */

struct pc_page {
	union {
		__u64 word[PC_PAGE_WORDS];
		__u32 cell[PC_PAGE_CELLS];
	};
};
_Static_assert(sizeof(struct pc_page) == 1024, "pc_page");

#define PC_NARROW_PACKET       (1u << 21)
#define PC_NARROW_BYTES	       (PC_NARROW_PACKET - 1)
#define PC_NARROW_BYTES_CARRY  (1u << 20) /* a packet of GSO has at most half of that */
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
 * What another filter counted that this one took the place of: the entries of the map `past`, which
 * never changes.
 */
struct pc_past {
	__u32 cell;
	__u32 pad;
	struct pc_count count;
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

/* Index of a cell's total: that of a listed port by its page in the row and its place there. */
#define PC_TOTAL_WIDE(cell) ((cell)-PC_CELL_REASON)
#define PC_TOTAL_PORT(cell) (PC_PAGE_WORDS + ((cell)-PC_CELL_DROP))
#define PC_TOTAL_LISTED(page, cell)                                                \
	(PC_PAGE_WORDS + 2u * PC_PORTS + ((page)-PC_PAGE_LISTED) * PC_PAGE_CELLS + \
	 (cell) % PC_PAGE_CELLS)
#define PC_TOTALS(listed_pages) PC_TOTAL_LISTED(PC_PAGE_LISTED + (listed_pages), 0)
#define PC_CARRIES		16384

#define PC_CPUS 8192u /* ids of CPUs that may have a row; NR_CPUS of x86 is at most that */

#endif
