// SPDX-License-Identifier: GPL-2.0
/* Turns the differences of two kept texts into JSON. */
#include "loader/report/difference_json.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/difference.h"
#include "loader/report/difference_machines.h"

static void add_difference(void *context, const char *word, const char *what, const char *how)
{
	json_t *difference = context;
	json_t *list = json_object_get(difference, word);
	__free_text char *sentence = NULL;

	/* A port that opens or closes is an entry of its own; "changes" and all other words become
	 * sentences. */
	if (list && strcmp(word, "changes")) {
		json_array_append_new(list, json_string(what));
		return;
	}
	sentence = strcmp(word, "changes") ? xasprintf("%s %s%s", word, what, how) :
					     xasprintf("%s%s", what, how);
	json_array_append_new(json_object_get(difference, "changes"), json_string(sentence));
}

static json_t *groups_of(const json_t *kept)
{
	return json_object_get(json_object_get(kept, "recipe"), "groups");
}

/* The prefixes of one list that the other list lacks. A list may have 100,000. */
static json_t *missing(const json_t *list, const json_t *in)
{
	json_t *seen = json_object(), *left = json_array();
	const json_t *prefix;
	size_t i;

	json_array_foreach (in, i, prefix)
		json_object_set_new(seen, json_string_value(prefix), json_true());
	json_array_foreach (list, i, prefix)
		if (!json_object_get(seen, json_string_value(prefix)))
			json_array_append_new(left, json_string(json_string_value(prefix)));
	json_decref(seen);
	return left;
}

static void add_group(json_t *groups, const char *name, const json_t *before, const json_t *after)
{
	json_t *added, *removed;

	if (before && after && json_equal(before, after))
		return;
	added = missing(after, before);
	removed = missing(before, after);
	if (json_array_size(added) || json_array_size(removed))
		json_array_append_new(groups, json_pack("{s:s, s:O, s:O}", "name", name, "added",
							added, "removed", removed));
	json_decref(added);
	json_decref(removed);
}

static json_t *changed_groups(const json_t *was, const json_t *is)
{
	json_t *groups = json_array();
	const json_t *list;
	const char *name;

	json_object_foreach ((json_t *)is, name, list)
		add_group(groups, name, json_object_get(was, name), list);
	json_object_foreach ((json_t *)was, name, list)
		if (!json_object_get(is, name))
			add_group(groups, name, list, NULL);
	return groups;
}

static json_t *own_json(const json_t *before, const json_t *after)
{
	json_t *difference = json_pack("{s:[], s:[], s:[]}", "opens", "closes", "changes");

	difference_own(before, after, add_difference, difference);
	return difference;
}

static void add_machine(void *context, const struct machine_pair *pair)
{
	const char *action = !pair->was ? "add" : !pair->is ? "remove" : "change";
	json_t *machine = json_pack("{s:s, s:s, s:s?}", "name", pair->name, "action", action,
				    "address", pair->is ?: pair->was);
	json_t *own = own_json(pair->before, pair->after);

	json_object_update(machine, own);
	json_object_set_new(machine, "groups", changed_groups(pair->old_groups, pair->groups));
	if (pair->was && pair->is && strcmp(pair->was, pair->is))
		json_array_append_new(json_object_get(machine, "changes"),
				      json_sprintf("address from %s to %s", pair->was, pair->is));
	json_array_append_new(context, machine);
	json_decref(own);
}

json_t *difference_json(const json_t *before, const json_t *after)
{
	json_t *none = json_object(), *machines = json_array();
	json_t *difference = own_json(before ? before : none, after);

	json_object_set_new(difference, "groups",
			    changed_groups(groups_of(before), groups_of(after)));
	difference_machines(before, after, add_machine, machines);
	if (kept_machines(before) || kept_machines(after))
		json_object_set(difference, "machines", machines);
	json_decref(machines);
	json_decref(none);
	return difference;
}

bool difference_json_any(const json_t *difference)
{
	static const char *const list[] = {"opens", "closes", "changes", "groups", "machines"};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (json_array_size(json_object_get(difference, list[i])))
			return true;
	return false;
}
