// SPDX-License-Identifier: GPL-2.0
/* The text form of what was dropped lately, made from the JSON one. */
#include "loader/report/text_drops.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define PAGE_ROWS 4096 /* rows that are aligned together */

/* The columns of counts that a report has. */
struct verdicts {
	bool drop, would;
};

static struct verdicts find_verdicts(const struct drops *drops)
{
	struct verdicts verdicts = {};
	size_t i;

	for (i = 0; i < drops->count; i++) {
		verdicts.drop |= drops->row[i].drop.packets > 0;
		verdicts.would |= drops->row[i].would_drop.packets > 0;
	}
	verdicts.drop |= !verdicts.would;
	return verdicts;
}

char *drops_time(const char *when, __u64 now)
{
	time_t today = (time_t)now, seconds;
	struct tm tm = {}, local, then;
	char text[64];

	if (!strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return xstrdup(when);
	seconds = timegm(&tm);
	if (!localtime_r(&seconds, &then) || !localtime_r(&today, &local))
		return xstrdup(when);
	strftime(text, sizeof(text),
		 then.tm_year == local.tm_year && then.tm_yday == local.tm_yday ?
			 "%H:%M:%S" :
			 "%Y-%m-%d %H:%M:%S",
		 &then);
	return xstrdup(text);
}

static json_int_t number_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* "198.51.100.7", "198.51.100.0/24: 63 sources", "4012 sources", "to 203.0.113.9". */
static char *address_text(const json_t *row)
{
	bool out = !strcmp(text_of(row, "direction"), "out");
	const char *address = text_of(row, out ? "destination" : "source");
	json_int_t sources = number_of(row, "sources");
	__free_text char *many =
		xasprintf("%lld %s", (long long)sources, out ? "destinations" : "sources");

	if (sources == 1)
		return *address ? xasprintf("%s%s", out ? "to " : "", address) : xstrdup("-");
	return *address ? xasprintf("%s%s: %s", out ? "to " : "", address, many) :
			  xasprintf("%s%s", out ? "to " : "", many);
}

/* "25/tcp", "icmp 8/0", "udp" without a port, "1204 ports". */
static char *port_text(const json_t *row)
{
	const json_t *port = json_object_get(row, "port"), *type = json_object_get(row, "type");
	const char *protocol = text_of(row, "protocol");

	if (json_is_integer(port))
		return xasprintf("%lld/%s", (long long)json_integer_value(port), protocol);
	if (json_is_integer(type))
		return xasprintf("%s %lld/%lld", protocol, (long long)json_integer_value(type),
				 (long long)number_of(row, "code"));
	if (number_of(row, "ports") > 1)
		return xasprintf("%lld ports", (long long)number_of(row, "ports"));
	return xstrdup(*protocol ? protocol : "-");
}

/* "unlisted", "source (xeams:smtp)", "several". */
static char *reason_text_of(const json_t *row)
{
	const char *reason = text_of(row, "reason");
	__free_text char *services = report_joined(json_object_get(row, "services"), ", ");

	return xasprintf("%s%s%s%s", *reason ? reason : "several", *services ? " (" : "", services,
			 *services ? ")" : "");
}

static char *count_text(const json_t *row, const char *verdict)
{
	return xasprintf("%s%lld", json_is_true(json_object_get(row, "sampled")) ? "~" : "",
			 (long long)text_packets(row, verdict));
}

static bool has_column(const struct columns *columns, const char *heading)
{
	for (size_t i = 0; i < columns->count; i++)
		if (!strcmp(columns->heading[i], heading))
			return true;
	return false;
}

static void add_row(struct columns *columns, struct verdicts verdicts, const json_t *row, __u64 now)
{
	const char *machine = text_of(row, "machine");
	__free_text char *last = drops_time(text_of(row, "last"), now);
	__free_text char *first = drops_time(text_of(row, "first"), now);
	__free_text char *address = address_text(row), *port = port_text(row);
	__free_text char *reason = reason_text_of(row);
	__free_text char *drop = count_text(row, "drop"), *would = count_text(row, "would_drop");
	const char *cell[COLUMNS_MOST];
	size_t count = 0;

	if (has_column(columns, "IFACE"))
		cell[count++] = text_of(row, "interface");
	if (has_column(columns, "MACHINE"))
		cell[count++] = *machine ? machine : "-";
	cell[count++] = last;
	cell[count++] = address;
	cell[count++] = port;
	cell[count++] = reason;
	if (verdicts.drop)
		cell[count++] = drop;
	if (verdicts.would)
		cell[count++] = would;
	cell[count++] = first;
	columns_row(columns, TONE_PLAIN, cell);
}

static bool any_machine(const struct drops *drops, size_t shown)
{
	for (size_t i = 0; i < shown; i++)
		if (drops->row[i].machine)
			return true;
	return false;
}

static void print_rows(const struct drops_view *view, size_t shown, FILE *to)
{
	struct verdicts verdicts = find_verdicts(view->drops);
	enum { HEADING_IFACE, HEADING_MACHINE };
	static const char *const heading[] = {"IFACE",	"MACHINE", "LAST",
					      "SOURCE", "PORT",	   "REASON"};
	struct columns columns = {.limit = view->columns};
	__u64 now = (__u64)time(NULL);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(heading); i++)
		if ((i != HEADING_IFACE || view->named) &&
		    (i != HEADING_MACHINE || any_machine(view->drops, shown)))
			columns.heading[columns.count++] = heading[i];
	if (verdicts.drop)
		columns.heading[columns.count++] = ">DROPPED";
	if (verdicts.would)
		columns.heading[columns.count++] = ">WOULD DROP";
	columns.heading[columns.count++] = "?FIRST";
	for (i = 0; i < shown; i++) {
		json_t *row = view->row(view->context, &view->drops->row[i]);

		add_row(&columns, verdicts, row, now);
		json_decref(row);
		if (columns.rows == PAGE_ROWS)
			columns_print(&columns, to);
	}
	if (columns.rows)
		columns_print(&columns, to);
}

static bool any_sampled(const struct drops *drops, size_t shown)
{
	size_t i;

	for (i = 0; i < shown; i++)
		if (drops->row[i].sampled)
			return true;
	return false;
}

static void note(const struct drops_view *view, FILE *to, const char *text)
{
	fprintf(to, "  %s", tone_start(TONE_FAINT, to));
	text_line(to, view->columns, 2, 2, "%s", text);
	fprintf(to, "%s\n", tone_end(to));
}

static void print_notes(const struct drops_view *view, size_t shown, FILE *to)
{
	const struct drops *drops = view->drops;
	__free_text char *since = text_time(view->since), *reach = NULL;

	if (shown < drops->count) {
		__free_text char *more =
			human_count(drops->count - shown, "more line", "more lines");
		__free_text char *text =
			xasprintf("... and %s: see %s", more,
				  view->past ? "--json" : "--top, --source, --port, --by");

		note(view, to, text);
	}
	if (any_sampled(drops, shown))
		note(view, to,
		     "~: an estimate, because in a flood only a sample is recorded; the totals of portcullis counters are exact");
	if (view->past)
		return;
	reach = drops->forgotten ?
			xasprintf(
				"complete since %s; before that, %llu entries were replaced by newer ones",
				since, (unsigned long long)drops->forgotten) :
			xasprintf("recorded since %s", since);
	note(view, to, reach);
}

static void print_none(const struct drops_view *view, FILE *to)
{
	fprintf(to, "  %s\n",
		view->chosen ? "no recorded drop is like that" : "nothing was dropped");
	if (view->passes) {
		__free_text char *text = xasprintf("what passes is shown by: %s", view->passes);

		note(view, to, text);
	}
}

void report_drops_text(const struct drops_view *view, size_t top, FILE *to)
{
	size_t shown = view->drops->count < top ? view->drops->count : top;

	if (!view->since) {
		fputs("portcullis is attached to no interface of this network namespace\n", to);
		return;
	}
	if (!view->drops->count)
		print_none(view, to);
	print_rows(view, shown, to);
	print_notes(view, shown, to);
}
