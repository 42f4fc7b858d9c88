// SPDX-License-Identifier: GPL-2.0
/* Adds up the counters of all CPUs. */
#include "loader/report/counters.h"

#include <string.h>
#include <time.h>

#include "loader/base/memory.h"

/* attempts: a flush takes nanoseconds, but the hypervisor may stop its CPU */
#define RETRIES	 1000
#define PAUSE_NS 50000 /* between two attempts */

const char *const reason_name[PC_REASONS] = {
	[PC_REASON_MALFORMED] = "malformed", [PC_REASON_BANNED] = "banned",
	[PC_REASON_DENIED] = "denied",	     [PC_REASON_FRAGMENT] = "fragment",
	[PC_REASON_ICMP] = "icmp",	     [PC_REASON_LIMIT] = "limit",
	[PC_REASON_SOURCE] = "source",	     [PC_REASON_PROTOCOL] = "protocol",
	[PC_REASON_UNLISTED] = "unlisted",   [PC_REASON_OUTBOUND] = "outbound",
};

const char *const reason_text[PC_REASONS] = {
	[PC_REASON_MALFORMED] =
		"The headers of the packet are broken or cut short: a wrong length, a TCP fragment at offset 8, more than 2 VLAN tags or 8 IPv6 extension headers; where frames begin with IP, anything else. See VERDICTS in portcullis(8).",
	[PC_REASON_BANNED] =
		"The source is banned. `portcullis bans` shows by which list, until when and why; `portcullis unban` lifts the ban. It holds for live connections and replies, too. See BANS in portcullis(8).",
	[PC_REASON_DENIED] =
		"The source is in a group of `deny` in the site file. `portcullis groups` shows its prefixes. It holds for live connections and replies, too. See BANS in portcullis(8).",
	[PC_REASON_FRAGMENT] =
		"A later fragment of a datagram whose first fragment was dropped, or did not come before it. The sender has to send the datagram again. See FRAGMENTS in portcullis(8).",
	[PC_REASON_ICMP] =
		"An ICMP or ICMPv6 type that is not admitted, an error that quotes no packet of this host, an echo reply without a request, or more echo requests than --echo-limit. See ICMP in portcullis(8).",
	[PC_REASON_LIMIT] =
		"A new TCP connection, or a UDP packet, from a source that is over the limit of every service that admits it. `portcullis show --iface IFACE` has the limits; `except` exempts a group, --no-limit takes one back. See LIMITS in portcullis(8).",
	[PC_REASON_SOURCE] =
		"A TCP or UDP packet to a port that a service opens, but not to this source address or source port. To admit the source, add it to a group of the service: --group, or --from for other groups.",
	[PC_REASON_PROTOCOL] =
		"An IP protocol other than TCP, UDP, ICMP and IGMP that no profile names under `protocols`. See portcullis-profile(5).",
	[PC_REASON_UNLISTED] =
		"A TCP or UDP packet to a port that no open service lists, and that is not a reply to a packet of this host. `portcullis explain IFACE SOURCE PORT/PROTO` tells which services have it, why each is closed, and what opens it.",
	[PC_REASON_OUTBOUND] =
		"Under --outbound enforce: a packet that this host sends to a remote port that no open `out` service lists. See OUTBOUND in portcullis(8).",
};

static void add(struct count *to, struct count what)
{
	to->packets += what.packets;
	to->bytes += what.bytes;
}

static struct count count_of(struct pc_count count)
{
	return (struct count){count.packets, count.bytes};
}

static struct count count_wide(__u64 word)
{
	return count_of(pc_wide_unpack(word));
}

static struct count count_narrow(__u32 word)
{
	return count_of(pc_narrow_unpack(word));
}

static const struct pc_page *row_page(const struct counter_maps *maps, __u32 row, __u32 page)
{
	return &maps->rows[row * maps->filter->row_pages + page];
}

/* True if a CPU has counted on that page of its row. */
static bool is_touched(const struct counter_maps *maps, __u32 page)
{
	__u32 row;

	for (row = 0; row < maps->filter->rows; row++) {
		const __u32 *bits = row_page(maps, row, PC_PAGE_TOUCHED)->cell;

		if (__atomic_load_n(&bits[page / 32], __ATOMIC_ACQUIRE) & 1U << page % 32)
			return true;
	}
	return false;
}

static __u64 read_total(const struct counter_maps *maps, __u32 index)
{
	return __atomic_load_n(&maps->totals[index / PC_PAGE_WORDS].word[index % PC_PAGE_WORDS],
			       __ATOMIC_ACQUIRE);
}

/* Zero is not written: most sums are zero from the start, and their memory stays untouched. */
static void set(struct count *sum, struct count now)
{
	if (now.packets || sum->packets)
		*sum = now;
}

/* Adds a wide cell. False if the program was flushing it, so that a part may be missing or counted
 * twice. */
static bool sum_wide(const struct counter_maps *maps, __u32 cell, struct count *sum)
{
	__u32 index = PC_TOTAL_WIDE(cell), row;
	__u64 before = read_total(maps, index);
	struct count now = count_wide(before);
	bool still = !(before & PC_CELL_PENDING);

	for (row = 0; row < maps->filter->rows; row++) {
		__u64 word = __atomic_load_n(&row_page(maps, row, PC_PAGE_WIDE)->word[index],
					     __ATOMIC_ACQUIRE);

		still = still && !(word & PC_CELL_PENDING);
		add(&now, count_wide(word));
	}
	set(sum, now);
	return still && read_total(maps, index) == before;
}

/* The cells that share the narrow words at a place of a page: one cell, or those of both
 * policies. */
struct place {
	__u32 page, slot;
	__u32 index[2]; /* [0]: of their totals; [1]: of words with PC_NARROW_WOULD */
	struct count *sum[2];
};

static bool sum_place(const struct counter_maps *maps, const struct place *place, bool touched)
{
	__u64 before[2] = {read_total(maps, place->index[0]), read_total(maps, place->index[1])};
	struct count now[2] = {count_wide(before[0]), count_wide(before[1])};
	bool still = !((before[0] | before[1]) & PC_CELL_PENDING);
	__u32 row;

	/* The rest of a total that counts may be on a page that was touched after the page map was
	 * read. */
	if (!touched && !before[0] && !before[1]) {
		set(place->sum[0], (struct count){});
		set(place->sum[1], (struct count){});
		return true;
	}
	for (row = 0; row < maps->filter->rows; row++) {
		__u32 word = __atomic_load_n(&row_page(maps, row, place->page)->cell[place->slot],
					     __ATOMIC_ACQUIRE);

		still = still && !(word & PC_NARROW_PENDING);
		add(&now[!!(word & PC_NARROW_WOULD)], count_narrow(word));
	}
	set(place->sum[0], now[0]);
	set(place->sum[1], now[1]);
	return still && read_total(maps, place->index[0]) == before[0] &&
	       read_total(maps, place->index[1]) == before[1];
}

static void pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

static void sum_page(const struct counter_maps *maps, struct place place, struct counters *counters,
		     __u32 cell)
{
	bool touched = is_touched(maps, place.page);
	__u32 index[2] = {place.index[0], place.index[1]}, i;
	struct count other = {};
	bool shared = index[0] != index[1], sign = PC_CELL_SIGN(cell);

	for (place.slot = 0; place.slot < PC_PAGE_CELLS; place.slot++, cell++) {
		place.index[0] = index[0] + place.slot;
		place.index[1] = index[1] + place.slot;
		place.sum[0] = &counters->cell[cell];
		place.sum[1] = shared ? &counters->cell[PC_CELL_PARTNER(cell)] : &other;
		if (sign) { /* the words are in use, and belong to this cell */
			place.sum[1] = place.sum[0];
			place.sum[0] = &other;
		}
		for (i = 0; i < RETRIES && !sum_place(maps, &place, touched); i++)
			pause();
	}
}

void counters_sum(const struct counter_maps *maps, struct counters *counters)
{
	__u32 cell, i;

	for (cell = PC_CELL_REASON; cell < PC_CELLS; cell++)
		for (i = 0; i < RETRIES && PC_CELL_COUNTS(cell) &&
			    !sum_wide(maps, cell, &counters->cell[cell]);
		     i++)
			pause();
	for (cell = PC_CELL_DROP; cell < PC_CELL_WOULD_DROP; cell += PC_PAGE_CELLS)
		sum_page(maps,
			 (struct place){.page = PC_PAGE_DROP + cell % PC_PORTS / PC_PAGE_CELLS,
					.index = {PC_TOTAL_PORT(cell),
						  PC_TOTAL_PORT(PC_CELL_PARTNER(cell))}},
			 counters, cell);
	for (i = 0; i < ARRAY_SIZE(maps->filter->page); i++) {
		__u32 page = maps->filter->page[i];
		__u32 index = PC_TOTAL_LISTED(page, 0);

		cell = PC_LISTED_CELL(i);
		counters->machines = counters->machines || (page && i >= PC_LISTED_PAGES);
		if (page)
			sum_page(maps, (struct place){.page = page, .index = {index, index}},
				 counters, cell);
	}
}

__u32 counters_total_cell(const struct pc_filter *filter, __u32 index)
{
	const __u32 ports = PC_TOTAL_PORT(PC_CELL_DROP), listed = PC_TOTALS(0);
	__u32 page = PC_PAGE_LISTED + (index - listed) / PC_PAGE_CELLS, i;

	if (index < ports)
		return PC_CELL_REASON + index;
	if (index < listed)
		return PC_CELL_DROP + index - ports;
	for (i = 0; i < ARRAY_SIZE(filter->page); i++)
		if (filter->page[i] == page)
			return PC_LISTED_CELL(i) + (index - listed) % PC_PAGE_CELLS;
	return PC_CELLS_END;
}

void counters_add(struct counters *counters, __u32 cell, const struct pc_count *count)
{
	if (cell >= PC_CELLS_END)
		return;
	add(&counters->cell[cell], count_of(*count));
	counters->rare = counters->rare || (cell >= PC_CELLS && cell < PC_CELLS_ALL);
	counters->machines = counters->machines || cell >= PC_CELL_MACHINES;
}

static __u64 less(__u64 from, __u64 what)
{
	return from > what ? from - what : 0;
}

void counters_subtract(struct counters *counters, __u32 cell, const struct pc_count *count)
{
	struct count *from;

	if (cell >= PC_CELLS_END || (!counters->rare && cell >= PC_CELLS && cell < PC_CELLS_ALL) ||
	    (!counters->machines && cell >= PC_CELL_MACHINES))
		return;
	from = &counters->cell[cell];
	*from = (struct count){less(from->packets, count->packets),
			       less(from->bytes, count->bytes)};
}

struct counts counters_port(const struct counters *counters, __u32 port)
{
	return (struct counts){
		.pass = counters->cell[PC_CELL_PASS + port],
		.drop = counters->cell[PC_CELL_DROP + port],
		.would_drop = counters->cell[PC_CELL_WOULD_DROP + port],
	};
}

/* If there are no rare cells, their memory is not even read. */
struct counts counters_out(const struct counters *counters, __u32 port)
{
	struct counts counts = {.pass = counters->cell[PC_CELL_OUT + port]};

	if (counters->rare) {
		counts.drop = counters->cell[PC_CELL_OUT_DROP + port];
		counts.would_drop = counters->cell[PC_CELL_OUT_WOULD_DROP + port];
	}
	return counts;
}

struct counts counters_tally(const struct counters *counters, __u32 tally, bool out)
{
	const struct count *cell = &counters->cell[PC_CELL_MACHINE(tally, 0)];

	return (struct counts){.pass = cell[out ? PC_TALLY_SENT : PC_TALLY_PASS],
			       .drop = cell[PC_TALLY_DROP],
			       .would_drop = cell[PC_TALLY_WOULD_DROP]};
}

struct counts counters_reason(const struct counters *counters, enum pc_reason reason)
{
	return (struct counts){
		.drop = counters->cell[PC_CELL_REASON + reason],
		.would_drop = counters->cell[PC_CELL_REASON_WOULD + reason],
	};
}

struct count counters_other(const struct counters *counters, enum pc_other other)
{
	return counters->cell[PC_CELL_OTHER + other];
}

struct counts counters_total(const struct counters *counters)
{
	struct counts total = {};
	__u32 port;
	int i;

	for (port = 0; port < PC_PORTS; port++)
		add(&total.pass, counters->cell[PC_CELL_PASS + port]);
	for (port = 0; counters->machines && port < PC_TALLIES; port++)
		add(&total.pass, counters->cell[PC_CELL_MACHINE(port, PC_TALLY_PASS)]);
	for (i = 0; i < PC_OTHERS; i++)
		add(&total.pass, counters_other(counters, i));
	for (i = 0; i < PC_REASONS; i++) {
		struct counts reason = counters_reason(counters, i);

		if (i == PC_REASON_OUTBOUND)
			continue;
		add(&total.drop, reason.drop);
		add(&total.would_drop, reason.would_drop);
	}
	return total;
}

struct counts counters_outbound_total(const struct counters *counters)
{
	struct counts total = counters_reason(counters, PC_REASON_OUTBOUND);

	total.pass = counters->cell[PC_CELL_EGRESS];
	return total;
}
