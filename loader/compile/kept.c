// SPDX-License-Identifier: GPL-2.0
/* Reads the text that is kept with a generation, and finds the groups that admit an address. */
#include "loader/compile/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/trust.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/kept_machines.h"

int kept_folders(const char *interface, const json_t *kept, struct names *folders)
{
	const json_t *folder;
	size_t i;

	json_array_foreach (json_object_get(kept, "catalog"), i, folder) {
		const char *path = json_string_value(folder);
		__free_text char *why = NULL, *fix = NULL;
		int err = path ? file_trusted(path, &why, &fix) : 0;

		if (err) {
			error_fix(
				fix ?: "give --fresh, or attach anew",
				"%s: some of its profiles were read from %s, which cannot be used any more: %s",
				interface, path, why ?: strerror(-err));
			return -EPERM;
		}
		if (path)
			names_add_once(folders, path);
	}
	return 0;
}

int kept_parse(const char *interface, const char *text, json_t **kept)
{
	json_error_t where;
	json_t *read = json_loads(text, 0, &where);

	if (read && json_is_object(json_object_get(read, "recipe")) &&
	    json_is_array(json_object_get(read, "profiles")) && kept_expand(read)) {
		*kept = read;
		return 0;
	}
	error("%s: the recipe kept with the filter is damaged: %s; detach and attach again",
	      interface, read ? "a part is missing" : where.text);
	json_decref(read);
	return -EINVAL;
}

char *kept_text(const json_t *kept)
{
	json_t *contracted = kept_contract(kept);
	char *text = json_dumps(contracted, JSON_COMPACT);

	json_decref(contracted);
	return text;
}

bool kept_same_profile(const json_t *a, const json_t *b)
{
	json_t *one = json_copy((json_t *)a), *other = json_copy((json_t *)b);
	bool same;

	json_object_del(one, "path");
	json_object_del(other, "path");
	same = json_equal(one, other);
	json_decref(one);
	json_decref(other);
	return same;
}

static bool same_profiles(const json_t *a, const json_t *b)
{
	const json_t *first = json_object_get(a, "profiles"),
		     *second = json_object_get(b, "profiles");
	const json_t *profile;
	size_t i;

	if (json_array_size(first) != json_array_size(second))
		return false;
	json_array_foreach (first, i, profile)
		if (!kept_same_profile(profile, json_array_get(second, i)))
			return false;
	return true;
}

bool kept_same(const json_t *a, const json_t *b)
{
	const json_t *other = json_object_get(b, "machines"), *machine;
	size_t i;

	if (!json_equal(json_object_get(a, "recipe"), json_object_get(b, "recipe")) ||
	    !same_profiles(a, b))
		return false;
	/* Machines with equal words have equal profiles, so compare the first of them only. */
	json_array_foreach (json_object_get(a, "machines"), i, machine)
		if (!kept_machine_repeats(a, i) &&
		    !same_profiles(machine, json_array_get(other, i)))
			return false;
	return true;
}

static json_t *without_answers(const json_t *kept)
{
	json_t *copy = json_deep_copy(kept);

	recipe_json_forget_answers(json_object_get(copy, "recipe"));
	return copy;
}

bool kept_same_words(const json_t *a, const json_t *b)
{
	json_t *one, *other;
	bool same = kept_same(a, b);

	if (same)
		return true;
	one = without_answers(a);
	other = without_answers(b);
	same = kept_same(one, other);
	json_decref(one);
	json_decref(other);
	return same;
}

/* --- groups that admit an address --- */

static bool group_has(const json_t *list, __u8 family, const __u8 *address)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text) {
		__free_text char *why = NULL;
		struct prefix prefix;

		if (json_is_string(text) && !prefix_parse(json_string_value(text), &prefix, &why) &&
		    prefix.length && prefix_contains(&prefix, family, address))
			return true;
	}
	return false;
}

static bool has_port(const json_t *service, enum pc_transport transport, __u16 port)
{
	__cleanup(ports_free) struct ports ports = {};

	service_ports(service, &ports);
	return ports_have(&ports, transport, port);
}

static bool service_admits(const json_t *kept, const json_t *service, __u8 family,
			   const __u8 *address)
{
	const json_t *groups = json_object_get(json_object_get(kept, "recipe"), "groups"), *name;
	size_t i;

	json_array_foreach (json_object_get(service, "from"), i, name)
		if (json_is_string(name) &&
		    group_has(json_object_get(groups, json_string_value(name)), family, address))
			return true;
	return false;
}

bool kept_group_admits(const json_t *kept, enum pc_transport transport, __u16 port, __u8 family,
		       const __u8 *address)
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (service_open(service, false) && has_port(service, transport, port) &&
			    service_admits(kept, service, family, address))
				return true;
	return false;
}
