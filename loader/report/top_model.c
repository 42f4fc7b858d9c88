// SPDX-License-Identifier: GPL-2.0
/* The rows of `top`: counts, rates between two looks at the counters, and their order. */
#include "loader/report/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/top_listing.h"
#include "loader/report/top_sources.h"

#define SECOND 1e9 /* in ns */

const char *const top_sort_name[TOP_SORTS] = {
	[TOP_BY_PACKETS] = "packets/s",
	[TOP_BY_BITS] = "bits/s",
	[TOP_BY_TOTAL] = "packets",
};

static struct top_look *look_of(const struct top_looks *looks, const char *interface)
{
	size_t at = top_look_index(looks, interface);

	return at < looks->count ? &looks->look[at] : NULL;
}

void top_listings(struct top_looks *looks, struct top_looks *before,
		  json_t *(*profiles)(void *context, size_t at, struct top_machines **behind),
		  void *context)
{
	for (size_t i = 0; i < looks->count; i++) {
		struct top_look *look = &looks->look[i];
		struct top_look *other = look_of(before, look->interface);

		if (other && other->listing && other->generation == look->generation &&
		    other->made_at == look->made_at) {
			look->listing = other->listing;
			look->behind = other->behind;
			other->listing = NULL;
			other->behind = NULL;
		} else {
			json_t *read = profiles(context, i, &look->behind);

			look->listing = top_listing_new(read);
			json_decref(read);
		}
	}
}

/* --- rates --- */

/* The counters of an interface now and before, and the time between. */
struct span {
	const struct counters *now, *before; /* before: NULL if counting began after it */
	double seconds;			     /* 0: rates are unknown */
};

/* If counting began again meanwhile, all present counts came since then. */
static struct span span_of(const struct top_looks *now, const struct top_looks *before, size_t at)
{
	const struct top_look *look = &now->look[at];
	const struct top_look *other = look_of(before, look->interface);
	struct span span = {.now = look->counters};
	__u64 wall = now->wall, began = look->began;

	if (!other)
		return span;
	span.seconds = (now->monotonic - before->monotonic) / SECOND;
	if (other->began == began)
		span.before = other->counters;
	else if (began < wall && (wall - began) / SECOND < span.seconds)
		span.seconds = (wall - began) / SECOND;
	return span;
}

/* Counters of ports, of a reason, or of what else passes; `at` is an index of each kind. */
typedef struct counts counter(const struct counters *counters, __u32 at);

static struct counts count_in(const struct counters *counters, __u32 port)
{
	return counters_port(counters, port);
}

static struct counts count_out(const struct counters *counters, __u32 port)
{
	return counters_out(counters, port);
}

static struct counts count_reason(const struct counters *counters, __u32 reason)
{
	return counters_reason(counters, reason);
}

static struct counts count_other(const struct counters *counters, __u32 other)
{
	return (struct counts){.pass = counters_other(counters, other)};
}

static struct counts count_total(const struct counters *counters, __u32 out)
{
	return out ? counters_outbound_total(counters) : counters_total(counters);
}

static struct count sum(struct count a, struct count b)
{
	return (struct count){a.packets + b.packets, a.bytes + b.bytes};
}

/* The difference between two counters; 0 if the counter went back. */
static struct count difference(struct count now, struct count before)
{
	return (struct count){
		now.packets > before.packets ? now.packets - before.packets : 0,
		now.bytes > before.bytes ? now.bytes - before.bytes : 0,
	};
}

static bool any_counts(struct counts counts)
{
	return counts.pass.packets || counts.drop.packets || counts.would_drop.packets;
}

/* Adds what one counter has to a row. */
static void add_counts(struct top_row *row, const struct span *span, counter *count, __u32 at)
{
	struct counts now = count(span->now, at), before = {};
	struct count passed, dropped;

	row->passed = sum(row->passed, now.pass);
	row->refused = sum(row->refused, sum(now.drop, now.would_drop));
	if (span->seconds <= 0)
		return;
	if (span->before)
		before = count(span->before, at);
	passed = difference(now.pass, before.pass);
	dropped = sum(difference(now.drop, before.drop),
		      difference(now.would_drop, before.would_drop));
	row->packets += (passed.packets + dropped.packets) / span->seconds;
	row->bits += 8.0 * (passed.bytes + dropped.bytes) / span->seconds;
	row->drops += dropped.packets / span->seconds;
}

static struct top_row row_new(const struct span *span, size_t look, enum top_kind kind, bool out,
			      __u32 at)
{
	double unknown = span->seconds > 0 ? 0 : -1;

	return (struct top_row){.look = (__u32)look,
				.kind = kind,
				.out = out,
				.at = at,
				.packets = unknown,
				.bits = unknown,
				.drops = unknown};
}

/* --- order --- */

static double sort_value(const struct top_row *row, enum top_sort sort)
{
	switch (sort) {
	case TOP_BY_PACKETS: return row->packets;
	case TOP_BY_BITS: return row->bits;
	default: return (double)(row->passed.packets + row->refused.packets);
	}
}

static int compare_numbers(double a, double b)
{
	return a < b ? -1 : a > b;
}

/* Rows of equal value are sorted by total, then as in `counters`, so that the screen does not
 * flicker. */
static int compare_rows(const void *a, const void *b, void *sort)
{
	const struct top_row *left = a, *right = b;
	int order = compare_numbers(sort_value(right, *(enum top_sort *)sort),
				    sort_value(left, *(enum top_sort *)sort));

	if (!order)
		order = compare_numbers(sort_value(right, TOP_BY_TOTAL),
					sort_value(left, TOP_BY_TOTAL));
	if (!order)
		order = compare_numbers(left->look, right->look);
	if (!order)
		order = compare_numbers(left->kind, right->kind);
	if (!order)
		order = left->out - right->out;
	return order ? order : compare_numbers(left->at, right->at);
}

/* Collects rows. It holds up to twice as many as are kept, so that it has to sort rarely. */
struct collector {
	struct top_rows *rows;
	enum top_sort sort;
	bool full; /* kept rows are sorted up to the last one */
};

static void collector_sort(struct collector *collector)
{
	struct top_rows *rows = collector->rows;

	qsort_r(rows->row, rows->count, sizeof(*rows->row), compare_rows, &collector->sort);
	if (rows->count <= TOP_ROWS_MOST)
		return;
	rows->left_out += rows->count - TOP_ROWS_MOST;
	rows->count = TOP_ROWS_MOST;
	collector->full = true;
}

static void collect(void *context, const struct top_row *row)
{
	struct collector *collector = context;
	struct top_rows *rows = collector->rows;

	if (collector->full &&
	    compare_rows(row, &rows->row[TOP_ROWS_MOST - 1], &collector->sort) > 0) {
		rows->left_out++;
		return;
	}
	rows->row[rows->count++] = *row;
	if (rows->count == 2 * TOP_ROWS_MOST)
		collector_sort(collector);
}

/* --- panels --- */

/* Adds each open service, even if it counted nothing, and each other port that counted
 * something. */
static void collect_ports(struct collector *collector, const struct span *span,
			  const struct top_looks *looks, size_t look, bool out)
{
	const struct top_listing *listing = looks->look[look].listing;
	size_t services = top_listing_count(listing, out);
	struct top_row *listed = xcalloc(services + 1, sizeof(*listed));
	counter *count = out ? count_out : count_in;

	for (__u32 i = 0; i < services; i++)
		listed[i] = row_new(span, look, TOP_SERVICE, out, i);
	for (__u32 port = 0; port < PC_PORTS; port++) {
		__u32 at = top_listing_at(listing, out, port);
		struct top_row row;

		if (!any_counts(count(span->now, port)))
			continue;
		if (at != TOP_LISTED_NOT) {
			add_counts(&listed[at], span, count, port);
			continue;
		}
		row = row_new(span, look, TOP_UNLISTED, out, port);
		add_counts(&row, span, count, port);
		collect(collector, &row);
	}
	for (__u32 i = 0; i < services; i++)
		collect(collector, &listed[i]);
	free(listed);
}

static struct counts count_tally_in(const struct counters *counters, __u32 tally)
{
	return counters_tally(counters, tally, false);
}

static struct counts count_tally_out(const struct counters *counters, __u32 tally)
{
	return counters_tally(counters, tally, true);
}

/* Adds each open service of each machine, even if it counted nothing, and other ports that counted
 * something. */
static void collect_machines(struct collector *collector, const struct span *span,
			     const struct top_looks *looks, size_t look)
{
	const struct top_machines *behind = looks->look[look].behind;

	for (size_t i = 0; behind && i < behind->count; i++) {
		const struct top_machine *machine = &behind->row[i];
		struct top_row row = row_new(span, look, TOP_MACHINE, machine->out, (__u32)i);
		counter *count = machine->out ? count_tally_out : count_tally_in;

		for (size_t j = 0; j < machine->tallies; j++)
			add_counts(&row, span, count, machine->tally[j]);
		if (machine->listed || row.passed.packets || row.refused.packets)
			collect(collector, &row);
	}
}

static void collect_counted(struct collector *collector, const struct span *span, size_t look,
			    enum top_kind kind, counter *count, __u32 counters)
{
	for (__u32 i = 0; i < counters; i++) {
		bool out = kind == TOP_REASON && i == PC_REASON_OUTBOUND;
		struct top_row row = row_new(span, look, kind, out, i);

		if (!any_counts(count(span->now, i)))
			continue;
		add_counts(&row, span, count, i);
		collect(collector, &row);
	}
}

void top_rows(const struct top_looks *now, const struct top_looks *before, enum top_panel panel,
	      enum top_sort sort, struct top_rows *rows)
{
	struct collector collector = {.rows = rows, .sort = sort};

	*rows = (struct top_rows){.row = xcalloc(2 * TOP_ROWS_MOST, sizeof(*rows->row))};
	if (panel == TOP_SOURCES)
		top_sources(now, before, collect, &collector);
	for (size_t i = 0; i < now->count && panel != TOP_SOURCES; i++) {
		struct span span = span_of(now, before, i);

		if (panel == TOP_REASONS) {
			collect_counted(&collector, &span, i, TOP_REASON, count_reason, PC_REASONS);
			continue;
		}
		collect_ports(&collector, &span, now, i, false);
		collect_ports(&collector, &span, now, i, true);
		collect_machines(&collector, &span, now, i);
		collect_counted(&collector, &span, i, TOP_OTHER, count_other, PC_OTHERS);
	}
	collector_sort(&collector);
}

void top_total(const struct top_looks *now, const struct top_looks *before, size_t look, bool out,
	       struct top_row *row)
{
	struct span span = span_of(now, before, look);

	*row = row_new(&span, look, TOP_OTHER, out, 0);
	add_counts(row, &span, count_total, out);
}

/* --- names --- */

char *top_row_ports(const struct top_looks *looks, const struct top_row *row)
{
	switch (row->kind) {
	case TOP_SERVICE:
		return xstrdup(
			top_listing_ports(looks->look[row->look].listing, row->out, row->at));
	case TOP_UNLISTED:
		return xasprintf("%u/%s", pc_port_number(row->at),
				 pc_port_transport(row->at) == PC_TCP ? "tcp" : "udp");
	case TOP_SOURCE: return top_source_ports(looks, row);
	case TOP_MACHINE: return xstrdup(looks->look[row->look].behind->row[row->at].ports);
	case TOP_OTHER:
	case TOP_REASON: break;
	}
	return xstrdup("");
}

char *top_row_name(const struct top_looks *looks, const struct top_row *row)
{
	static const char *const other[PC_OTHERS] = {
		[PC_OTHER_NON_IP] = "(not IP)",
		[PC_OTHER_ICMP] = "(ICMP)",
		[PC_OTHER_PROTOCOL] = "(other IP protocols)",
		[PC_OTHER_REPLY] = "(replies)",
	};

	switch (row->kind) {
	case TOP_SERVICE:
		return xstrdup(top_listing_name(looks->look[row->look].listing, row->out, row->at));
	case TOP_UNLISTED: return xstrdup("unlisted");
	case TOP_OTHER: return xstrdup(other[row->at]);
	case TOP_REASON: return xstrdup(reason_name[row->at] ?: "");
	case TOP_SOURCE: return top_source_address(looks, row);
	case TOP_MACHINE: return xstrdup(looks->look[row->look].behind->row[row->at].name);
	}
	return xstrdup("");
}
