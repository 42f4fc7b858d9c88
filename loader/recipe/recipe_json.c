// SPDX-License-Identifier: GPL-2.0
/* Writes a recipe as JSON, and reads it. */
#include "loader/recipe/recipe_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/machines.h"

static json_t *groups_json(const struct groups *groups)
{
	json_t *object = json_object();
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->group[i];
		json_t *array = json_array();

		/* Prefixes are ASCII, so a hundred thousand of them need no check for UTF-8. */
		for (size_t j = 0; j < group->prefixes; j++) {
			prefix_format(&group->prefix[j], text);
			json_array_append_new(array, json_string_nocheck(text));
		}
		json_object_set_new(object, group->name, array);
	}
	return object;
}

json_t *recipe_dns_json(const struct groups *groups)
{
	json_t *object = NULL;
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->group[i];
		json_t *fixed;

		if (!group->dns.count)
			continue;
		fixed = json_array();
		for (size_t j = 0; j < group->fixeds; j++)
			json_array_append_new(fixed,
					      json_string(prefix_format(&group->fixed[j], text)));
		if (!object)
			object = json_object();
		json_object_set_new(
			object, group->name,
			json_pack("{s:o, s:o}", "names", names_json(&group->dns), "fixed", fixed));
	}
	return object;
}

void recipe_json_forget_answers(json_t *json)
{
	json_t *groups = json_object_get(json, "groups"), *machine, *group;
	const char *name;
	size_t i;

	json_object_foreach (json_object_get(json, "dns"), name, group)
		json_object_set(groups, name, json_object_get(group, "fixed"));
	json_array_foreach (json_object_get(json, "machines"), i, machine)
		recipe_json_forget_answers(json_object_get(machine, "recipe"));
}

/* Adds a part to the JSON; with `lean` only if it is not empty. */
static void set_part(json_t *json, const char *key, json_t *part, bool lean)
{
	if (!lean || json_array_size(part) || json_object_size(part))
		json_object_set(json, key, part);
	json_decref(part);
}

static json_t *overrides_json(const struct recipe *recipe, bool lean)
{
	json_t *opens = json_array(), *sets = json_array(), *froms = json_array();
	json_t *limits = json_array(), *json = json_object();

	for (size_t i = 0; i < recipe->opens.count; i++) {
		__free_text char *text = open_port_text(&recipe->opens.port[i]);

		json_array_append_new(opens, json_string(text));
	}
	for (size_t i = 0; i < recipe->sets; i++) {
		__free_text char *text = override_set_text(&recipe->set[i]);

		json_array_append_new(sets, json_string(text));
	}
	for (size_t i = 0; i < recipe->froms; i++) {
		__free_text char *text = override_from_text(&recipe->from[i]);

		json_array_append_new(froms, json_string(text));
	}
	for (size_t i = 0; i < recipe->limits; i++) {
		__free_text char *text = override_limit_text(&recipe->limit[i]);

		json_array_append_new(limits, json_string(text));
	}
	set_part(json, "open", opens, lean);
	set_part(json, "set", sets, lean);
	set_part(json, "from", froms, lean);
	set_part(json, "disable", names_json(&recipe->disabled), lean);
	set_part(json, "limit", limits, true);
	return json;
}

/* {"site:587-tcp": "CHG-1234"} */
static json_t *comments_json(const struct recipe *recipe)
{
	json_t *object = json_object();

	for (size_t i = 0; i < recipe->opens.count; i++) {
		const struct open_port *port = &recipe->opens.port[i];
		__free_text char *service = NULL, *name = NULL;

		if (!port->comment)
			continue;
		service = open_port_service(port);
		name = xasprintf(PROFILE_SITE ":%s", service);
		json_object_set_new(object, name, text_json(port->comment));
	}
	return object;
}

/* The words that interfaces and machines have; with `lean` without empty parts. */
static void add_words(const struct recipe *recipe, bool lean, json_t *json)
{
	json_t *dns = recipe_dns_json(&recipe->groups);

	set_part(json, "features", names_json(&recipe->features), lean);
	set_part(json, "groups", groups_json(&recipe->groups), lean);
	set_part(json, "overrides", overrides_json(recipe, lean), lean);
	set_part(json, "comments", comments_json(recipe), lean);
	set_part(json, "parked", names_json(&recipe->parked), true);
	if (dns)
		json_object_set_new(json, "dns", dns);
}

static json_t *own_json(const struct machine *machine)
{
	json_t *json = json_pack("{s:o}", "profiles", names_json(&machine->own.profiles));

	if (machine->policy_given)
		json_object_set_new(json, "policy", json_string(policy_name[machine->own.policy]));
	if (machine->outbound_given)
		json_object_set_new(json, "outbound",
				    json_string(outbound_name[machine->own.outbound]));
	add_words(&machine->own, true, json);
	return json;
}

json_t *recipe_machines_json(const struct recipe *recipe)
{
	json_t *list = json_array();
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];
		json_t *address = json_array();

		for (size_t j = 0; j < machine->addresses; j++)
			json_array_append_new(
				address, json_string(prefix_format(&machine->address[j], text)));
		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:o}", "name", machine->name, "address",
						address, "recipe", own_json(machine)));
	}
	return list;
}

json_t *recipe_without_machines_json(const struct recipe *recipe)
{
	json_t *json = json_pack(
		"{s:o, s:s, s:s, s:b, s:i}", "profiles", names_json(&recipe->profiles), "policy",
		policy_name[recipe->policy], "outbound", outbound_name[recipe->outbound], "forward",
		recipe->forward, "echo_limit", (int)recipe_echo_limit(recipe));

	add_words(recipe, false, json);
	set_part(json, "deny", names_json(&recipe->deny), true);
	set_part(json, "never_ban", names_json(&recipe->never_ban), true);
	return json;
}

json_t *recipe_json(const struct recipe *recipe)
{
	json_t *json = recipe_without_machines_json(recipe);

	if (recipe->machines)
		json_object_set_new(json, "machines", recipe_machines_json(recipe));
	return json;
}

char *machine_recipe_text(const struct machine *machine, const json_t *json)
{
	__free_text char *words = json_dumps(json_object_get(json, "recipe"), JSON_COMPACT);

	return xasprintf("%s %s %s", policy_name[machine->own.policy],
			 outbound_name[machine->own.outbound], words);
}

static const struct place json_place = {.file = "recipe kept with the filter"};
static const char json_fix[] = "detach the interface, and attach it again";

/* The string; NULL if it is no string, or has a NUL inside, which would cut it. */
static const char *word_of(const json_t *json)
{
	const char *text = json_string_value(json);

	return text && strlen(text) == json_string_length(json) ? text : NULL;
}

/* The words of a list of strings. */
static int read_words(const json_t *list, const char *key, struct names *words, struct diag *diag)
{
	const json_t *item;
	size_t i;

	if (list && !json_is_array(list)) {
		diag_error_fix(diag, &json_place, json_fix, "'%s' is not a list", key);
		return -EINVAL;
	}
	json_array_foreach (list, i, item) {
		const char *text = word_of(item);

		if (!text) {
			diag_error_fix(diag, &json_place, json_fix,
				       "item %zu of '%s' is not a word", i + 1, key);
			return -EINVAL;
		}
		names_add(words, text);
	}
	return 0;
}

static int read_list(struct recipe *recipe, const json_t *object, const char *key,
		     enum recipe_word kind, struct diag *diag)
{
	__cleanup(names_free) struct names words = {0};
	int result = read_words(json_object_get(object, key), key, &words, diag);

	for (size_t i = 0; !result && i < words.count; i++)
		result = recipe_add(recipe, kind, words.name[i], &json_place, diag);
	return result;
}

static int check_object(const json_t *json, const char *key, struct diag *diag)
{
	if (!json || json_is_object(json))
		return 0;
	diag_error_fix(diag, &json_place, json_fix, "'%s' is not an object", key);
	return -EINVAL;
}

static int read_groups(struct recipe *recipe, json_t *object, struct diag *diag)
{
	int result = check_object(object, "groups", diag);
	const char *name;
	json_t *list;

	if (result)
		return result;
	json_object_foreach (object, name, list) {
		__cleanup(names_free) struct names words = {0};

		result = read_words(list, name, &words, diag);
		if (!result)
			result = groups_define_list(&recipe->groups, name, &words, &json_place,
						    diag);
		if (result)
			break;
	}
	return result;
}

static int read_dns(struct recipe *recipe, json_t *object, struct diag *diag)
{
	int result = check_object(object, "dns", diag);
	const char *name;
	json_t *group;

	if (result)
		return result;
	json_object_foreach (object, name, group) {
		__cleanup(names_free) struct names dns = {0}, fixed = {0};

		if (read_words(json_object_get(group, "names"), "names", &dns, diag) ||
		    read_words(json_object_get(group, "fixed"), "fixed", &fixed, diag) ||
		    groups_set_dns(&recipe->groups, name, &dns, &fixed, &json_place, diag))
			return -EINVAL;
	}
	return 0;
}

/* Drops the comment of a service that does not exist. */
static int read_comments(struct recipe *recipe, json_t *object, struct diag *diag)
{
	int result = check_object(object, "comments", diag);
	const char *name;
	json_t *text;

	if (result)
		return result;
	json_object_foreach (object, name, text) {
		const char *colon = strchr(name, ':');
		struct open_port *port = colon ? opens_find(&recipe->opens, colon + 1) : NULL;

		if (!port || !word_of(text))
			continue;
		free(port->comment);
		port->comment = xstrdup(word_of(text));
	}
	return 0;
}

static int read_policy(struct recipe *recipe, const json_t *json, struct diag *diag)
{
	const char *text = word_of(json_object_get(json, "policy"));

	for (size_t i = 0; text && i < ARRAY_SIZE(policy_name); i++) {
		if (!strcmp(text, policy_name[i])) {
			recipe->policy = (enum pc_policy)i;
			return 0;
		}
	}
	diag_error_fix(diag, &json_place, json_fix, "'policy' must be enforce or observe");
	return -EINVAL;
}

/* A setting that a recipe of an older version lacks has its default. */
static int read_state(struct recipe *recipe, const json_t *json, struct diag *diag)
{
	const json_t *outbound = json_object_get(json, "outbound");
	const json_t *forward = json_object_get(json, "forward");
	const json_t *limit = json_object_get(json, "echo_limit");

	if (outbound &&
	    (!word_of(outbound) || outbound_parse(word_of(outbound), &recipe->outbound))) {
		diag_error_fix(diag, &json_place, json_fix, "'outbound' must be track or enforce");
		return -EINVAL;
	}
	if (forward && !json_is_boolean(forward)) {
		diag_error_fix(diag, &json_place, json_fix, "'forward' must be true or false");
		return -EINVAL;
	}
	recipe->forward = json_is_true(forward);
	if (!limit)
		return 0;
	if (!json_is_integer(limit) || json_integer_value(limit) < 0 ||
	    json_integer_value(limit) > PC_ECHO_LIMIT_MAX) {
		diag_error_fix(diag, &json_place, json_fix,
			       "'echo_limit' must be a number from 0 to %d", PC_ECHO_LIMIT_MAX);
		return -EINVAL;
	}
	recipe_limit_echo(recipe, (unsigned int)json_integer_value(limit));
	return 0;
}

/* Reads words and groups, which recipes of machines and interfaces both have. */
static int read_own(struct recipe *recipe, const json_t *json, struct diag *diag)
{
	const json_t *overrides = json_object_get(json, "overrides");

	if (!json_object_get(json, "profiles")) {
		diag_error_fix(diag, &json_place, json_fix, "'profiles' is missing");
		return -EINVAL;
	}
	if (check_object(overrides, "overrides", diag) || read_state(recipe, json, diag) ||
	    read_list(recipe, json, "profiles", RECIPE_PROFILE, diag) ||
	    read_list(recipe, json, "features", RECIPE_ENABLE, diag) ||
	    read_list(recipe, overrides, "open", RECIPE_OPEN, diag) ||
	    read_comments(recipe, json_object_get(json, "comments"), diag) ||
	    read_list(recipe, overrides, "set", RECIPE_SET, diag) ||
	    read_list(recipe, overrides, "from", RECIPE_FROM, diag) ||
	    read_list(recipe, overrides, "limit", RECIPE_LIMIT, diag) ||
	    read_list(recipe, overrides, "disable", RECIPE_DISABLE, diag) ||
	    read_words(json_object_get(json, "parked"), "parked", &recipe->parked, diag))
		return -EINVAL;
	return read_groups(recipe, json_object_get(json, "groups"), diag) ||
			       read_dns(recipe, json_object_get(json, "dns"), diag) ?
		       -EINVAL :
		       0;
}

static int read_machine(struct recipe *recipe, const json_t *json, struct diag *diag)
{
	const json_t *own = json_object_get(json, "recipe");
	__cleanup(names_free) struct names address = {0};
	const char *name = word_of(json_object_get(json, "name"));
	__free_text char *list = NULL, *word = NULL;
	struct machine *machine;

	if (!name || machines_find(recipe, name) || !json_is_object(own)) {
		diag_error_fix(
			diag, &json_place, json_fix,
			"a machine of 'machines' has no name or no recipe, or is there twice");
		return -EINVAL;
	}
	if (read_words(json_object_get(json, "address"), "address", &address, diag))
		return -EINVAL;
	list = names_join(&address, ",");
	word = xasprintf("%s=%s", name, list);
	machine = machines_word(recipe, word, &json_place, diag);
	if (!machine)
		return -EINVAL;
	machine->policy_given = json_object_get(own, "policy");
	machine->outbound_given = json_object_get(own, "outbound");
	if (machine->policy_given && read_policy(&machine->own, own, diag))
		return -EINVAL;
	return read_own(&machine->own, own, diag);
}

static int read_machines(struct recipe *recipe, const json_t *list, struct diag *diag)
{
	const json_t *item;
	size_t i;

	if (list && !json_is_array(list)) {
		diag_error_fix(diag, &json_place, json_fix, "'machines' is not a list");
		return -EINVAL;
	}
	json_array_foreach (list, i, item)
		if (read_machine(recipe, item, diag))
			return -EINVAL;
	machines_inherit(recipe);
	return 0;
}

static int read_recipe(struct recipe *recipe, const json_t *json, struct diag *diag)
{
	if (read_own(recipe, json, diag) || read_policy(recipe, json, diag) ||
	    read_words(json_object_get(json, "deny"), "deny", &recipe->deny, diag) ||
	    read_words(json_object_get(json, "never_ban"), "never_ban", &recipe->never_ban, diag))
		return -EINVAL;
	return read_machines(recipe, json_object_get(json, "machines"), diag);
}

int recipe_from_json(struct recipe *recipe, const json_t *json, struct diag *diag)
{
	__cleanup(recipe_free) struct recipe read = {0};
	int result = read_recipe(&read, json, diag);

	if (!result) {
		*recipe = read;
		read = (struct recipe){0};
	}
	return result;
}
