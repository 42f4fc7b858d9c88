// SPDX-License-Identifier: GPL-2.0
/* The text forms of profiles, show and status, made from the JSON ones. */
#include "loader/report/text.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/names.h"
#include "loader/base/shell.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"
#include "loader/catalog/profile.h"
#include "loader/report/json_forms.h"

const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

json_int_t text_packets(const json_t *counts, const char *verdict)
{
	return json_integer_value(json_object_get(json_object_get(counts, verdict), "packets"));
}

json_int_t text_bytes(const json_t *counts, const char *verdict)
{
	return json_integer_value(json_object_get(json_object_get(counts, verdict), "bytes"));
}

json_int_t text_refused(const json_t *counts)
{
	return text_packets(counts, "drop") + text_packets(counts, "would_drop");
}

bool text_any(const json_t *counts)
{
	return text_packets(counts, "pass") || text_refused(counts);
}

void text_print(FILE *to, const char *format, ...)
{
	__free_text char *text = NULL, *shown = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	shown = text_printable(text);
	fputs(shown, to);
}

void text_line(FILE *to, size_t columns, size_t start, size_t indent, const char *format, ...)
{
	__free_text char *text = NULL, *shown = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	shown = text_printable(text);
	wrap_print(shown, start, indent, columns, to);
}

/* False if the text is not a time in report_time's form. */
static bool read_time(const char *when, time_t *time)
{
	struct tm tm = {};

	if (!strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return false;
	*time = timegm(&tm);
	return true;
}

char *text_time(const char *when)
{
	char text[64];
	struct tm tm;
	time_t time;

	if (!read_time(when, &time) || !localtime_r(&time, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z", &tm))
		return xstrdup(when);
	return xstrdup(text);
}

char *text_age(const char *when)
{
	char text[HUMAN_TEXT];
	time_t now = time(NULL), then;

	if (!read_time(when, &then))
		return xstrdup("");
	return xasprintf("%s ago", human_seconds(now > then ? now - then : 0, text));
}

void text_total(const json_t *counts, size_t columns, size_t start, FILE *to)
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
	size_t used = start, i;

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		json_int_t packets = text_packets(counts, part[i].verdict);
		char bytes[HUMAN_TEXT];
		__free_text char *text = xasprintf("%s %lld", part[i].words, (long long)packets);
		size_t width;

		if (!packets && i == 2)
			continue;
		human(text_bytes(counts, part[i].verdict), "B", bytes);
		width = strlen(text) + strlen(bytes) + strlen(", ()");
		if (i && columns && used + width + 1 > columns) {
			fprintf(to, ",\n%*s", (int)start, "");
			used = start;
		} else if (i) {
			fputs(", ", to);
		}
		used += width + 1;
		fprintf(to, "%s%s%s (%s)", tone_start(packets ? part[i].tone : TONE_PLAIN, to),
			text, tone_end(to), bytes);
	}
	fputc('\n', to);
}

/* --- profiles --- */

/* The age of the list from which a profile was made: "12 days", "7 months", "4 years"; "-":
 * unknown. */
static char *list_age(const json_t *profile)
{
	const json_t *age = json_object_get(profile, "age_days");
	long long days = json_integer_value(age);
	long long count = days < 61 ? days : days < 731 ? days / 30 : days / 365;

	if (!json_is_integer(age))
		return xstrdup("-");
	return xasprintf("%lld %s%s", count,
			 days < 61  ? "day" :
			 days < 731 ? "month" :
				      "year",
			 count == 1 ? "" : "s");
}

void report_profiles_text(const json_t *report, FILE *to)
{
	const json_t *list = json_object_get(report, "profiles"), *profile;
	/* Either all services have the value, or none has. */
	bool searched = json_is_array(json_object_get(json_array_get(list, 0), "services"));
	struct columns columns = {
		.count = 4,
		.limit = terminal_columns(to),
		.heading = {"PROFILE", "TITLE", "LIST", searched ? "SERVICES" : "FILE"}};
	size_t i;

	json_array_foreach (list, i, profile) {
		const char *shadows = text_of(profile, "shadows");
		__free_text char *age = list_age(profile);
		__free_text char *last =
			searched ? report_joined(json_object_get(profile, "services"), ", ") :
				   xasprintf("%s%s%s%s", text_of(profile, "path"),
					     *shadows ? " (shadows " : "", shadows,
					     *shadows ? ")" : "");

		columns_row(&columns, TONE_PLAIN,
			    (const char *[]){text_of(profile, "name"), text_of(profile, "title"),
					     age, last});
	}
	columns_print(&columns, to);
}

/* --- show --- */

static char *state_text(const json_t *service)
{
	const char *why = text_of(service, "why_closed");
	const char *feature = text_of(service, "feature"), *limit = text_of(service, "limit");

	if (!strcmp(why, "feature"))
		return xasprintf("closed: feature %s is off", feature);
	if (!strcmp(why, "group")) {
		const json_t *groups = json_object_get(
			service, strcmp(text_of(service, "direction"), "out") ? "from" : "to");
		__free_text char *list = report_joined(groups, ", ");

		return xasprintf("closed: group %s not defined", list);
	}
	if (!strcmp(why, "local"))
		return xstrdup("closed: local use only; open it with --from PROFILE:SERVICE=GROUP");
	if (!strcmp(why, "dynamic"))
		return xstrdup(
			"closed: no fixed port; give it one with --set PROFILE:SERVICE=PORT");
	if (!strcmp(why, "no-ports"))
		return xstrdup("uses no port");
	if (*why)
		return xasprintf("closed: %s", why);
	return xasprintf("open%s%s%s%s%s", *feature ? " (feature " : "", feature,
			 *feature ? ")" : "", *limit ? ", limit " : "", limit);
}

/* "anyone", "trusted", "anyone; from 67/udp"; with both directions the groups of each. */
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
	text_line(to, terminal_columns(to), 2, 4, "%s: %s%s%s", service, start, text, end);
	fprintf(to, "%s\n", tone_end(to));
}

static void show_notes(const json_t *service, FILE *to)
{
	const char *name = text_of(service, "name"), *note = text_of(service, "note");
	const json_t *kept = json_object_get(service, "configured_in");

	if (*note)
		show_note(to, name, "", note, "");
	if (json_is_object(kept)) {
		static const char *const way[] = {"xpath", "key", "regex", "value"};
		const char *file = text_of(kept, "file"), *found = "";
		__free_text char *end = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(way) && !*found; i++)
			found = text_of(kept, way[i]);
		end = xasprintf(", %s", found);
		show_note(to, name, "port kept in ", *file ? file : text_of(kept, "registry"), end);
	} else if (json_is_string(kept)) {
		show_note(to, name, "port kept in ", json_string_value(kept), "");
	}
}

/* "  list of 2021-08-06, release 7.6, second-hand, https://..." */
static void show_list(const json_t *profile, FILE *to)
{
	const char *date = text_of(profile, "as_of"), *release = text_of(profile, "release");
	const char *url = text_of(profile, "url");
	bool second_hand = is(profile, "second_hand");

	if (!*date && !*release && !*url && !second_hand)
		return;
	fprintf(to, "  %s", tone_start(TONE_FAINT, to));
	text_line(to, terminal_columns(to), 2, 4, "list%s%s%s%s%s%s%s", *date ? " of " : "", date,
		  *release ? ", release " : "", release, second_hand ? ", second-hand" : "",
		  *url ? ", " : "", url);
	fprintf(to, "%s\n", tone_end(to));
}

static void show_profile(const json_t *profile, FILE *to)
{
	struct columns columns = {.count = 6,
				  .limit = terminal_columns(to),
				  .heading = {"SERVICE", "TITLE", "WAY", "PORTS", "WHO", "STATE"}};
	const json_t *services = json_object_get(profile, "services"), *service;
	const char *document = text_of(profile, "document"), *title = text_of(profile, "title");
	__free_text char *protocols = report_joined(json_object_get(profile, "protocols"), ", ");
	size_t i;

	text_line(to, terminal_columns(to), 0, 2, "%s%s%s%s%s%s%s", text_of(profile, "name"),
		  *title ? ": " : "", title, *document ? " (" : "", document, *document ? ")" : "",
		  is(profile, "included") ? ", included" : "");
	fputc('\n', to);
	show_list(profile, to);
	if (!strcmp(text_of(profile, "outbound"), profile_outbound_name[PROFILE_OUTBOUND_ANY]))
		fputs("  outbound any: everything may go out, also under --outbound enforce\n", to);
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

static void show_profiles(const json_t *report, FILE *to)
{
	const json_t *profile;
	size_t i;

	json_array_foreach (json_object_get(report, "profiles"), i, profile) {
		if (i)
			fputc('\n', to);
		show_profile(profile, to);
	}
}

void report_show_text(const json_t *report, FILE *to)
{
	const json_t *machine;
	size_t i;

	show_profiles(report, to);
	json_array_foreach (json_object_get(report, "machines"), i, machine) {
		__free_text char *address =
			report_joined(json_object_get(machine, "address"), ", ");

		fputc('\n', to);
		text_line(to, terminal_columns(to), 0, 2, "machine %s: %s",
			  text_of(machine, "name"), address);
		fputs("\n\n", to);
		show_profiles(machine, to);
	}
}

/* --- status --- */

#define STATUS_COLUMN 13 /* column of the text after a word */

static void status_line(FILE *to, enum tone tone, const char *word, const char *text)
{
	fputs(tone_start(tone, to), to);
	text_print(to, "  %-10s ", word);
	text_line(to, terminal_columns(to), STATUS_COLUMN, STATUS_COLUMN, "%s", text);
	fprintf(to, "%s\n", tone ? tone_end(to) : "");
}

static void status_counts(FILE *to, const char *word, const json_t *counts)
{
	fprintf(to, "  %-10s ", word);
	text_total(counts, terminal_columns(to), STATUS_COLUMN, to);
}

/* "office (2 prefixes), dns (1 prefix)" */
static void status_groups(const json_t *groups, FILE *to)
{
	__cleanup(names_free) struct names sizes = {};
	__free_text char *text = NULL;
	const json_t *list;
	const char *key;

	json_object_foreach ((json_t *)groups, key, list) {
		__free_text char *size = human_count(json_array_size(list), "prefix", "prefixes");
		__free_text char *group = xasprintf("%s (%s)", key, size);

		names_add(&sizes, group);
	}
	text = names_join(&sizes, ", ");
	if (*text)
		status_line(to, TONE_PLAIN, "groups", text);
}

static void status_overrides(const json_t *recipe, FILE *to)
{
	const json_t *overrides = json_object_get(recipe, "overrides"), *list;
	__free_text char *features = report_joined(json_object_get(recipe, "features"), ", ");
	const char *key;

	if (*features)
		status_line(to, TONE_PLAIN, "features", features);
	json_object_foreach ((json_t *)overrides, key, list) {
		__free_text char *text = report_joined(list, ", ");

		if (*text)
			status_line(to, TONE_PLAIN, key, text);
	}
	status_groups(json_object_get(recipe, "groups"), to);
}

/* "mail: 192.0.2.10/32, observe, ssh + xeams", for each machine. */
static void status_machines(const json_t *one, FILE *to)
{
	const json_t *machine;
	size_t i;

	json_array_foreach (json_object_get(one, "machines"), i, machine) {
		__free_text char *address =
			report_joined(json_object_get(machine, "address"), ", ");
		__free_text char *profiles =
			report_joined(json_object_get(machine, "profiles"), " + ");
		__free_text char *text = xasprintf("%s: %s, %s, %s", text_of(machine, "name"),
						   address, text_of(machine, "policy"), profiles);

		status_line(to, TONE_PLAIN, i ? "" : "machines", text);
	}
}

/* "3 of 65536" */
static char *use_text(const json_t *use)
{
	return xasprintf("%lld of %lld",
			 (long long)json_integer_value(json_object_get(use, "used")),
			 (long long)json_integer_value(json_object_get(use, "size")));
}

static void status_flows(const json_t *one, FILE *to)
{
	const json_t *flows = json_object_get(one, "flows");
	__free_text char *all = use_text(flows);
	__free_text char *connections = use_text(json_object_get(flows, "connections"));
	__free_text char *streams = use_text(json_object_get(flows, "streams"));
	__free_text char *rest = use_text(json_object_get(flows, "rest"));
	__free_text char *text =
		xasprintf("%s in use: %s connections, %s streams, %s not assured%s", all,
			  connections, streams, rest,
			  is(one, "forward") ? "; forwarded traffic is learned too" :
			  json_array_size(json_object_get(one, "machines")) ?
					       "; what machines begin is learned too" :
					       "");

	status_line(to, TONE_PLAIN, "flows", text);
}

static void status_egress(const json_t *one, FILE *to)
{
	const json_t *sent = json_object_get(one, "outbound_total");
	__free_text char *any = report_joined(json_object_get(one, "outbound_any"), ", ");
	__free_text char *outbound =
		xasprintf("%s%s%s", text_of(one, "outbound"),
			  *any ? ", but everything may go out: outbound any of " : "", any);
	__free_text char *word = shell_word(text_of(one, "name"));
	__free_text char *missing = xasprintf(
		"missing: outgoing packets are not learned, filtered or counted" MESSAGE_FIX
		"portcullis swap %s",
		word);

	if (text_any(sent))
		status_counts(to, "sent", sent);
	if (!json_object_get(one, "flows"))
		return;
	status_line(to, TONE_PLAIN, "outbound", outbound);
	status_flows(one, to);
	if (!strcmp(text_of(one, "egress"), "missing"))
		status_line(to, TONE_BAD, "egress", missing);
}

/* Prints a pending change, or one that was reverted. */
static void status_confirm(const json_t *one, FILE *to)
{
	const json_t *confirm = json_object_get(one, "confirm");
	const json_t *fallback = json_object_get(confirm, "fallback");
	bool waits = !strcmp(text_of(confirm, "state"), "waiting");
	__free_text char *back = json_is_integer(fallback) ?
					 xasprintf("generation %lld is active",
						   (long long)json_integer_value(fallback)) :
					 xstrdup("everything passes");
	__free_text char *deadline = text_time(text_of(confirm, "deadline"));
	__free_text char *word = shell_word(text_of(one, "name"));
	__free_text char *left =
		xasprintf("%lld s left, then %s again unless confirmed: portcullis confirm %s",
			  (long long)json_integer_value(json_object_get(confirm, "seconds_left")),
			  back, word);
	__free_text char *over = xasprintf("%s: not confirmed in time; %s again", deadline, back);

	if (json_is_object(confirm))
		status_line(to, TONE_BAD, waits ? "confirm" : "reverted", waits ? left : over);
}

static void status_drops(const json_t *one, FILE *to)
{
	const json_t *drops = json_object_get(one, "drops");
	json_int_t forgotten = json_integer_value(json_object_get(drops, "forgotten"));
	__free_text char *since = text_time(text_of(drops, "since"));
	__free_text char *before = forgotten ?
					   xasprintf("; before that, %lld were replaced by newer ones",
						     (long long)forgotten) :
					   xstrdup("");
	__free_text char *text = xasprintf("recorded since %s%s%s", since, before,
					   is(drops, "sampled") ? "; of a flood, a sample" : "");

	if (drops)
		status_line(to, TONE_PLAIN, "drops", text);
}

static void status_attached(const json_t *one, FILE *to)
{
	__free_text char *attached = text_time(text_of(one, "attached_at"));
	__free_text char *age = text_age(text_of(one, "attached_at"));
	__free_text char *made = text_time(text_of(one, "generation_at"));
	__free_text char *by = xasprintf("%s (%s) by portcullis %s", attached, age,
					 text_of(one, "program_version"));
	__free_text char *number =
		xasprintf("%lld, made %s",
			  (long long)json_integer_value(json_object_get(one, "generation")), made);

	status_line(to, TONE_PLAIN, "attached", by);
	status_line(to, TONE_PLAIN, "generation", number);
}

static void status_dns(const json_t *one, FILE *to)
{
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(one, "dns_failed"), i, name) {
		__free_text char *since = text_time(text_of(name, "since"));
		__free_text char *text = xasprintf("%s fails since %s: %s", text_of(name, "name"),
						   since, text_of(name, "error"));

		status_line(to, TONE_BAD, "dns", text);
	}
}

static void status_limits(const json_t *one, FILE *to)
{
	const json_t *limits = json_object_get(one, "limits");
	long long opened = json_integer_value(json_object_get(limits, "opened"));
	char count[HUMAN_TEXT];
	__free_text char *text = xasprintf(
		"%s packets over a limit passed, the last %lld s ago: too many sources to tell them apart; see LIMITS in portcullis(8)",
		human(opened, "", count),
		(long long)json_integer_value(json_object_get(limits, "ago")));

	if (opened)
		status_line(to, TONE_BAD, "limits", text);
}

static void status_one(const json_t *one, FILE *to)
{
	__free_text char *profiles = report_joined(json_object_get(one, "profiles"), " + ");
	__free_text char *waits =
		xasprintf("%s: portcullis apply --dry-run", text_of(one, "waits"));
	__free_text char *bans = human_count(
		(size_t)json_integer_value(json_object_get(one, "bans")), "prefix", "prefixes");
	char memory[HUMAN_TEXT];

	text_line(to, terminal_columns(to), 0, 2, "%s: %s, %s, %s", text_of(one, "name"),
		  text_of(one, "mode"), text_of(one, "policy"), profiles);
	fputc('\n', to);
	status_attached(one, to);
	status_confirm(one, to);
	if (*text_of(one, "waits"))
		status_line(to, TONE_PLAIN, "waits", waits);
	status_dns(one, to);
	status_overrides(json_object_get(one, "recipe"), to);
	status_machines(one, to);
	status_counts(to, "packets", json_object_get(one, "total"));
	status_egress(one, to);
	status_drops(one, to);
	if (json_integer_value(json_object_get(one, "bans")))
		status_line(to, TONE_PLAIN, "bans", bans);
	status_limits(one, to);
	if (json_is_integer(json_object_get(one, "memory")))
		status_line(to, TONE_PLAIN, "memory",
			    human(json_integer_value(json_object_get(one, "memory")), "B", memory));
}

/* Prints what the next apply or boot will change, if the site file differs from the attached
 * filters. */
static void status_site(const json_t *site, FILE *to)
{
	static const struct {
		const char *state;
		const char *words;
		enum tone tone;
	} row[] = {
		{"wrong", "has errors, and boot does not apply it as it is: portcullis check",
		 TONE_BAD},
		{"new", "was never applied: portcullis apply --dry-run", TONE_PLAIN},
		{"changed", "changed since it was applied: portcullis apply --dry-run", TONE_PLAIN},
		{"reverted",
		 "was applied and not confirmed, and boot does not apply it: portcullis doctor",
		 TONE_BAD},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		if (strcmp(text_of(site, "state"), row[i].state))
			continue;
		fputs(tone_start(row[i].tone, to), to);
		text_line(to, terminal_columns(to), 0, 2, "%s %s", text_of(site, "file"),
			  row[i].words);
		fprintf(to, "%s\n", tone_end(to));
	}
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
	status_site(json_object_get(report, "site"), to);
}
