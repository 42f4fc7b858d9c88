// SPDX-License-Identifier: GPL-2.0
/* The machines of a kept text. */
#include "loader/recipe/kept_machines.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/machines.h"

/* Profiles of machines, each once: many machines have equal profiles. */
static json_t *known_profile(json_t *known, const json_t *profile)
{
	json_t *other;
	size_t i;

	/* Services are compared first: profiles of open ports differ in them only. */
	json_array_foreach (known, i, other)
		if (json_equal(json_object_get(other, "services"),
			       json_object_get(profile, "services")) &&
		    json_equal(other, profile))
			return other;
	return NULL;
}

/* Replaces each profile that equals a known one by the known one. */
static json_t *share_profiles(json_t *profiles, json_t *known)
{
	json_t *profile, *other;
	size_t i;

	json_array_foreach (profiles, i, profile) {
		other = known_profile(known, profile);
		if (other)
			json_array_set(profiles, i, other);
		else
			json_array_append(known, profile);
	}
	return profiles;
}

json_t *kept_machines_json(const struct composition *composition)
{
	json_t *list = json_array(), *known = json_array();

	for (size_t i = 0; i < composition->machines; i++) {
		const struct composed_machine *composed = &composition->machine[i];
		__cleanup(names_free) struct names addresses = {};
		json_t *json = json_pack("{s:s}", "name", composed->machine->name);
		char text[PREFIX_TEXT];

		for (size_t j = 0; j < composed->machine->addresses; j++)
			names_add(&addresses, prefix_format(&composed->machine->address[j], text));
		json_object_set_new(json, "address", names_json(&addresses));
		if (composed->like == i)
			json_object_set_new(
				json, "profiles",
				share_profiles(composition_json(&composed->composition), known));
		else
			json_object_set(
				json, "profiles",
				json_object_get(json_array_get(list, composed->like), "profiles"));
		json_array_append_new(list, json);
	}
	json_decref(known);
	return list;
}

static json_t *machine_at(const json_t *kept, size_t at)
{
	return json_array_get(json_object_get(kept, "machines"), at);
}

size_t kept_machines(const json_t *kept)
{
	return json_array_size(json_object_get(kept, "machines"));
}

const char *kept_machine_name(const json_t *kept, size_t at)
{
	const char *name = json_string_value(json_object_get(machine_at(kept, at), "name"));

	return name ?: "";
}

size_t kept_machine_find_near(const json_t *kept, const char *name, size_t first)
{
	size_t count = kept_machines(kept);

	for (size_t i = 0; i < count; i++) {
		size_t at = (first + i) % count;

		if (!strcmp(kept_machine_name(kept, at), name))
			return at;
	}
	return count;
}

size_t kept_machine_find(const json_t *kept, const char *name)
{
	return kept_machine_find_near(kept, name, 0);
}

size_t kept_machine_of(const json_t *kept, __u8 family, const __u8 *address)
{
	size_t count = kept_machines(kept), found = count, j;
	const json_t *text;
	int longest = -1;

	for (size_t i = 0; i < count; i++)
		json_array_foreach (json_object_get(machine_at(kept, i), "address"), j, text) {
			__free_text char *why = NULL;
			struct prefix prefix;

			if (!json_is_string(text) ||
			    prefix_parse(json_string_value(text), &prefix, &why) ||
			    prefix.length <= longest || !prefix_contains(&prefix, family, address))
				continue;
			longest = prefix.length;
			found = i;
		}
	return found;
}

/* The profile of that name of a machine, or NULL. */
static json_t *profile_of(const json_t *machine, const char *name)
{
	json_t *profile;
	size_t i;

	json_array_foreach (json_object_get(machine, "profiles"), i, profile) {
		const char *own = json_string_value(json_object_get(profile, "name"));

		if (own && !strcmp(own, name))
			return profile;
	}
	return NULL;
}

/*
 * Gives a machine the profiles that it has "like" those before it, which are in `known` by name.
 * False: there is none.
 */
static bool expand_profiles(const json_t *machine, const json_t *known)
{
	json_t *profiles = json_object_get(machine, "profiles"), *profile, *other;
	size_t i;

	json_array_foreach (profiles, i, profile) {
		const char *like = json_string_value(json_object_get(profile, "like"));
		const char *name = json_string_value(json_object_get(profile, "name"));

		if (!like)
			continue;
		other = name ? profile_of(json_object_get(known, like), name) : NULL;
		if (!other)
			return false;
		json_array_set(profiles, i, other);
	}
	return json_is_array(profiles);
}

static bool expand_machines(const json_t *kept, json_t *known)
{
	json_t *machine;
	size_t i;

	json_array_foreach (json_object_get(kept, "machines"), i, machine) {
		const char *like = json_string_value(json_object_get(machine, "like"));
		const json_t *other = like ? json_object_get(known, like) : NULL;

		if (other) {
			json_object_set(machine, "profiles", json_object_get(other, "profiles"));
			json_object_del(machine, "like");
		} else if (!expand_profiles(machine, known)) {
			return false;
		}
		json_object_set_nocheck(known, kept_machine_name(kept, i), machine);
	}
	return true;
}

/* The profiles of the interface and of its machines that are not "like" others. */
static json_t *written_profiles(const json_t *kept)
{
	json_t *all = json_array(), *machine;
	size_t i;

	json_array_extend(all, json_object_get(kept, "profiles"));
	json_array_foreach (json_object_get(kept, "machines"), i, machine)
		json_array_extend(all, json_object_get(machine, "profiles"));
	return all;
}

bool kept_expand(json_t *kept)
{
	const json_t *words = json_object_get(json_object_get(kept, "recipe"), "machines");
	json_t *profiles = written_profiles(kept), *known = json_object();
	bool whole = json_array_size(words) == kept_machines(kept);

	profiles_expand(profiles);
	whole = whole && expand_machines(kept, known);
	json_decref(profiles);
	json_decref(known);
	return whole;
}

/* The profiles, or lists of them, of the machines so far, and the first machine of each. */
struct owners {
	struct owner {
		const json_t *profiles;
		const char *machine;
	} * owner;
	size_t count;
};

static void owners_free(struct owners *owners)
{
	free(owners->owner);
}

/* The earlier machine that has the same profile objects. NULL: none. */
static const char *owner_of(struct owners *owners, const json_t *profiles, const char *machine)
{
	for (size_t i = 0; i < owners->count; i++)
		if (owners->owner[i].profiles == profiles)
			return owners->owner[i].machine;
	owners->owner = grow(owners->owner, owners->count, sizeof(*owners->owner));
	owners->owner[owners->count++] = (struct owner){profiles, machine};
	return NULL;
}

/* A machine's profiles; a profile that an earlier machine has is replaced by that machine's
 * name. */
static json_t *contract_profiles(const json_t *profiles, const char *machine, struct owners *owners)
{
	json_t *list = json_array(), *profile, *contracted;
	size_t i;

	json_array_foreach (profiles, i, profile) {
		const char *owner = owner_of(owners, profile, machine);

		if (owner)
			json_array_append_new(list, json_pack("{s:O, s:s}", "name",
							      json_object_get(profile, "name"),
							      "like", owner));
		else
			json_array_append(list, profile);
	}
	contracted = profiles_contract(list);
	json_decref(list);
	return contracted;
}

/* The machine with its profiles; if an earlier machine has all of them, with that machine's
 * name. */
static json_t *contract_one(const json_t *kept, size_t at, struct owners *owners)
{
	json_t *machine = json_copy(machine_at(kept, at));
	const json_t *profiles = json_object_get(machine, "profiles");
	const char *name = kept_machine_name(kept, at);
	const char *owner = profiles ? owner_of(owners, profiles, name) : NULL;

	if (owner) {
		json_object_set_new(machine, "like", json_string(owner));
		json_object_del(machine, "profiles");
	} else if (profiles) {
		json_object_set_new(machine, "profiles", contract_profiles(profiles, name, owners));
	}
	return machine;
}

json_t *kept_contract(const json_t *kept)
{
	json_t *copy = json_copy((json_t *)kept), *machines = json_array();
	const json_t *profiles = json_object_get(kept, "profiles");
	__cleanup(owners_free) struct owners owners = {};
	size_t count = kept_machines(kept);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(machines, contract_one(kept, i, &owners));
	if (count)
		json_object_set(copy, "machines", machines);
	if (profiles)
		json_object_set_new(copy, "profiles", profiles_contract(profiles));
	json_decref(machines);
	return copy;
}

/* Parts that an interface's recipe always has, but a machine's may lack if they are empty. */
static void add_empty(json_t *recipe)
{
	json_t *overrides = json_copy(json_object_get(recipe, "overrides"));
	json_t *parts = json_pack("{s:[], s:{}, s:{}}", "features", "groups", "comments");
	json_t *lists = json_pack("{s:[], s:[], s:[], s:[]}", "open", "set", "from", "disable");

	json_object_update_missing(recipe, parts);
	if (overrides)
		json_object_update_missing(overrides, lists);
	json_object_set_new(recipe, "overrides", overrides ? overrides : json_incref(lists));
	json_decref(parts);
	json_decref(lists);
}

void kept_machines_fill(json_t *kept)
{
	json_t *machine;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(kept, "recipe"), "machines"), i,
			    machine)
		add_empty(json_object_get(machine, "recipe"));
}

static json_t *own_recipe(const json_t *kept, size_t at)
{
	const json_t *interface = json_object_get(kept, "recipe");
	const json_t *words = json_array_get(json_object_get(interface, "machines"), at);
	json_t *own = json_object_get(words, "recipe"), *recipe = json_object(), *groups;

	json_object_set(recipe, "policy", json_object_get(interface, "policy"));
	json_object_set(recipe, "outbound", json_object_get(interface, "outbound"));
	if (own)
		json_object_update(recipe, own);
	add_empty(recipe);
	groups = json_copy(json_object_get(interface, "groups"));
	if (!groups)
		groups = json_object();
	json_object_update(groups, json_object_get(own, "groups"));
	json_object_set_new(recipe, "groups", groups);
	return recipe;
}

json_t *kept_machine(const json_t *kept, size_t at)
{
	json_t *machine = json_pack("{s:o}", "recipe", own_recipe(kept, at));

	json_object_set(machine, "profiles", json_object_get(machine_at(kept, at), "profiles"));
	return machine;
}

const json_t *kept_machine_profiles(const json_t *kept, size_t at)
{
	return json_object_get(machine_at(kept, at), "profiles");
}

char *kept_machine_address(const json_t *kept, size_t at)
{
	__cleanup(names_free) struct names names = {};
	const json_t *text;
	size_t i;

	json_array_foreach (json_object_get(machine_at(kept, at), "address"), i, text)
		if (json_is_string(text))
			names_add(&names, json_string_value(text));
	return names_join(&names, ", ");
}

bool kept_machine_repeats(const json_t *kept, size_t at)
{
	const json_t *profiles = json_object_get(machine_at(kept, at), "profiles");

	for (size_t i = 0; i < at; i++)
		if (json_object_get(machine_at(kept, i), "profiles") == profiles)
			return true;
	return false;
}
