/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict on a packet, and `account`, by which both hooks count it. */
#ifndef PORTCULLIS_ACCOUNT_H
#define PORTCULLIS_ACCOUNT_H

#include <stdbool.h>

#include "bpf/listen.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/record.h"
#include "bpf/table.h"

struct verdict {
	/* PC_CELL_*. A drop has the cell of its reason, as if enforced. */
	__u32 cell;
	/*
	 * Another cell to count, or 0. A drop at a port has the cell of that port, as if enforced;
	 * a reply has that of its remote port, if an `out` service lists the port.
	 */
	__u32 second;
	bool drop;
};

static __always_inline struct verdict pass_port(const struct packet *packet)
{
	return (struct verdict){.cell = PC_CELL_PASS +
					PC_PORT(packet->transport, packet->local_port)};
}

static __always_inline struct verdict pass_other(enum pc_other other)
{
	return (struct verdict){.cell = PC_CELL_OTHER + other};
}

static __always_inline struct verdict drop_reason(enum pc_reason reason)
{
	return (struct verdict){.cell = PC_CELL_REASON + reason, .drop = true};
}

static __always_inline struct verdict drop_port(const struct packet *packet, enum pc_reason reason)
{
	return (struct verdict){.cell = PC_CELL_REASON + reason,
				.second = PC_CELL_DROP +
					  PC_PORT(packet->transport, packet->local_port),
				.drop = true};
}

/* As packet_settle: the verifier follows the code behind it once, and not for each rule that
 * decides. */
static __always_inline struct verdict verdict_settle(const struct packet *packet,
						     struct verdict verdict)
{
	__u32 any = packet_any(packet);

	if (!packet->gather)
		return verdict;
	return (struct verdict){.cell = forgotten(verdict.cell, any),
				.second = forgotten(verdict.second, any),
				.drop = forgotten(verdict.drop, any) & 1};
}

/* Returns the entry of a hash of counts, and creates it if needed. NULL: the hash is full. */
static __always_inline struct pc_count *count_entry(void *hash, __u32 key)
{
	struct pc_count none = {};
	struct pc_count *known = bpf_map_lookup_elem(hash, &key);

	if (known)
		return known;
	/* fails if another CPU has added it meanwhile */
	bpf_map_update_elem(hash, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(hash, &key);
}

/* Adds the full fields of a wide word to its entry in `carries`. The caller clears them later. */
static __always_inline void carry_full_fields(struct pc_count *carried, __u64 value)
{
	if (value & PC_CELL_BYTES_CARRY)
		__sync_fetch_and_add(&carried->bytes, PC_CELL_BYTES_CARRY);
	if (value & PC_CELL_PACKET_CARRY)
		__sync_fetch_and_add(&carried->packets,
				     pc_wide_unpack(PC_CELL_PACKET_CARRY).packets);
}

/* Flushes a full total. Under the lock, only the first of several CPUs still sees the top bits. */
static __always_inline void total_flush(__u64 *word, __u32 index)
{
	struct pc_count *carried = count_entry(&carries, index);
	struct carry_lock *lock = only_of(&carry_lock);
	__u64 value;

	if (!carried || !lock)
		return; /* the next flush tries again, long before the field is full */
	bpf_spin_lock(&lock->lock);
	value = *(volatile __u64 *)word & PC_CELL_PENDING;
	carry_full_fields(carried, value);
	barrier();
	__sync_fetch_and_add(word, -value);
	bpf_spin_unlock(&lock->lock);
}

/* Adds a wide word to the total of a cell. All CPUs share the totals. */
__noinline int portcullis_total(__u32 index, __u64 added)
{
	__u32 key = index / PC_PAGE_WORDS;
	struct pc_page *page = bpf_map_lookup_elem(&totals, &key);
	__u64 *word;

	if (!page)
		return 0;
	word = &page->word[index % PC_PAGE_WORDS];
	__sync_fetch_and_add(word, added);
	if (*(volatile __u64 *)word & PC_CELL_PENDING)
		total_flush(word, index);
	return 0;
}

/* The index of the total of a port's cell, which is on that page of a row. */
static __always_inline __u32 total_index(__u32 page, __u32 cell)
{
	return PC_CELL_IS_DROP(cell) ? PC_TOTAL_PORT(cell) : PC_TOTAL_LISTED(page, cell);
}

/* Converts a narrow word to a wide one. */
static __always_inline __u64 widen(__u32 narrow)
{
	struct pc_count count = pc_narrow_unpack(narrow);

	return pc_wide_pack(count.packets, count.bytes);
}

/*
 * Counts a packet in the rare cases of count_narrow: its word is unused or full, the word has the
 * drops of another policy, or this CPU has no row.
 */
__noinline int portcullis_narrow(__u32 row, __u32 at, __u32 cell, __u32 length)
{
	__u32 touched_key = row + PC_PAGE_TOUCHED, key = row + at, sign = PC_CELL_SIGN(cell), value;
	struct pc_page *touched = bpf_map_lookup_elem(&counters, &touched_key);
	struct pc_page *page = bpf_map_lookup_elem(&counters, &key);
	__u32 *word;

	if (row == PC_ROW_NONE)
		return portcullis_total(total_index(at, cell), pc_wide_pack(1, length));
	if (!touched || !page)
		return 0;
	word = &page->cell[cell % PC_PAGE_CELLS];
	value = *word;
	touched->cell[at / 32 % PC_PAGE_CELLS] |= 1U << at % 32;
	if ((value ^ sign) & PC_NARROW_WOULD) {
		if (value & ~PC_NARROW_WOULD) {
			*(volatile __u32 *)word = value | PC_NARROW_PENDING;
			barrier();
			portcullis_total(total_index(at, PC_CELL_PARTNER(cell)), widen(value));
			barrier();
		}
		value = sign;
	}
	value += pc_narrow_pack(1, length);
	*(volatile __u32 *)word = value;
	if (!(value & PC_NARROW_PENDING))
		return 0;
	barrier();
	portcullis_total(total_index(at, cell), widen(value));
	barrier();
	*(volatile __u32 *)word = sign;
	return 0;
}

/* Counts a packet in the hash `rare`. */
static __always_inline void count_rare(__u32 cell, __u32 length)
{
	struct pc_count *known = count_entry(&rare, cell);

	if (!known)
		return;
	__sync_fetch_and_add(&known->packets, 1);
	__sync_fetch_and_add(&known->bytes, length);
}

/* Counts a packet in a narrow word, on page `at` of a row. PC_ROW_NONE is past the map's end. */
static __always_inline void count_narrow(__u32 at, __u32 cell, __u32 length)
{
	__u32 row = own_row(), key = row + at, value;
	struct pc_page *page = bpf_map_lookup_elem(&counters, &key);
	__u32 *word;

	if (page) {
		word = &page->cell[bounded(cell, PC_PAGE_CELLS - 1)];
		value = *word + pc_narrow_pack(1, length);
		if (*word &&
		    !((value ^ PC_CELL_SIGN(cell)) & (PC_NARROW_WOULD | PC_NARROW_PENDING))) {
			*word = value;
			return;
		}
	}
	portcullis_narrow(row, at, cell, length);
}

/* Counts a drop or would-drop at a port. */
static __always_inline void count_drop(__u32 cell, __u32 length)
{
	count_narrow(PC_PAGE_DROP + cell % PC_PORTS / PC_PAGE_CELLS, cell, length);
}

/* Counts a passed or sent packet at a port; in `rare` if there was no room for the port's page. */
static __always_inline void count_listed(__u32 cell, __u32 length)
{
	__u32 at = filter.page[bounded(PC_LISTED(cell), PC_LISTED_PAGES - 1)];

	if (at)
		count_narrow(at, cell, length);
	else
		count_rare(cell, length);
}

/* count_rare as a call, for callers that have little stack. */
__noinline int portcullis_rare(__u32 cell, __u32 length)
{
	count_rare(cell, length);
	return 0;
}

/*
 * Counts a packet of a machine. `way`: class_port; `cell`: the cell that would count it for this
 * host. Packets of a machine without tallies are not counted.
 */
static __always_inline void count_tally(const struct packet *packet,
					const struct pc_generation *generation, int way, __u32 cell,
					enum pc_tally_kind kind)
{
	__u32 tally = class_port(packet, generation, way, cell % PC_PORTS)->tally, at;

	if (!packet_tallies(packet))
		return;
	if (way && !tally)
		tally = PC_TALLY_OUT;
	cell = PC_CELL_MACHINE(packet_tallies(packet) + tally, kind);
	at = filter.page[PC_LISTED_PAGES +
			 bounded((cell - PC_CELL_MACHINES) / PC_PAGE_CELLS, PC_MACHINE_PAGES - 1)];
	if (at)
		count_narrow(at, cell, packet->length);
	else
		portcullis_rare(cell, packet->length);
}

/* Flushes a full wide word of a row. If this CPU has no row, counts the packet in the total. */
__noinline int portcullis_wide(__u32 row, __u32 index, __u32 length)
{
	__u32 key = row + PC_PAGE_WIDE;
	struct pc_page *page = bpf_map_lookup_elem(&counters, &key);
	struct pc_count *carried;
	__u64 *word;

	if (row == PC_ROW_NONE)
		return portcullis_total(index, pc_wide_pack(1, length));
	carried = count_entry(&carries, index);
	if (!page || !carried)
		return 0;
	word = &page->word[index % PC_PAGE_WORDS];
	carry_full_fields(carried, *word);
	barrier();
	*(volatile __u64 *)word &= ~PC_CELL_PENDING;
	return 0;
}

/*
 * Counts a packet in a wide word: a reason, or a passed packet that has no port's cell. Returns the
 * page in the row of this CPU, or NULL if it has no row.
 */
static __always_inline struct pc_page *count_wide(__u32 cell, __u32 length)
{
	__u32 index = PC_TOTAL_WIDE(cell), row = own_row(), key = row + PC_PAGE_WIDE;
	struct pc_page *page = bpf_map_lookup_elem(&counters, &key);
	__u64 *word, value;

	if (page) {
		word = &page->word[bounded(index, PC_PAGE_WORDS - 1)];
		value = *word + pc_wide_pack(1, length);
		*word = value;
		if (!(value & PC_CELL_PENDING))
			return page;
	}
	portcullis_wide(row, index, length);
	return page;
}

/*
 * Counts a drop or would-drop. Returns which reports it needs: DECIDED_NOTE, DECIDED_SILENT, or 0
 * (only listeners).
 */
static __always_inline __u32 account_drop(const struct packet *packet,
					  const struct pc_generation *generation,
					  struct verdict verdict, bool would)
{
	struct pc_page *page;

	if (verdict.second && packet->behind) {
		/* PC_CELL_OUT_DROP is not a multiple of PC_PORTS. */
		count_tally(packet, generation, packet->egress,
			    verdict.second - (packet->egress ? PC_CELL_OUT_DROP : 0),
			    would ? PC_TALLY_WOULD_DROP : PC_TALLY_DROP);
	} else if (verdict.second) {
		/* The distance of PC_CELL_OUT_WOULD_DROP from PC_CELL_OUT_DROP is the same. */
		__u32 second = verdict.second + (would ? PC_CELL_WOULD_DROP - PC_CELL_DROP : 0);

		if (packet->egress)
			count_rare(second, packet->length);
		else
			count_drop(second, packet->length);
	}
	page = count_wide(verdict.cell + (would ? PC_CELL_REASON_WOULD - PC_CELL_REASON : 0),
			  packet->length);
	if (!page || !gate_skips(gate_in(page)))
		return DECIDED_NOTE;
	if (!filter.listeners || deaf_skips(deaf_in(page), verdict.cell - PC_CELL_REASON))
		return DECIDED_SILENT;
	return 0;
}

static __always_inline void account_pass(const struct packet *packet,
					 const struct pc_generation *generation,
					 struct verdict verdict)
{
	if (verdict.second && packet->behind)
		count_tally(packet, generation, 1, verdict.second, PC_TALLY_SENT);
	else if (verdict.second)
		count_listed(verdict.second, packet->length);
	if (verdict.cell < PC_CELL_DROP && packet->behind)
		count_tally(packet, generation, 0, verdict.cell, PC_TALLY_PASS);
	else if (verdict.cell < PC_CELL_DROP)
		count_listed(verdict.cell, packet->length);
	else
		count_wide(verdict.cell, packet->length);
}

/*
 * Whether the filter is being attached (PC_POLICY_START). Then packets to drop pass uncounted, and
 * listeners get no event.
 */
static __always_inline bool is_attaching(const struct pc_generation *generation)
{
	return generation->policy == PC_POLICY_START;
}

#endif
