// SPDX-License-Identifier: GPL-2.0
/* The history as text. */
#include "loader/report/text_history.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/base/terminal.h"
#include "loader/report/difference.h"
#include "loader/report/text.h"

#define PORTS_SHOWN	8 /* ports of each kind that a row of the list names */
#define SENTENCES_SHOWN 2

static bool is_null(const json_t *json, const char *key)
{
	return !json_is_string(json_object_get(json, key));
}

char *history_by_text(const json_t *change)
{
	if (is_null(change, "by"))
		return xstrdup("the deadline");
	return xasprintf("%s%s%s", text_of(change, "by"), is_null(change, "client") ? "" : " from ",
			 text_of(change, "client"));
}

/* "confirmed by bob", "reverted", "pending"; "" for a change that needed no confirmation. */
static char *state_text(const json_t *change)
{
	const json_t *settled = json_object_get(change, "settled");
	const char *state = text_of(change, "state");

	if (!strcmp(state, "final"))
		return xstrdup("");
	if (!json_is_object(settled) || is_null(settled, "by"))
		return xstrdup(state);
	return xasprintf("%s by %s", state, text_of(settled, "by"));
}

/* --- the list --- */

/* "opens 25/tcp, 587/tcp and 3 more" */
static void add_part(struct names *parts, const char *word, const json_t *list)
{
	__cleanup(names_free) struct names names = {};
	__free_text char *joined = NULL, *part = NULL, *more = NULL;
	size_t count = json_array_size(list);
	size_t shown = *word ? PORTS_SHOWN : SENTENCES_SHOWN;

	for (size_t i = 0; i < count && i < shown; i++)
		names_add(&names, json_string_value(json_array_get(list, i)) ?: "");
	if (!count)
		return;
	joined = names_join(&names, *word ? ", " : "; ");
	more = count > shown ? xasprintf("%s and %zu more", *word ? "" : ";", count - shown) :
			       xstrdup("");
	part = xasprintf("%s%s%s%s", word, *word ? " " : "", joined, more);
	names_add(parts, part);
}

static const char *network_text(const json_t *change)
{
	return is_null(change, "network_namespace") ? "" : text_of(change, "network_namespace");
}

static void add_parts(struct names *parts, const json_t *difference)
{
	add_part(parts, "opens", json_object_get(difference, "opens"));
	add_part(parts, "closes", json_object_get(difference, "closes"));
	add_part(parts, "", json_object_get(difference, "changes"));
}

/* "machine mail (add): opens 25/tcp" */
static void add_machine(struct names *parts, const json_t *machine)
{
	__cleanup(names_free) struct names own = {};
	__free_text char *joined = NULL, *part = NULL;

	add_parts(&own, machine);
	joined = names_join(&own, "; ");
	part = xasprintf("machine %s (%s)%s%s", text_of(machine, "name"),
			 text_of(machine, "action"), own.count ? ": " : "", joined);
	names_add(parts, part);
}

/* "eth0: swap: opens 587/tcp; closes 25/tcp" */
static char *what_text(const json_t *change, const json_t *interface)
{
	__cleanup(names_free) struct names parts = {};
	__free_text char *joined = NULL;
	const char *network = network_text(change);
	const json_t *machine;
	size_t i;

	add_parts(&parts, interface);
	json_array_foreach (json_object_get(interface, "machines"), i, machine)
		add_machine(&parts, machine);
	joined = names_join(&parts, "; ");
	return xasprintf("%s%s%s%s: %s%s%s", text_of(interface, "name"), *network ? " (" : "",
			 network, *network ? ")" : "", text_of(interface, "action"),
			 parts.count ? ": " : "", joined);
}

static void add_row(struct columns *columns, const json_t *change, const json_t *interface,
		    bool first)
{
	__free_text char *number =
		xasprintf("%lld", (long long)json_integer_value(json_object_get(change, "number")));
	__free_text char *time = text_time(text_of(change, "time"));
	__free_text char *by = history_by_text(change), *state = state_text(change);
	__free_text char *what = what_text(change, interface);
	__free_text char *cell =
		xasprintf("%s%s%s", what, first && !is_null(change, "comment") ? "; comment: " : "",
			  first ? text_of(change, "comment") : "");
	bool reverted = !strcmp(text_of(change, "state"), "reverted");

	columns_row(columns, reverted ? TONE_FAINT : TONE_PLAIN,
		    (const char *[]){first ? number : "", first ? time : "", first ? by : "",
				     first ? state : "", cell});
}

void report_history_text(const json_t *report, FILE *to)
{
	struct columns columns = {
		.count = 5,
		.limit = terminal_columns(to),
		.heading = {">change", "time", "by", "state", "what"},
	};
	const json_t *change, *interface;
	size_t i, j;

	json_array_foreach (json_object_get(report, "changes"), i, change)
		json_array_foreach (json_object_get(change, "interfaces"), j, interface)
			add_row(&columns, change, interface, !j);
	if (columns.rows)
		columns_print(&columns, to);
	else
		fputs("no such change is recorded\n", to);
}

/* --- one change --- */

static void say(FILE *to, const char *key, const char *value)
{
	size_t columns = terminal_columns(to);

	fprintf(to, "  %-10s", key);
	text_line(to, columns, 12, 12, "%s", value);
	fputc('\n', to);
}

static void say_key(FILE *to, const char *key, const json_t *change)
{
	if (!is_null(change, key))
		say(to, key, text_of(change, key));
}

static void print_state(const json_t *change, FILE *to)
{
	const json_t *settled = json_object_get(change, "settled");
	__free_text char *by = NULL, *time = NULL, *text = NULL;

	if (!json_is_object(settled)) {
		say(to, "state", text_of(change, "state"));
		return;
	}
	by = history_by_text(settled);
	time = text_time(text_of(settled, "time"));
	text = xasprintf(
		"%s by %s, %s (change %lld)%s%s", text_of(change, "state"), by, time,
		(long long)json_integer_value(json_object_get(settled, "number")),
		is_null(settled, "comment") ? "" : "; comment: ", text_of(settled, "comment"));
	say(to, "state", text);
}

static void print_list(FILE *to, const char *word, const json_t *list)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text) {
		fputs("    ", to);
		text_line(to, terminal_columns(to), 4, 6, "%s%s%s", word, *word ? " " : "",
			  json_string_value(text) ?: "");
		fputc('\n', to);
	}
}

static void print_lists(const json_t *interface, FILE *to)
{
	const json_t *machine;
	size_t i;

	print_list(to, "opens", json_object_get(interface, "opens"));
	print_list(to, "closes", json_object_get(interface, "closes"));
	print_list(to, "", json_object_get(interface, "changes"));
	json_array_foreach (json_object_get(interface, "machines"), i, machine) {
		text_print(to, "    machine %s: %s", text_of(machine, "name"),
			   text_of(machine, "action"));
		fputc('\n', to);
		print_lists(machine, to);
	}
}

/* If both rule sets are known, each line also has sources and services. */
static void print_states(const struct history_state *before, const struct history_state *after,
			 const json_t *interface, FILE *to)
{
	json_t *none = json_object();

	if (after->kept && (before->kept || !before->digest) && before->known)
		difference_print(before->kept ? before->kept : none, after->kept, to);
	else
		print_lists(interface, to);
	json_decref(none);
}

/* A sentence instead of a difference is alone in "changes". */
static bool is_sentence(const json_t *interface)
{
	return !strcmp(text_of(interface, "action"), "takeover") ||
	       !strcmp(text_of(interface, "action"), "revert");
}

static void print_interface(const struct history_lines *lines, const json_t *change,
			    const json_t *interface, FILE *to)
{
	const struct history_interface of = {
		is_null(change, "network_namespace") ? NULL : network_text(change),
		text_of(interface, "name")};
	unsigned long long number =
		(unsigned long long)json_integer_value(json_object_get(change, "number"));
	struct history_state before = history_state(lines, &of, number - 1);
	struct history_state after = history_state(lines, &of, number);

	text_print(to, "%s: %s", of.name, text_of(interface, "action"));
	fputc('\n', to);
	if (!json_object_get(interface, "after") || is_sentence(interface))
		print_lists(interface, to);
	else
		print_states(&before, &after, interface, to);
}

void history_change_text(const struct history_lines *lines, const json_t *change, FILE *to)
{
	__free_text char *time = text_time(text_of(change, "time"));
	__free_text char *by = history_by_text(change);
	const json_t *interface;
	size_t i;

	fprintf(to, "change %lld\n",
		(long long)json_integer_value(json_object_get(change, "number")));
	say(to, "time", time);
	say(to, "by", by);
	if (!is_null(change, "sudo_user") &&
	    strcmp(text_of(change, "sudo_user"), text_of(change, "by")))
		say(to, "sudo", text_of(change, "sudo_user"));
	say_key(to, "command", change);
	say_key(to, "comment", change);
	if (!is_null(change, "network_namespace"))
		say(to, "namespace", network_text(change));
	print_state(change, to);
	json_array_foreach (json_object_get(change, "interfaces"), i, interface)
		print_interface(lines, change, interface, to);
}

void history_difference_text(const struct history_lines *lines, unsigned long long from,
			     unsigned long long to_number, const json_t *interfaces, FILE *to)
{
	const json_t *interface;
	size_t i;

	if (!json_array_size(interfaces))
		fprintf(to,
			"nothing differs between the states after change %llu and change %llu\n",
			from, to_number);
	json_array_foreach (interfaces, i, interface) {
		const struct history_interface of = {
			is_null(interface, "network_namespace") ? NULL : network_text(interface),
			text_of(interface, "name")};
		struct history_state before = history_state(lines, &of, from);
		struct history_state after = history_state(lines, &of, to_number);

		text_print(to, "%s%s%s%s: %s", of.name, of.network ? " (" : "",
			   of.network ? of.network : "", of.network ? ")" : "",
			   text_of(interface, "action"));
		fputc('\n', to);
		print_states(&before, &after, interface, to);
	}
}
