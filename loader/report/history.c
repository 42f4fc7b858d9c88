// SPDX-License-Identifier: GPL-2.0
/* The changes of the history: the outcome of each, and the rule sets before and after. */
#include "loader/report/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpf/abi.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/report/difference_json.h"

#define OUT "out " /* in front of an outgoing port */

char *history_boot(void)
{
	char *text = NULL;
	size_t length;

	if (read_file("/proc/sys/kernel/random/boot_id", 64, &text, &length))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static bool has_action(const json_t *interface, const char *action)
{
	const char *own = text_of(interface, "action");

	return own && !strcmp(own, action);
}

static unsigned long long number_of(const json_t *change)
{
	return (unsigned long long)json_integer_value(json_object_get(change, "number"));
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool history_is_of(const json_t *change, const json_t *interface,
		   const struct history_interface *of)
{
	return same_text(text_of(change, "network_namespace"), of->network) &&
	       same_text(text_of(interface, "name"), of->name);
}

json_t *history_find(const struct history_lines *lines, unsigned long long number)
{
	json_t *change;
	size_t i;

	json_array_foreach (lines->changes, i, change)
		if (number_of(change) == number)
			return change;
	return NULL;
}

void history_names(const struct history_lines *lines, const char *network, struct names *names)
{
	const json_t *change, *interface;
	size_t i, j;

	json_array_foreach (lines->changes, i, change) {
		if (!same_text(text_of(change, "network_namespace"), network))
			continue;
		json_array_foreach (json_object_get(change, "interfaces"), j, interface)
			if (text_of(interface, "name"))
				names_add_once(names, text_of(interface, "name"));
	}
}

/* --- the outcome of a change --- */

/* The outcome of an interface's part in a change. A greater value is worse. */
enum outcome {
	OUTCOME_FINAL,
	OUTCOME_CONFIRMED,
	OUTCOME_REVERTED,
	OUTCOME_PENDING,
};

static const char *const outcome_name[] = {
	[OUTCOME_FINAL] = "final",
	[OUTCOME_CONFIRMED] = "confirmed",
	[OUTCOME_REVERTED] = "reverted",
	[OUTCOME_PENDING] = "pending",
};

static void settle_part(json_t *change, enum outcome outcome, const json_t *by)
{
	enum outcome before = (enum outcome)json_integer_value(json_object_get(change, "outcome"));

	if (outcome > before)
		json_object_set_new(change, "outcome", json_integer(outcome));
	if (by)
		json_object_set_new(change, "settled",
				    json_pack("{s:O, s:O?, s:O?, s:O?, s:O?}", "number",
					      json_object_get(by, "number"), "time",
					      json_object_get(by, "time"), "by",
					      json_object_get(by, "by"), "client",
					      json_object_get(by, "client"), "comment",
					      json_object_get(by, "comment")));
}

/*
 * The changes after one that needs confirmation. Only the first one that confirms or reverts it
 * counts.
 */
static enum outcome next_outcome(const json_t *interface)
{
	if (has_action(interface, "confirm"))
		return OUTCOME_CONFIRMED;
	if (has_action(interface, "revert") || has_action(interface, "detach") ||
	    has_action(interface, "attach"))
		return OUTCOME_REVERTED;
	return OUTCOME_FINAL;
}

/* Searches the later changes for the one that settled the part at `at`. */
static void settle_one(const struct history_lines *lines, size_t at, const json_t *part,
		       const char *boot, unsigned long long now)
{
	json_t *change = json_array_get(lines->changes, at);
	const struct history_interface of = {text_of(change, "network_namespace"),
					     text_of(part, "name")};
	unsigned long long deadline =
		(unsigned long long)json_integer_value(json_object_get(part, "deadline"));
	bool over = !same_text(text_of(change, "boot"), boot) || now >= deadline;

	for (size_t i = at + 1; i < json_array_size(lines->changes); i++) {
		const json_t *later = json_array_get(lines->changes, i), *interface;
		size_t j;

		json_array_foreach (json_object_get(later, "interfaces"), j, interface) {
			enum outcome outcome = next_outcome(interface);

			if (!history_is_of(later, interface, &of) || outcome == OUTCOME_FINAL)
				continue;
			settle_part(change, outcome, later);
			return;
		}
	}
	settle_part(change, over ? OUTCOME_REVERTED : OUTCOME_PENDING, NULL);
}

static json_t *confirmed_json(enum outcome outcome)
{
	if (outcome == OUTCOME_FINAL || outcome == OUTCOME_PENDING)
		return json_null();
	return json_boolean(outcome == OUTCOME_CONFIRMED);
}

void history_settle(const struct history_lines *lines, const char *boot, unsigned long long now)
{
	json_t *change;
	const json_t *interface;
	size_t i, j;

	json_array_foreach (lines->changes, i, change) {
		enum outcome outcome;

		json_object_set_new(change, "outcome", json_integer(OUTCOME_FINAL));
		json_object_set_new(change, "settled", json_null());
		json_array_foreach (json_object_get(change, "interfaces"), j, interface)
			if (json_integer_value(json_object_get(interface, "deadline")))
				settle_one(lines, i, interface, boot, now);
		outcome = (enum outcome)json_integer_value(json_object_get(change, "outcome"));
		json_object_set_new(change, "state", json_string(outcome_name[outcome]));
		json_object_set_new(change, "confirmed", confirmed_json(outcome));
	}
}

/* --- states --- */

static struct history_state state_of(const struct history_lines *lines, const json_t *interface,
				     const char *key)
{
	const json_t *digest = json_object_get(interface, key);
	const json_t *text;
	struct history_state state = {
		.known = digest != NULL,
		.digest = json_string_value(digest),
		.interface = interface,
	};

	text = state.digest ? json_object_get(lines->texts, state.digest) : NULL;
	state.kept = json_object_get(text, "kept");
	state.profiles = json_object_get(text, "profiles");
	return state;
}

struct history_state history_state(const struct history_lines *lines,
				   const struct history_interface *of, unsigned long long number)
{
	struct history_state state = {};
	const json_t *change, *interface;
	size_t i, j;

	json_array_foreach (lines->changes, i, change) {
		bool later = number_of(change) > number;

		json_array_foreach (json_object_get(change, "interfaces"), j, interface) {
			if (!history_is_of(change, interface, of) ||
			    !json_object_get(interface, "after"))
				continue;
			if (!later)
				state = state_of(lines, interface, "after");
			else if (!state.known)
				return state_of(lines, interface, "before");
			else
				return state;
		}
	}
	return state;
}

static bool is_reverted(const json_t *change)
{
	return same_text(text_of(change, "state"), "reverted");
}

/* True if the change still has an effect on one of the interfaces. */
static bool has_effect(const struct history_lines *lines, const json_t *change,
		       const struct names *names)
{
	const json_t *interface;
	size_t i;

	json_array_foreach (json_object_get(change, "interfaces"), i, interface) {
		const struct history_interface of = {text_of(change, "network_namespace"),
						     text_of(interface, "name")};
		struct history_state before, after;

		if (has_action(interface, "revert") || has_action(interface, "takeover") ||
		    !json_object_get(interface, "after") || !of.name ||
		    (names->count && !names_have(names, of.name)))
			continue;
		before = history_state(lines, &of, number_of(change) - 1);
		after = history_state(lines, &of, number_of(change));
		if (before.known && after.known && !same_text(before.digest, after.digest))
			return true;
	}
	return false;
}

unsigned long long history_last(const struct history_lines *lines, const char *network,
				const struct names *names)
{
	for (size_t i = json_array_size(lines->changes); i--;) {
		const json_t *change = json_array_get(lines->changes, i);

		if (same_text(text_of(change, "network_namespace"), network) &&
		    !is_reverted(change) && has_effect(lines, change, names))
			return number_of(change);
	}
	return 0;
}

/* --- JSON --- */

static json_t *interface_json(const json_t *interface)
{
	static const char *const keys[] = {"name",   "action",	"generation", "opens",
					   "closes", "changes", "groups"};
	json_t *shown = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(interface, keys[i]);

		json_object_set(shown, keys[i], value ? value : json_null());
	}
	if (json_object_get(interface, "machines"))
		json_object_set(shown, "machines", json_object_get(interface, "machines"));
	return shown;
}

json_t *history_change_json(const json_t *change)
{
	static const char *const keys[] = {"number",	"time",	   "by",      "sudo_user",
					   "client",	"command", "comment", "network_namespace",
					   "confirmed", "state",   "settled"};
	json_t *shown = json_object(), *list = json_array();
	const json_t *interface;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		json_t *value = json_object_get(change, keys[i]);

		json_object_set(shown, keys[i], value ? value : json_null());
	}
	json_array_foreach (json_object_get(change, "interfaces"), i, interface)
		json_array_append_new(list, interface_json(interface));
	json_object_set_new(shown, "interfaces", list);
	return shown;
}

/* --- which changes --- */

/* "587/tcp", "out 53/udp, 5000-5100/udp", or a sentence that begins with ports. */
static bool text_has_port(const char *text, __u32 port)
{
	bool found = false;

	if (!strncmp(text, OUT, strlen(OUT)))
		text += strlen(OUT);
	while (!found) {
		__cleanup(ports_free) struct ports ports = {};
		__free_text char *why = NULL, *word = xstrndup(text, strcspn(text, " ,"));

		if (ports_parse(word, &ports, &why))
			break;
		found = ports_have(&ports, pc_port_transport(port), pc_port_number(port));
		text += strlen(word);
		text += strspn(text, ", ");
	}
	return found;
}

static bool list_has_port(const json_t *list, __u32 port)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text)
		if (json_is_string(text) && text_has_port(json_string_value(text), port))
			return true;
	return false;
}

/* An interface, or a machine behind it. */
static bool has_port(const json_t *difference, __u32 port)
{
	const json_t *machine;
	size_t i;

	json_array_foreach (json_object_get(difference, "machines"), i, machine)
		if (has_port(machine, port))
			return true;
	return list_has_port(json_object_get(difference, "opens"), port) ||
	       list_has_port(json_object_get(difference, "closes"), port) ||
	       list_has_port(json_object_get(difference, "changes"), port);
}

static bool interface_is_chosen(const json_t *interface, const struct history_select *select)
{
	const char *name = text_of(interface, "name");

	if (select->names && select->names->count && (!name || !names_have(select->names, name)))
		return false;
	return select->port < 0 || has_port(interface, (__u32)select->port);
}

static bool is_since(const json_t *change, long long since)
{
	const char *time = text_of(change, "time");
	struct tm tm = {};

	return !since || !time || !strptime(time, "%Y-%m-%dT%H:%M:%SZ", &tm) ||
	       timegm(&tm) >= since;
}

bool history_is_chosen(const json_t *change, const struct history_select *select)
{
	const json_t *interface;
	size_t i;

	if (!is_since(change, select->since))
		return false;
	json_array_foreach (json_object_get(change, "interfaces"), i, interface)
		if (interface_is_chosen(interface, select))
			return true;
	return false;
}

/* --- two states --- */

static json_t *nothing_json(const char *sentence)
{
	return json_pack("{s:[], s:[], s:[s], s:[]}", "opens", "closes", "changes", sentence,
			 "groups");
}

static const char *action_between(const struct history_state *from, const struct history_state *to)
{
	if (!to->digest)
		return "detach";
	return from->digest ? "swap" : "attach";
}

/* NULL: the states are equal. */
static json_t *between(const struct history_interface *of, const struct history_state *from,
		       const struct history_state *to)
{
	json_t *difference, *interface;

	if (!from->known || !to->known || same_text(from->digest, to->digest))
		return NULL;
	if (!to->digest)
		difference = nothing_json("everything passes");
	else if (!to->kept || (from->digest && !from->kept))
		difference = nothing_json("the history does not have both rule sets any more");
	else
		difference = difference_json(from->kept, to->kept);
	interface = json_pack("{s:s, s:s?, s:s}", "name", of->name, "network_namespace",
			      of->network, "action", action_between(from, to));
	json_object_update(interface, difference);
	json_decref(difference);
	return interface;
}

json_t *history_difference(const struct history_lines *lines, unsigned long long from,
			   unsigned long long to)
{
	json_t *list = json_array(), *seen = json_object();
	const json_t *change, *interface;
	size_t i, j;

	json_array_foreach (lines->changes, i, change)
		json_array_foreach (json_object_get(change, "interfaces"), j, interface) {
			const struct history_interface of = {text_of(change, "network_namespace"),
							     text_of(interface, "name")};
			__free_text char *key = NULL;
			struct history_state before, after;
			json_t *entry;

			if (!of.name)
				continue;
			key = xasprintf("%s/%s", of.network ? of.network : "", of.name);
			if (json_object_get(seen, key))
				continue;
			json_object_set_new(seen, key, json_true());
			before = history_state(lines, &of, from);
			after = history_state(lines, &of, to);
			entry = between(&of, &before, &after);
			if (entry)
				json_array_append_new(list, entry);
		}
	json_decref(seen);
	return list;
}
