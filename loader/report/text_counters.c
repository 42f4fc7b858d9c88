// SPDX-License-Identifier: GPL-2.0
/* The text form of the counters, made from the JSON one. */
#include "loader/report/text_counters.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"
#include "loader/report/unlisted.h"

/* How one interface's counters are shown. */
struct view {
	bool would; /* packets would have been dropped, or may be later */
	bool rates;
	size_t top, columns;
	double seconds;
	const json_t *before; /* the interface's report of `seconds` ago, or NULL */
};

/* The order of a report's ports: in, out; tcp, udp; by number. */
static int compare_ports(const json_t *a, const json_t *b)
{
	json_int_t left = json_integer_value(json_object_get(a, "port"));
	json_int_t right = json_integer_value(json_object_get(b, "port"));
	int order = strcmp(text_of(a, "direction"), text_of(b, "direction"));

	if (!order)
		order = strcmp(text_of(a, "protocol"), text_of(b, "protocol"));
	return order ? order : left < right ? -1 : left > right;
}

/* The entry with the same direction, protocol and port; NULL: none. */
static const json_t *same_port(const json_t *ports, const json_t *port)
{
	size_t low = 0, high = json_array_size(ports);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const json_t *other = json_array_get(ports, middle);
		int order = compare_ports(other, port);

		if (!order)
			return other;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void counts_cells(const struct view *view, const json_t *now, const json_t *before,
			 char cell[][HUMAN_TEXT])
{
	static const char *const verdict[] = {"pass", "drop", "would_drop"};
	size_t verdicts = view->would ? 3 : 2, at = 0, i;

	for (i = 0; i < verdicts; i++) {
		json_int_t packets = text_packets(now, verdict[i]);

		snprintf(cell[at++], HUMAN_TEXT, "%lld", (long long)packets);
		human(text_bytes(now, verdict[i]), "B", cell[at++]);
		if (view->rates) {
			double rate = (packets - text_packets(before, verdict[i])) / view->seconds;

			human(rate > 0 ? rate : 0, "/s", cell[at++]);
		}
	}
}

static void view_columns(const struct view *view, struct columns *columns)
{
	static const char *const heading[] = {">PASSED", ">DROPPED", ">WOULD DROP"};
	size_t verdicts = view->would ? 3 : 2, i;

	*columns = (struct columns){
		.count = 3, .limit = view->columns, .heading = {"WAY", "PORT", "SERVICE"}};
	for (i = 0; i < verdicts; i++) {
		columns->heading[columns->count++] = heading[i];
		columns->heading[columns->count++] = "?>BYTES";
		if (view->rates)
			columns->heading[columns->count++] = ">RATE";
	}
}

/* "25/tcp", "6000-7000/udp"; "any": all ports that no service of a machine lists. */
static char *port_text(const json_t *port)
{
	const json_t *last = json_object_get(port, "last");
	long long first = json_integer_value(json_object_get(port, "port"));
	const char *protocol = text_of(port, "protocol");

	if (!*protocol)
		return xstrdup("any");
	if (last)
		return xasprintf("%lld-%lld/%s", first, (long long)json_integer_value(last),
				 protocol);
	return xasprintf("%lld/%s", first, protocol);
}

static void port_row(const struct view *view, struct columns *columns, const json_t *port)
{
	char cell[COLUMNS_MOST][HUMAN_TEXT] = {};
	const char *row[COLUMNS_MOST];
	const json_t *services = json_object_get(port, "services");
	__free_text char *names = report_joined(services, ", ");
	__free_text char *number = port_text(port);
	const json_t *before =
		view->before ? same_port(json_object_get(view->before, "ports"), port) : NULL;
	bool listed = json_array_size(services);
	size_t i;

	counts_cells(view, port, before, cell);
	row[0] = text_of(port, "direction");
	row[1] = number;
	row[2] = listed						  ? names :
		 json_is_true(json_object_get(port, "listening")) ? "unlisted, listening" :
								    "unlisted";
	for (i = 3; i < columns->count; i++)
		row[i] = cell[i - 3];
	columns_row(columns,
		    !listed		       ? TONE_BAD :
		    text_packets(port, "pass") ? TONE_GOOD :
						 TONE_PLAIN,
		    row);
}

/* Each direction has lines of its own, so that a scan from outside does not displace what this host
 * was refused. */
static size_t unlisted_rows(const struct view *view, struct columns *columns, const json_t *ports,
			    const char *direction)
{
	struct unlisted *list;
	size_t count = unlisted_ports(ports, direction, &list), i;
	size_t shown = count < view->top ? count : view->top;

	for (i = 0; i < shown; i++)
		port_row(view, columns, list[i].port);
	free(list);
	return count - shown;
}

static void print_ports(const struct view *view, const json_t *one, FILE *to)
{
	const json_t *ports = json_object_get(one, "ports"), *port;
	struct columns columns;
	size_t hidden = 0, i;

	view_columns(view, &columns);
	json_array_foreach (ports, i, port)
		if (json_array_size(json_object_get(port, "services")))
			port_row(view, &columns, port);
	hidden += unlisted_rows(view, &columns, ports, "in");
	hidden += unlisted_rows(view, &columns, ports, "out");
	if (columns.rows)
		columns_print(&columns, to);
	if (columns.left_out)
		fputs("  (bytes are shown on a wider terminal, and by --json)\n", to);
	if (hidden) {
		__free_text char *more =
			human_count(hidden, "more unlisted port", "more unlisted ports");

		fprintf(to, "  ... and %s (--all shows all)\n", more);
	}
}

static void print_reasons(const struct view *view, const json_t *one, FILE *to)
{
	const json_t *reasons = json_object_get(one, "reasons"), *reason;
	struct columns columns = {
		.count = 3, .limit = view->columns, .heading = {"REASON", ">DROPPED", ">BYTES"}};
	const char *name;

	if (view->would) {
		columns.heading[columns.count++] = ">WOULD DROP";
		columns.heading[columns.count++] = ">BYTES";
	}
	json_object_foreach ((json_t *)reasons, name, reason) {
		char cell[4][HUMAN_TEXT];

		if (!text_refused(reason))
			continue;
		snprintf(cell[0], HUMAN_TEXT, "%lld", (long long)text_packets(reason, "drop"));
		human(text_bytes(reason, "drop"), "B", cell[1]);
		snprintf(cell[2], HUMAN_TEXT, "%lld",
			 (long long)text_packets(reason, "would_drop"));
		human(text_bytes(reason, "would_drop"), "B", cell[3]);
		columns_row(&columns, TONE_PLAIN,
			    (const char *[]){name, cell[0], cell[1], cell[2], cell[3]});
	}
	if (columns.rows)
		columns_print(&columns, to);
}

static void print_total(const struct view *view, const char *word, const json_t *counts, FILE *to)
{
	size_t start = (size_t)fprintf(to, "  %s: ", word);

	text_total(counts, view->columns, start, to);
}

static void print_other(const struct view *view, const json_t *one, FILE *to)
{
	const json_t *other = json_object_get(one, "other");
	const json_t *sent = json_object_get(one, "outbound_total");
	__free_text char *replies =
		human_count((size_t)text_packets(one, "replies"), "reply", "replies");

	text_line(to, view->columns, 0, 4,
		  "  also passed: %s, %lld ICMP, %lld other IP protocols, %lld non-IP", replies,
		  (long long)text_packets(other, "icmp"),
		  (long long)text_packets(other, "protocol"),
		  (long long)text_packets(other, "non_ip"));
	fputc('\n', to);
	print_total(view, "all received", json_object_get(one, "total"), to);
	if (text_any(sent))
		print_total(view, "all sent", sent, to);
}

/* The member of a list with the same name, or NULL. */
static const json_t *namesake(const json_t *list, const json_t *one)
{
	const json_t *other;
	size_t i;

	json_array_foreach (list, i, other)
		if (!strcmp(text_of(other, "name"), text_of(one, "name")))
			return other;
	return NULL;
}

/* `silent`: also ports that counted nothing. */
static void print_machines(const struct view *view, const json_t *one, const char *name,
			   bool silent, FILE *to)
{
	const json_t *machine;
	size_t i;

	json_array_foreach (json_object_get(one, "machines"), i, machine) {
		bool counted = json_array_size(json_object_get(machine, "ports"));
		struct view its = *view;

		its.before = namesake(json_object_get(view->before, "machines"), machine);
		its.would = true;
		its.rates = its.before && view->rates;
		if (!counted && !silent)
			continue;
		text_line(to, view->columns, 0, 2, "%s%smachine %s", name, *name ? ": " : "",
			  text_of(machine, "name"));
		fputs(counted ? "\n" : ": nothing counted\n", to);
		print_ports(&its, machine, to);
	}
}

static void print_interface(const struct view *view, const json_t *one, FILE *to)
{
	__free_text char *since = text_time(text_of(one, "since"));
	__free_text char *age = text_age(text_of(one, "since"));

	text_line(to, view->columns, 0, 2, "%s: generation %lld, counting since %s (%s)",
		  text_of(one, "name"),
		  (long long)json_integer_value(json_object_get(one, "generation")), since, age);
	fputc('\n', to);
	print_ports(view, one, to);
	print_reasons(view, one, to);
	print_other(view, one, to);
	print_machines(view, one, text_of(one, "name"), true, to);
}

/* Under enforcement this column does not grow, so it is left out if it has counted nothing. */
static bool shows_would(const json_t *one)
{
	return !strcmp(text_of(one, "policy"), "observe") ||
	       text_packets(json_object_get(one, "total"), "would_drop") ||
	       text_packets(json_object_get(one, "outbound_total"), "would_drop");
}

void report_counters_text(const json_t *report, const struct counters_view *view, FILE *to)
{
	const json_t *interfaces = json_object_get(report, "interfaces"), *one;
	__free_text char *time = text_time(text_of(report, "time"));
	size_t i;

	if (*time)
		fprintf(to, "counters at %s\n", time);
	json_array_foreach (interfaces, i, one) {
		struct view its = {
			.would = shows_would(one),
			.before =
				view->before ?
					namesake(json_object_get(view->before, "interfaces"), one) :
					NULL,
			.seconds = view->seconds,
			.top = view->top,
			.columns = view->columns,
		};

		its.rates = its.before && view->seconds > 0;
		if (i)
			fputc('\n', to);
		print_interface(&its, one, to);
	}
	if (!json_array_size(interfaces))
		fputs("portcullis is attached to no interface of this network namespace\n", to);
}

void report_counters_one(const json_t *one, const struct counters_view *view, FILE *to)
{
	const struct view its = {
		.would = shows_would(one), .top = view->top, .columns = view->columns};

	print_ports(&its, one, to);
	print_reasons(&its, one, to);
	print_other(&its, one, to);
	print_machines(&its, one, text_of(one, "interface"), false, to);
}
