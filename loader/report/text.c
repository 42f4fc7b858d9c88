// SPDX-License-Identifier: GPL-2.0
/* The text forms of profiles, show and status, made from the JSON ones. */
#include "loader/report/text.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
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

char *text_age(const char *when)
{
	char text[HUMAN_TEXT];
	struct tm tm = {};
	time_t now = time(NULL), then;

	if (!strptime(when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return xstrdup("");
	then = timegm(&tm);
	return xasprintf("%s ago", human_seconds(now > then ? now - then : 0, text));
}

void text_total(const json_t *counts, FILE *to)
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
		json_int_t packets = text_packets(counts, part[i].verdict);

		if (!packets && i == 2)
			continue;
		fprintf(to, "%s%s%s %lld%s (%s)", separator,
			tone_start(packets ? part[i].tone : TONE_PLAIN, to), part[i].words,
			(long long)packets, tone_end(to),
			human(text_bytes(counts, part[i].verdict), "B", bytes));
		separator = ", ";
	}
	fputc('\n', to);
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
		return xstrdup("closed: local use only; open it with --from PROFILE:SERVICE=GROUP");
	if (!strcmp(why, "dynamic"))
		return xstrdup(
			"closed: no fixed port; give it one with --set PROFILE:SERVICE=PORT");
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
	text_print(to, "%s: %s%s%s", service, start, text, end);
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

	text_print(to, "%s%s%s%s%s%s%s", text_of(profile, "name"), *title ? ": " : "", title,
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

static void status_line(FILE *to, const char *word, const char *text)
{
	text_print(to, "  %-10s %s", word, text);
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

		text_print(to, "%s%s (%zu prefix%s)", separator, key, count,
			   count == 1 ? "" : "es");
		separator = ", ";
	}
	fputc('\n', to);
}

static void status_use(const json_t *use, const char *what, FILE *to)
{
	fprintf(to, "%lld of %lld %s", (long long)json_integer_value(json_object_get(use, "used")),
		(long long)json_integer_value(json_object_get(use, "size")), what);
}

static void status_egress(const json_t *one, FILE *to)
{
	const json_t *flows = json_object_get(one, "flows"), *sent;

	sent = json_object_get(one, "outbound_total");
	if (text_any(sent)) {
		fputs("  sent       ", to);
		text_total(sent, to);
	}
	if (!flows)
		return;
	text_print(to, "  outbound   %s", text_of(one, "outbound"));
	fputs("\n  flows      ", to);
	status_use(flows, "in use: ", to);
	status_use(json_object_get(flows, "connections"), "connections, ", to);
	status_use(json_object_get(flows, "streams"), "streams, ", to);
	status_use(json_object_get(flows, "rest"), "not assured", to);
	fprintf(to, "%s\n", is(one, "forward") ? "; forwarded traffic is learned too" : "");
	if (!text_of(one, "egress") || strcmp(text_of(one, "egress"), "missing"))
		return;
	fputs(tone_start(TONE_BAD, to), to);
	text_print(
		to,
		"  egress     missing: outgoing packets are not learned, filtered or counted" MESSAGE_FIX
		"portcullis swap %s",
		text_of(one, "name"));
	fprintf(to, "%s\n", tone_end(to));
}

/* What waits to be confirmed, or was not in time. */
static void status_confirm(const json_t *one, FILE *to)
{
	const json_t *confirm = json_object_get(one, "confirm");
	const json_t *fallback = json_object_get(confirm, "fallback");
	__free_text char *back = json_is_integer(fallback) ?
					 xasprintf("generation %lld is active",
						   (long long)json_integer_value(fallback)) :
					 xstrdup("everything passes");

	if (!json_is_object(confirm))
		return;
	fputs(tone_start(TONE_BAD, to), to);
	if (!strcmp(text_of(confirm, "state"), "waiting"))
		text_print(
			to,
			"  confirm    %lld s left, then %s again unless confirmed: portcullis confirm %s",
			(long long)json_integer_value(json_object_get(confirm, "seconds_left")),
			back, text_of(one, "name"));
	else
		text_print(to, "  reverted   %s: not confirmed in time; %s again",
			   text_of(confirm, "deadline"), back);
	fprintf(to, "%s\n", tone_end(to));
}

static void status_one(const json_t *one, FILE *to)
{
	__free_text char *profiles = report_joined(json_object_get(one, "profiles"), " + ");
	__free_text char *age = text_age(text_of(one, "attached_at"));
	char memory[HUMAN_TEXT];

	text_print(to, "%s: %s, %s, %s", text_of(one, "name"), text_of(one, "mode"),
		   text_of(one, "policy"), profiles);
	fputc('\n', to);
	text_print(to, "  attached   %s (%s) by portcullis %s", text_of(one, "attached_at"), age,
		   text_of(one, "program_version"));
	fprintf(to, "\n  generation %lld, made %s\n",
		(long long)json_integer_value(json_object_get(one, "generation")),
		text_of(one, "generation_at"));
	status_confirm(one, to);
	if (*text_of(one, "waits")) {
		text_print(to, "  waits      %s: portcullis apply --dry-run",
			   text_of(one, "waits"));
		fputc('\n', to);
	}
	status_overrides(json_object_get(one, "recipe"), to);
	fputs("  packets    ", to);
	text_total(json_object_get(one, "total"), to);
	status_egress(one, to);
	if (json_is_integer(json_object_get(one, "memory")))
		fprintf(to, "  memory     %s\n",
			human(json_integer_value(json_object_get(one, "memory")), "B", memory));
}

/* What the next apply or boot makes of the site file, if that is not what is there now. */
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
		text_print(to, "%s %s", text_of(site, "file"), row[i].words);
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
