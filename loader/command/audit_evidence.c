// SPDX-License-Identifier: GPL-2.0
/* The evidence of `audit --report` for an interface. */
#include "loader/command/audit_evidence.h"

#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/filter/change_log.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/text.h"

static json_t *text_or_null(const char *text)
{
	return *text ? text_json(text) : json_null();
}

/* --- open ports --- */

static json_t *open_json(const json_t *profile, const json_t *service)
{
	json_t *url = json_object_get(profile, "url");

	return json_pack(
		"{s:o, s:O, s:O, s:O?, s:O?, s:O?, s:O?}", "service",
		json_sprintf("%s:%s", text_of(profile, "name"), text_of(service, "name")), "ports",
		json_object_get(service, "ports"), "from", json_object_get(service, "from"),
		"product", json_object_get(profile, "title"), "release",
		json_object_get(profile, "release"), "as_of", json_object_get(profile, "as_of"),
		"url", json_is_string(url) ? url : json_object_get(profile, "document"));
}

static json_t *open_list(const json_t *kept)
{
	const json_t *profile, *service;
	json_t *list = json_array();
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (json_is_true(json_object_get(service, "open")) &&
			    strcmp(text_of(service, "direction"), "out") != 0)
				json_array_append_new(list, open_json(profile, service));
	return list;
}

/* --- exceptions --- */

/* A word of a recipe that changes what the profiles say. */
struct exception {
	/* the machine whose recipe has the word; NULL: the interface's recipe */
	const char *machine;
	const char *list, *word; /* "open", "587/tcp=mgmt" */
};

static const json_t *recipe_of(const json_t *kept, const char *machine)
{
	const json_t *recipe = json_object_get(kept, "recipe"), *one;
	size_t i;

	if (!machine)
		return recipe;
	json_array_foreach (json_object_get(recipe, "machines"), i, one)
		if (!strcmp(text_of(one, "name"), machine))
			return json_object_get(one, "recipe");
	return NULL;
}

static const json_t *words_of(const json_t *kept, const char *machine, const char *list)
{
	const json_t *recipe = recipe_of(kept, machine);

	return !strcmp(list, "enable") ?
		       json_object_get(recipe, "features") :
		       json_object_get(json_object_get(recipe, "overrides"), list);
}

/* The change that added the word, which the filter has had since then; NULL: unknown. */
static const json_t *change_of(const struct history_lines *lines, const char *name,
			       const struct exception *exception)
{
	__free_text char *network = change_log_network();
	const struct history_interface of = {network, name};
	const json_t *found = NULL;
	size_t i;

	for (i = json_array_size(lines->changes); i-- > 0;) {
		const json_t *change = json_array_get(lines->changes, i);
		unsigned long long number =
			(unsigned long long)json_integer_value(json_object_get(change, "number"));
		struct history_state state = history_state(lines, &of, number);

		if (!state.kept ||
		    !json_list_has(words_of(state.kept, exception->machine, exception->list),
				   exception->word))
			break;
		found = change;
	}
	return found;
}

static const char *confirmed_by(const json_t *change)
{
	return json_is_true(json_object_get(change, "confirmed")) ?
		       text_of(json_object_get(change, "settled"), "by") :
		       "";
}

/* The comment on a port of --open is in the recipe; otherwise that of the change counts. */
static const char *comment_of(const json_t *kept, const struct exception *exception,
			      const json_t *change)
{
	const json_t *comments = json_object_get(recipe_of(kept, exception->machine), "comments");
	const json_t *comment;
	const char *service;

	json_object_foreach ((json_t *)comments, service, comment) {
		const char *port = strchr(service, ':');
		size_t length = strcspn(exception->word, "=");
		__free_text char *word = xstrndup(exception->word, length);

		for (char *slash = word; *slash; slash++)
			if (*slash == '/')
				*slash = '-';
		if (port && !strcmp(exception->list, "open") && !strcmp(port + 1, word))
			return json_string_value(comment);
	}
	return text_of(change, "comment");
}

static json_t *exception_json(const json_t *kept, const char *name,
			      const struct exception *exception, const struct history_lines *lines)
{
	json_t *change = (json_t *)change_of(lines, name, exception);
	json_t *shown = change ? history_change_json(change) : NULL;
	json_t *number = json_object_get(change, "number");
	json_t *json = json_pack("{s:o, s:o, s:O?, s:o, s:o, s:o}", "text",
				 json_sprintf("%s %s", exception->list, exception->word), "comment",
				 text_or_null(comment_of(kept, exception, change)), "change",
				 number, "since", text_or_null(text_of(shown, "time")), "by",
				 text_or_null(text_of(change, "by")), "confirmed_by",
				 text_or_null(confirmed_by(change)));

	json_decref(shown);
	return json;
}

static json_t *exception_list(const json_t *kept, const char *name, const char *machine,
			      const struct history_lines *lines)
{
	static const char *const lists[] = {"open", "enable", "disable", "set", "from", "limit"};
	json_t *list = json_array();
	const json_t *word;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		json_array_foreach (words_of(kept, machine, lists[i]), j, word) {
			const struct exception exception = {machine, lists[i],
							    json_string_value(word)};

			json_array_append_new(list, exception_json(kept, name, &exception, lines));
		}
	return list;
}

/* `own`: the kept text of the interface, or of the machine of that name. */
static void tell(json_t *json, const json_t *own, const json_t *kept, const char *name,
		 const char *machine, const struct history_lines *lines)
{
	json_t *groups = json_object_get(json_object_get(own, "recipe"), "groups");

	json_object_set_new(json, "open", open_list(own));
	json_object_set_new(json, "groups", groups ? json_incref(groups) : json_object());
	json_object_set_new(json, "exceptions", exception_list(kept, name, machine, lines));
}

void audit_evidence(json_t *interface, const char *name, const json_t *kept,
		    const struct history_lines *lines)
{
	json_t *machines = json_array();

	tell(interface, kept, kept, name, NULL, lines);
	for (size_t i = 0; i < kept_machines(kept); i++) {
		const char *machine = kept_machine_name(kept, i);
		__free_text char *address = kept_machine_address(kept, i);
		json_t *own = kept_machine(kept, i);
		json_t *json = json_pack("{s:s, s:s}", "name", machine, "address", address);

		tell(json, own, kept, name, machine, lines);
		json_array_append_new(machines, json);
		json_decref(own);
	}
	json_object_set_new(interface, "machines", machines);
}
