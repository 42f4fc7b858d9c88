// SPDX-License-Identifier: GPL-2.0
/* The report of `explain`: the verdict on a packet, and the reason. */
#include "loader/report/explain.h"

#include <netinet/in.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"
#include "loader/catalog/prefix.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/counters.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define GROUPS_SHOWN 3 /* prefixes of a group that a line shows */

static bool is(const json_t *verdict, const char *key, const char *word)
{
	return !strcmp(text_of(verdict, key), word);
}

/* --- services --- */

/* The service "PROFILE:SERVICE" of a kept text, in a direction; NULL: there is none. */
static const json_t *find_service(const json_t *kept, const char *name, const char *direction)
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service) {
			__free_text char *full = xasprintf("%s:%s", text_of(profile, "name"),
							   text_of(service, "name"));

			if (!strcmp(full, name) && (is(service, "direction", direction) ||
						    is(service, "direction", "both")))
				return service;
		}
	return NULL;
}

/* "10.0.0.0/8, 192.0.2.0/24", "12 prefixes"; the caller frees. */
static char *members_text(const json_t *kept, const char *group)
{
	const json_t *list =
		json_object_get(json_object_get(json_object_get(kept, "recipe"), "groups"), group);

	if (!strcmp(group, "link-local"))
		return xstrdup("addresses of the link");
	if (!list)
		return xstrdup("not defined");
	if (json_array_size(list) > GROUPS_SHOWN)
		return human_count(json_array_size(list), "prefix", "prefixes");
	return json_array_size(list) ? report_joined(list, ", ") : xstrdup("no prefix");
}

/* "trusted (10.0.0.0/8), cluster (not defined)"; the caller frees. */
static char *groups_text(const json_t *kept, const json_t *groups)
{
	__cleanup(names_free) struct names list = {};
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group) {
		__free_text char *members = members_text(kept, json_string_value(group));
		__free_text char *text = xasprintf("%s (%s)", json_string_value(group), members);

		names_add(&list, text);
	}
	return names_join(&list, ", ");
}

/*
 * The sources that an open service admits: "trusted (10.0.0.0/8), source port 67/udp"; the caller
 * frees.
 */
static char *admits_text(const json_t *kept, const json_t *service)
{
	__free_text char *groups = groups_text(kept, json_object_get(service, "from"));
	__free_text char *ports = report_joined(json_object_get(service, "from_ports"), ", ");

	return xasprintf("%s%s%s%s", groups, *groups && *ports ? ", " : "",
			 *ports ? "source port " : "", ports);
}

/* Why a service is closed, in words; the caller frees. */
static char *closed_text(const json_t *kept, const json_t *service, bool out)
{
	const char *why = text_of(service, "why_closed");

	if (!strcmp(why, "feature"))
		return xasprintf("feature %s is off", text_of(service, "feature"));
	if (!strcmp(why, "group")) {
		__free_text char *groups =
			groups_text(kept, json_object_get(service, out ? "to" : "from"));

		return xasprintf("only for %s", groups);
	}
	if (!strcmp(why, "local"))
		return xstrdup("for this host's own use only");
	return xstrdup(why);
}

static void explain_closed(json_t *verdict, const json_t *kept)
{
	bool out = is(verdict, "direction", "out");
	json_t *closed;
	size_t i;

	json_array_foreach (json_object_get(verdict, "closed"), i, closed) {
		const json_t *service =
			find_service(kept, text_of(closed, "service"), out ? "out" : "in");
		__free_text char *why = closed_text(kept, service, out);

		json_object_set_new(closed, "why", text_json(why));
	}
}

/* --- why --- */

/* "993/tcp"; the caller frees. */
static char *port_text(const json_t *verdict)
{
	return xasprintf(
		"%lld/%s",
		(long long)json_integer_value(json_object_get(verdict, "destination_port")),
		text_of(verdict, "protocol"));
}

/* "xeams:smtp admits anyone", "xeams:pop3 admits trusted (10.0.0.0/8)" */
static char *why_service(const json_t *verdict)
{
	__cleanup(names_free) struct names list = {};
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(verdict, "admitted_by"), i, one) {
		const char *group = text_of(one, "group"), *prefix = text_of(one, "prefix");
		__free_text char *text = xasprintf("%s admits %s%s%s%s", text_of(one, "service"),
						   *group ? group : "anyone", *prefix ? " (" : "",
						   prefix, *prefix ? ")" : "");

		names_add(&list, text);
	}
	return names_join(&list, ", ");
}

/* "xeams:pop3 admits only trusted (10.0.0.0/8)" */
static char *why_source(const json_t *verdict, const json_t *kept)
{
	__cleanup(names_free) struct names list = {};
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(verdict, "services"), i, name) {
		__free_text char *admits =
			admits_text(kept, find_service(kept, json_string_value(name), "in"));
		__free_text char *text =
			xasprintf("%s admits only %s", json_string_value(name), admits);

		names_add(&list, text);
	}
	return names_join(&list, ", ");
}

/* "xeams:smtp lets one source begin 20/s, and this one is over it" */
static char *why_limit(const json_t *verdict, const json_t *kept)
{
	__cleanup(names_free) struct names list = {};
	__free_text char *all = NULL;
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(verdict, "services"), i, name) {
		const json_t *service = find_service(kept, json_string_value(name), "in");
		__free_text char *text =
			xasprintf("%s lets one source begin %s", json_string_value(name),
				  text_of(service, "limit"));

		names_add(&list, text);
	}
	all = names_join(&list, ", ");
	return xasprintf("%s; this source is over that", all);
}

static char *why_unlisted(const json_t *verdict)
{
	__free_text char *port = port_text(verdict);
	bool syn = json_list_has(json_object_get(verdict, "flags"), "syn") &&
		   !json_list_has(json_object_get(verdict, "flags"), "ack");

	return xasprintf("no open service has %s%s", port,
			 syn ? "" : ", and it answers nothing that this host sent");
}

static char *why_outbound(const json_t *verdict, const json_t *kept)
{
	__free_text char *services = report_joined(json_object_get(verdict, "services"), ", ");
	const char *outbound = text_of(json_object_get(kept, "recipe"), "outbound");
	__free_text char *port = NULL;

	if (!is(verdict, "verdict", "pass")) {
		if (!json_is_integer(json_object_get(verdict, "destination_port")))
			return xstrdup(
				"outgoing packets are enforced, and no profile names the protocol");
		port = port_text(verdict);
		return xasprintf(
			"outgoing packets are enforced, and no open service lists %s for this address",
			port);
	}
	if (*services)
		return xasprintf("%s lists it", services);
	if (strcmp(outbound, "enforce"))
		return xstrdup("outgoing packets are counted, not filtered");
	return xstrdup("it answers a packet that was admitted, or needs no service");
}

static char *why_icmp(const json_t *verdict, bool passes)
{
	const json_t *type = json_object_get(verdict, "type");

	if (!type)
		return xstrdup("IGMP passes");
	return xasprintf(
		"ICMP type %lld %s", (long long)json_integer_value(type),
		passes ?
			"passes" :
			"does not pass: its type is not admitted, or this host sent no packet that it answers, or there are too many echo requests");
}

/* "its source is in bad (203.0.113.0/24), a group of deny" */
static char *why_denied(const json_t *verdict, const json_t *kept)
{
	const json_t *recipe = json_object_get(kept, "recipe"), *name, *text;
	__free_text char *why = NULL;
	struct prefix source, prefix;
	size_t i, j;

	if (prefix_parse(text_of(verdict, "source"), &source, &why))
		return xstrdup("its source is in a group of deny");
	json_array_foreach (json_object_get(recipe, "deny"), i, name)
		json_array_foreach (
			json_object_get(json_object_get(recipe, "groups"), json_string_value(name)),
			j, text) {
			__free_text char *wrong = NULL;

			if (!prefix_parse(json_string_value(text), &prefix, &wrong) &&
			    prefix_contains(&prefix, source.family, source.address))
				return xasprintf("its source is in %s (%s), a group of deny",
						 json_string_value(name), json_string_value(text));
		}
	return xstrdup("its source is in a group of deny");
}

/* The caller frees. */
static char *why_text(const json_t *verdict, const json_t *kept)
{
	bool passes = is(verdict, "verdict", "pass");
	const char *rule = text_of(verdict, "rule");

	if (!*rule)
		return xstrdup(
			"the filter is being attached or detached, and passes everything at the moment");
	if (!strcmp(rule, "service"))
		return why_service(verdict);
	if (!strcmp(rule, "source"))
		return why_source(verdict, kept);
	if (!strcmp(rule, "limit"))
		return why_limit(verdict, kept);
	if (!strcmp(rule, "denied"))
		return why_denied(verdict, kept);
	if (!strcmp(rule, "unlisted"))
		return why_unlisted(verdict);
	if (!strcmp(rule, "outbound"))
		return why_outbound(verdict, kept);
	if (!strcmp(rule, "icmp"))
		return why_icmp(verdict, passes);
	if (!strcmp(rule, "reply"))
		return xstrdup("it belongs to an open connection or a live flow");
	if (!strcmp(rule, "protocol"))
		return xasprintf("%s names the IP protocol %s under `protocols`",
				 passes ? "a profile" : "no profile", text_of(verdict, "protocol"));
	return xstrdup("");
}

/* --- JSON --- */

static void set_empty(json_t *verdict)
{
	static const char *const later[] = {"list", "until",	 "comment",
					    "fix",  "site_line", "confirm"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(later); i++)
		json_object_set_new(verdict, later[i], json_null());
	json_object_set_new(verdict, "listed_by", json_array());
	json_object_set_new(verdict, "next", json_array());
	json_object_set_new(verdict, "dropped_behind", json_false());
}

json_t *explain_verdict(const struct pc_event *event, const char *interface, const json_t *kept,
			struct event_services *services)
{
	json_t *verdict = event_json(event, interface, 0, services);
	const char *machine = event_machine(event, services);
	json_t *own = machine ? kept_machine(kept, kept_machine_find(kept, machine)) : NULL;
	__free_text char *why = NULL;

	json_object_del(verdict, "version");
	json_object_set_new(verdict, "admitted_by", event_admissions(event, services));
	explain_closed(verdict, own ?: kept);
	why = why_text(verdict, own && !is(verdict, "rule", "denied") ? own : kept);
	json_object_set_new(verdict, "why", text_json(why));
	json_decref(own);
	json_object_set_new(verdict, "generation", json_integer(event->generation));
	set_empty(verdict);
	return verdict;
}

/* --- text --- */

#define WORD_COLUMN 13 /* of the text behind a word, as in `status` */

static void print_word(FILE *to, enum tone tone, const char *word, const char *text)
{
	fputs(tone_start(tone, to), to);
	text_print(to, "  %-10s ", word);
	text_line(to, terminal_columns(to), WORD_COLUMN, WORD_COLUMN, "%s", text);
	fprintf(to, "%s\n", tone ? tone_end(to) : "");
}

/* If the packet passes, but something behind the filter drops it, that is said first. */
static bool is_dropped_behind(const json_t *verdict)
{
	return json_is_true(json_object_get(verdict, "dropped_behind"));
}

static void print_verdict(const json_t *verdict, FILE *to)
{
	const char *rule = text_of(verdict, "rule"), *why = text_of(verdict, "why");
	bool drop = is(verdict, "verdict", "drop"), would = is(verdict, "verdict", "would-drop");
	__free_text char *text = NULL;

	if (!strcmp(rule, "banned") && !would)
		text = xstrdup(*why ? why : rule); /* "banned by NAME until ..." */
	else if (would)
		text = xasprintf("now, because the filter observes; enforce would drop it: %s: %s",
				 rule, why);
	else
		text = xasprintf("%s%s%s%s",
				 is_dropped_behind(verdict) ? "the filter does not drop it: " : "",
				 rule, *rule && *why ? ": " : "", why);
	print_word(to, drop || is_dropped_behind(verdict) ? TONE_BAD : TONE_GOOD,
		   drop ? "dropped" : "passes", text);
}

static void print_closed(const json_t *verdict, FILE *to)
{
	const json_t *closed;
	size_t i;

	json_array_foreach (json_object_get(verdict, "closed"), i, closed) {
		__free_text char *text =
			xasprintf("%s: %s", text_of(closed, "service"), text_of(closed, "why"));

		print_word(to, TONE_PLAIN, "closed", text);
	}
}

/* Names other profiles that have the port, if no chosen profile has it. */
static void print_listed_by(const json_t *verdict, FILE *to)
{
	__free_text char *list = report_joined(json_object_get(verdict, "listed_by"), ", ");

	if (*list && !json_array_size(json_object_get(verdict, "closed")) &&
	    !json_array_size(json_object_get(verdict, "services")))
		print_word(to, TONE_PLAIN, "listed by", list);
}

static void print_confirm(const json_t *verdict, FILE *to)
{
	const json_t *confirm = json_object_get(verdict, "confirm");
	const json_t *fallback = json_object_get(confirm, "fallback");
	__free_text char *when = text_time(text_of(confirm, "deadline"));
	__free_text char *then =
		json_is_integer(fallback) ?
			xasprintf("generation %lld", (long long)json_integer_value(fallback)) :
			xstrdup("no filter");
	__free_text char *text = NULL;
	long long number = json_integer_value(json_object_get(verdict, "generation"));

	if (!json_is_object(confirm))
		return;
	text = is(confirm, "state", "waiting") ?
		       xasprintf("by generation %lld, until %s unless confirmed; then by %s",
				 number, when, then) :
		       xasprintf(
			       "by generation %lld, which is active again since %s: the change was not confirmed",
			       number, when);
	print_word(to, TONE_PLAIN, "answered", text);
}

/* The length of the first key in a fix for the site file: fixes are separated by commas, and
 * several have commas inside. */
static size_t key_length(const char *line)
{
	size_t length, depth = 0;

	for (length = 0; line[length]; length++) {
		depth += line[length] == '{' || line[length] == '[';
		depth -= line[length] == '}' || line[length] == ']';
		if (!depth && line[length] == ',')
			break;
	}
	return length;
}

/* Prints the keys on a line each, in the order of the file. */
static void print_site_lines(const char *line, FILE *to)
{
	const char *word = "site file";

	while (*line) {
		size_t length = key_length(line);
		__free_text char *key = xstrndup(line, length);

		print_word(to, TONE_PLAIN, word, key);
		line += length + strspn(line + length, ", ");
		word = "";
	}
}

static void print_commands(const json_t *verdict, FILE *to)
{
	const char *fix = text_of(verdict, "fix"), *line = text_of(verdict, "site_line");

	if (*fix) {
		__free_text char *shown = text_printable(fix);

		fprintf(to, "  %-10s ", "fix");
		wrap_command(shown, WORD_COLUMN, WORD_COLUMN + 2, terminal_columns(to), to);
		fputc('\n', to);
	}
	print_site_lines(line, to);
}

static void print_next(const json_t *verdict, FILE *to)
{
	const json_t *text;
	const char *word = is(verdict, "direction", "out") ? "before it" : "behind it";
	size_t i;

	json_array_foreach (json_object_get(verdict, "next"), i, text)
		print_word(to, TONE_PLAIN, i ? "" : word, json_string_value(text));
	if (!i && !is(verdict, "verdict", "drop"))
		print_word(to, TONE_PLAIN, word, "nothing was found that drops it");
}

/* "eth0: machine core: 192.0.2.7:50000 -> 192.0.2.10:25/tcp syn" */
static void print_packet(const json_t *verdict, FILE *to)
{
	__free_text char *packet = event_packet_text(verdict);
	const char *interface = text_of(verdict, "interface");
	const char *machine = text_of(verdict, "machine");

	text_line(to, terminal_columns(to), 0, 4, "%s%s%s%s%s%s", interface, *interface ? ": " : "",
		  *machine ? "machine " : "", machine, *machine ? ": " : "", packet);
	fputc('\n', to);
}

void report_explain_text(const json_t *report, FILE *to)
{
	const json_t *verdict;
	size_t i;

	json_array_foreach (json_object_get(report, "verdicts"), i, verdict) {
		if (i)
			fputc('\n', to);
		print_packet(verdict, to);
		print_verdict(verdict, to);
		if (*text_of(verdict, "comment"))
			print_word(to, TONE_PLAIN, "comment", text_of(verdict, "comment"));
		print_confirm(verdict, to);
		print_closed(verdict, to);
		print_listed_by(verdict, to);
		print_commands(verdict, to);
		print_next(verdict, to);
	}
}
