// SPDX-License-Identifier: GPL-2.0
/* The text forms, made from the JSON ones. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/columns.h"
#include "loader/report.h"
#include "loader/util.h"

#define UNLISTED_SHOWN 20 /* the most-dropped unlisted ports; --all and --json have the others */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static json_int_t packets_of(const json_t *object, const char *verdict)
{
	return json_integer_value(json_object_get(json_object_get(object, verdict), "packets"));
}

static json_int_t bytes_of(const json_t *object, const char *verdict)
{
	return json_integer_value(json_object_get(json_object_get(object, verdict), "bytes"));
}

static json_int_t refused(const json_t *counts)
{
	return packets_of(counts, "drop") + packets_of(counts, "would_drop");
}

/* printf for texts of others: no control character gets through, and so no newline. */
__attribute__((format(printf, 2, 3))) static void print(FILE *to, const char *format, ...)
{
	__free_text char *text = NULL, *shown = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	shown = text_printable(text);
	fputs(shown, to);
}

/* --- profiles --- */

void report_profiles_text(const json_t *report, FILE *to)
{
	struct columns columns = {.count = 3, .heading = {"PROFILE", "TITLE", "FILE"}};
	const json_t *profile;
	size_t i;

	json_array_foreach (json_object_get(report, "profiles"), i, profile) {
		const char *shadows = text_of(profile, "shadows");
		__free_text char *file =
			xasprintf("%s%s%s%s", text_of(profile, "path"),
				  *shadows ? " (shadows " : "", shadows, *shadows ? ")" : "");

		columns_row(&columns, TONE_PLAIN,
			    (const char *[]){text_of(profile, "name"), text_of(profile, "title"),
					     file});
	}
	columns_print(&columns, to);
}

/* --- show --- */

static char *state_text(const json_t *service)
{
	const char *why = text_of(service, "why_closed");
	const char *feature = text_of(service, "feature");

	if (!strcmp(why, "feature"))
		return xasprintf("closed: feature %s is off", feature);
	if (!strcmp(why, "group")) {
		const json_t *groups = json_object_get(
			service, strcmp(text_of(service, "direction"), "out") ? "from" : "to");
		__free_text char *list = report_joined(groups, ", ");

		return xasprintf("closed: group %s not defined", list);
	}
	if (!strcmp(why, "local"))
		return xstrdup("closed: local; --from opens it to a group");
	if (!strcmp(why, "dynamic"))
		return xstrdup("closed: no fixed port; --set gives it one");
	if (!strcmp(why, "no-ports"))
		return xstrdup("uses no port");
	if (*why)
		return xasprintf("closed: %s", why);
	return xasprintf("open%s%s%s", *feature ? " (feature " : "", feature, *feature ? ")" : "");
}

/* "anyone", "trusted", "anyone; from 67/udp"; for both directions the groups of each. */
static char *who_text(const json_t *service)
{
	__free_text char *from = report_joined(json_object_get(service, "from"), ", ");
	__free_text char *to = report_joined(json_object_get(service, "to"), ", ");
	__free_text char *source = report_joined(json_object_get(service, "from_ports"), ", ");
	bool both = *from && *to;

	if (!strcmp(text_of(service, "why_closed"), "local"))
		return xstrdup("-");
	return xasprintf("%s%s%s%s%s",
			 *from ? from :
			 *to   ? "" :
				 "anyone",
			 both ? "; to " : "", to, *source ? ", source port " : "", source);
}

static void show_note(FILE *to, const char *service, const char *start, const char *text,
		      const char *end)
{
	fprintf(to, "  %s", tone_start(TONE_FAINT, to));
	print(to, "%s: %s%s%s", service, start, text, end);
	fprintf(to, "%s\n", tone_end(to));
}

static void show_notes(const json_t *service, FILE *to)
{
	const char *name = text_of(service, "name"), *note = text_of(service, "note");
	const json_t *kept = json_object_get(service, "configured_in");

	if (*note)
		show_note(to, name, "", note, "");
	if (json_is_object(kept)) {
		__free_text char *xpath = xasprintf(", %s", text_of(kept, "xpath"));

		show_note(to, name, "port kept in ", text_of(kept, "file"), xpath);
	} else if (json_is_string(kept)) {
		show_note(to, name, "port kept in ", json_string_value(kept), "");
	}
}

static void show_profile(const json_t *profile, FILE *to)
{
	struct columns columns = {.count = 6,
				  .heading = {"SERVICE", "TITLE", "WAY", "PORTS", "WHO", "STATE"}};
	const json_t *services = json_object_get(profile, "services"), *service;
	const char *document = text_of(profile, "document"), *title = text_of(profile, "title");
	__free_text char *protocols = report_joined(json_object_get(profile, "protocols"), ", ");
	size_t i;

	print(to, "%s%s%s%s%s%s%s", text_of(profile, "name"), *title ? ": " : "", title,
	      *document ? " (" : "", document, *document ? ")" : "",
	      is(profile, "included") ? ", included" : "");
	fputc('\n', to);
	json_array_foreach (services, i, service) {
		bool open = is(service, "open");
		__free_text char *ports = report_joined(json_object_get(service, "ports"), ", ");
		__free_text char *state = state_text(service);
		__free_text char *who = who_text(service);
		const char *way = text_of(service, "direction");

		columns_row(&columns, open ? TONE_GOOD : TONE_PLAIN,
			    (const char *[]){text_of(service, "name"), text_of(service, "title"),
					     strcmp(way, "both") ? way : "in+out",
					     *ports ? ports : "-", who, state});
	}
	columns_print(&columns, to);
	json_array_foreach (services, i, service)
		show_notes(service, to);
}

void report_show_text(const json_t *report, FILE *to)
{
	const json_t *profile;
	size_t i;

	json_array_foreach (json_object_get(report, "profiles"), i, profile) {
		if (i)
			fputc('\n', to);
		show_profile(profile, to);
	}
}

/* --- status --- */

/* Seconds since an RFC 3339 time of report_time, as "1 h 2 min ago". */
static char *age_text(const char *when)
{
	char text[HUMAN_TEXT];
	struct tm tm = {};
	time_t now = time(NULL), then;

	if (!strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return xstrdup("");
	then = timegm(&tm);
	return xasprintf("%s ago", human_seconds(now > then ? now - then : 0, text));
}

static void print_total(const json_t *total, FILE *to)
{
	static const struct {
		const char *verdict;
		const char *words;
		enum tone tone;
	} part[] = {
		{"pass", "passed", TONE_GOOD},
		{"drop", "dropped", TONE_BAD},
		{"would_drop", "would have dropped", TONE_BAD},
	};
	char bytes[HUMAN_TEXT];
	const char *separator = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		json_int_t packets = packets_of(total, part[i].verdict);

		if (!packets && i == 2)
			continue;
		fprintf(to, "%s%s%s %lld%s (%s)", separator,
			tone_start(packets ? part[i].tone : TONE_PLAIN, to), part[i].words,
			(long long)packets, tone_end(to),
			human(bytes_of(total, part[i].verdict), "B", bytes));
		separator = ", ";
	}
	fputc('\n', to);
}

static bool any_of(const json_t *total)
{
	return packets_of(total, "pass") || refused(total);
}

static void status_line(FILE *to, const char *word, const char *text)
{
	print(to, "  %-10s %s", word, text);
	fputc('\n', to);
}

static void status_overrides(const json_t *recipe, FILE *to)
{
	const json_t *overrides = json_object_get(recipe, "overrides");
	const json_t *groups = json_object_get(recipe, "groups"), *list;
	const char *key;
	const char *separator = "";
	__free_text char *features = report_joined(json_object_get(recipe, "features"), ", ");

	if (*features)
		status_line(to, "features", features);
	json_object_foreach ((json_t *)overrides, key, list) {
		__free_text char *text = report_joined(list, ", ");

		if (*text)
			status_line(to, key, text);
	}
	if (!json_object_size(groups))
		return;
	fputs("  groups     ", to);
	json_object_foreach ((json_t *)groups, key, list) {
		size_t count = json_array_size(list);

		print(to, "%s%s (%zu prefix%s)", separator, key, count, count == 1 ? "" : "es");
		separator = ", ";
	}
	fputc('\n', to);
}

static void status_egress(const json_t *one, FILE *to)
{
	const json_t *flows = json_object_get(one, "flows"), *sent;

	sent = json_object_get(one, "outbound_total");
	if (any_of(sent)) {
		fputs("  sent       ", to);
		print_total(sent, to);
	}
	if (!flows)
		return;
	print(to, "  outbound   %s", text_of(one, "outbound"));
	fprintf(to, "\n  flows      %lld of %lld in use%s\n",
		(long long)json_integer_value(json_object_get(flows, "used")),
		(long long)json_integer_value(json_object_get(flows, "size")),
		is(one, "forward") ? ", forwarded traffic is learned too" : "");
	if (strcmp(text_of(one, "egress"), "missing"))
		return;
	fputs(tone_start(TONE_BAD, to), to);
	print(to,
	      "  egress     missing: nothing that is sent is learned, judged or counted; portcullis swap %s mends it",
	      text_of(one, "name"));
	fprintf(to, "%s\n", tone_end(to));
}

static void status_one(const json_t *one, FILE *to)
{
	__free_text char *profiles = report_joined(json_object_get(one, "profiles"), " + ");
	__free_text char *age = age_text(text_of(one, "attached_at"));
	char memory[HUMAN_TEXT];

	print(to, "%s: %s, %s, %s", text_of(one, "name"), text_of(one, "mode"),
	      text_of(one, "policy"), profiles);
	fputc('\n', to);
	print(to, "  attached   %s (%s) by portcullis %s", text_of(one, "attached_at"), age,
	      text_of(one, "program_version"));
	fprintf(to, "\n  generation %lld, made %s\n",
		(long long)json_integer_value(json_object_get(one, "generation")),
		text_of(one, "generation_at"));
	status_overrides(json_object_get(one, "recipe"), to);
	fputs("  packets    ", to);
	print_total(json_object_get(one, "total"), to);
	status_egress(one, to);
	fprintf(to, "  memory     %s\n",
		human(json_integer_value(json_object_get(one, "memory")), "B", memory));
}

void report_status_text(const json_t *report, FILE *to)
{
	const json_t *interfaces = json_object_get(report, "interfaces"), *one;
	size_t i;

	json_array_foreach (interfaces, i, one) {
		if (i)
			fputc('\n', to);
		status_one(one, to);
	}
	if (!json_array_size(interfaces))
		fputs("portcullis is attached to no interface of this network namespace\n", to);
}

/* --- counters --- */

/* A view of one interface's counters: which columns it needs. */
struct view {
	bool would; /* something would have been dropped */
	bool rates;
	bool all;
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

/* The entry of the same direction, protocol and port; NULL if there was none. */
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
		json_int_t packets = packets_of(now, verdict[i]);

		snprintf(cell[at++], HUMAN_TEXT, "%lld", (long long)packets);
		human(bytes_of(now, verdict[i]), "B", cell[at++]);
		if (view->rates) {
			double rate = (packets - packets_of(before, verdict[i])) / view->seconds;

			human(rate > 0 ? rate : 0, "/s", cell[at++]);
		}
	}
}

static void view_columns(const struct view *view, struct columns *columns)
{
	static const char *const heading[] = {">PASSED", ">DROPPED", ">WOULD DROP"};
	size_t verdicts = view->would ? 3 : 2, i;

	*columns = (struct columns){.count = 3, .heading = {"WAY", "PORT", "SERVICE"}};
	for (i = 0; i < verdicts; i++) {
		columns->heading[columns->count++] = heading[i];
		columns->heading[columns->count++] = ">BYTES";
		if (view->rates)
			columns->heading[columns->count++] = ">RATE";
	}
}

static void port_row(const struct view *view, struct columns *columns, const json_t *port)
{
	char cell[COLUMNS_MOST][HUMAN_TEXT] = {};
	const char *row[COLUMNS_MOST];
	const json_t *services = json_object_get(port, "services");
	__free_text char *names = report_joined(services, ", ");
	__free_text char *number =
		xasprintf("%lld/%s", (long long)json_integer_value(json_object_get(port, "port")),
			  text_of(port, "protocol"));
	const json_t *before =
		view->before ? same_port(json_object_get(view->before, "ports"), port) : NULL;
	bool listed = json_array_size(services);
	size_t i;

	counts_cells(view, port, before, cell);
	row[0] = text_of(port, "direction");
	row[1] = number;
	row[2] = listed ? names : "unlisted";
	for (i = 3; i < columns->count; i++)
		row[i] = cell[i - 3];
	columns_row(columns,
		    !listed		     ? TONE_BAD :
		    packets_of(port, "pass") ? TONE_GOOD :
					       TONE_PLAIN,
		    row);
}

static int by_refused(const void *a, const void *b)
{
	json_int_t left = refused(*(const json_t *const *)a);
	json_int_t right = refused(*(const json_t *const *)b);

	return left < right ? 1 : left > right ? -1 : 0;
}

/* A scan from outside must not push away what this host was kept from: so each way has its own. */
static size_t unlisted_rows(const struct view *view, struct columns *columns, const json_t *ports,
			    const char *direction)
{
	const json_t **unlisted = xcalloc(json_array_size(ports), sizeof(*unlisted)), *port;
	size_t count = 0, shown, i;

	json_array_foreach (ports, i, port)
		if (!json_array_size(json_object_get(port, "services")) &&
		    !strcmp(text_of(port, "direction"), direction))
			unlisted[count++] = port;
	qsort(unlisted, count, sizeof(*unlisted), by_refused);
	shown = view->all || count < UNLISTED_SHOWN ? count : UNLISTED_SHOWN;
	for (i = 0; i < shown; i++)
		port_row(view, columns, unlisted[i]);
	free(unlisted);
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
	if (hidden)
		fprintf(to, "  ... and %zu more unlisted ports (--all shows them)\n", hidden);
}

static void print_reasons(const struct view *view, const json_t *one, FILE *to)
{
	const json_t *reasons = json_object_get(one, "reasons"), *reason;
	struct columns columns = {.count = 3, .heading = {"REASON", ">DROPPED", ">BYTES"}};
	const char *name;

	if (view->would) {
		columns.heading[columns.count++] = ">WOULD DROP";
		columns.heading[columns.count++] = ">BYTES";
	}
	json_object_foreach ((json_t *)reasons, name, reason) {
		char cell[4][HUMAN_TEXT];

		if (!refused(reason))
			continue;
		snprintf(cell[0], HUMAN_TEXT, "%lld", (long long)packets_of(reason, "drop"));
		human(bytes_of(reason, "drop"), "B", cell[1]);
		snprintf(cell[2], HUMAN_TEXT, "%lld", (long long)packets_of(reason, "would_drop"));
		human(bytes_of(reason, "would_drop"), "B", cell[3]);
		columns_row(&columns, TONE_PLAIN,
			    (const char *[]){name, cell[0], cell[1], cell[2], cell[3]});
	}
	if (columns.rows)
		columns_print(&columns, to);
}

static void print_other(const json_t *one, FILE *to)
{
	const json_t *other = json_object_get(one, "other");
	const json_t *sent = json_object_get(one, "outbound_total");

	fprintf(to,
		"  passed besides: %lld replies, %lld icmp, %lld of named protocols, %lld not IP\n",
		(long long)packets_of(one, "replies"), (long long)packets_of(other, "icmp"),
		(long long)packets_of(other, "protocol"), (long long)packets_of(other, "non_ip"));
	fputs("  all received: ", to);
	print_total(json_object_get(one, "total"), to);
	if (any_of(sent)) {
		fputs("  all sent: ", to);
		print_total(sent, to);
	}
}

static const json_t *same_interface(const json_t *report, const json_t *one)
{
	const json_t *other;
	size_t i;

	json_array_foreach (json_object_get(report, "interfaces"), i, other)
		if (!strcmp(text_of(other, "name"), text_of(one, "name")))
			return other;
	return NULL;
}

void report_counters_text(const json_t *report, const json_t *before, double seconds, bool all,
			  FILE *to)
{
	const json_t *interfaces = json_object_get(report, "interfaces"), *one;
	size_t i;

	json_array_foreach (interfaces, i, one) {
		struct view view = {
			.would = packets_of(json_object_get(one, "total"), "would_drop") ||
				 packets_of(json_object_get(one, "outbound_total"), "would_drop"),
			.before = before ? same_interface(before, one) : NULL,
			.seconds = seconds,
			.all = all,
		};
		__free_text char *age = age_text(text_of(one, "since"));

		view.rates = view.before && seconds > 0;
		if (i)
			fputc('\n', to);
		print(to, "%s: generation %lld, counting since %s (%s)", text_of(one, "name"),
		      (long long)json_integer_value(json_object_get(one, "generation")),
		      text_of(one, "since"), age);
		fputc('\n', to);
		print_ports(&view, one, to);
		print_reasons(&view, one, to);
		print_other(one, to);
	}
	if (!json_array_size(interfaces))
		fputs("portcullis is attached to no interface of this network namespace\n", to);
}
