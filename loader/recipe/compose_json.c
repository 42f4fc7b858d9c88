// SPDX-License-Identifier: GPL-2.0
/* Writes a composition as JSON, for `show` and the plans of other commands. */
#include "loader/recipe/compose_json.h"

#include <string.h>
#include <netdb.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/compose.h"

static json_t *ports_json(const struct ports *ports)
{
	__cleanup(names_free) struct names items = {0};

	ports_strings(ports, &items);
	return names_json(&items);
}

static json_t *configured_json(const struct configured_in *where)
{
	if (where->registry)
		return json_pack("{s:o, s:o}", "registry", text_json(where->registry), "value",
				 text_json(where->value));
	if (where->file)
		return json_pack("{s:o, s:o}", "file", text_json(where->file),
				 where->xpath ? "xpath" :
				 where->key   ? "key" :
						"regex",
				 text_json(where->xpath ? where->xpath :
					   where->key	? where->key :
							  where->regex));
	return text_json(where->text);
}

static json_t *limit_json(const struct limit *limit)
{
	__free_text char *text = limit ? limit_text(limit) : NULL;

	return text ? json_string(text) : json_null();
}

static json_t *service_json(const struct composed *composed)
{
	static const char *const direction[] = {
		[DIRECTION_IN] = "in", [DIRECTION_OUT] = "out", [DIRECTION_BOTH] = "both"};
	const struct service *service = composed->service;
	json_t *json = json_object();

	json_object_set_new(json, "name", text_json(service->name));
	json_object_set_new(json, "title", text_json(service->title));
	json_object_set_new(json, "direction", json_string(direction[composed->direction]));
	json_object_set_new(json, "ports", ports_json(&composed->ports));
	json_object_set_new(json, "from", names_json(&composed->from));
	json_object_set_new(json, "to", names_json(&composed->to));
	json_object_set_new(json, "feature", text_json(service->feature));
	json_object_set_new(json, "from_ports", ports_json(&composed->from_port));
	json_object_set_new(json, "limit", limit_json(composed->limit));
	json_object_set_new(json, "open", json_boolean(composed->why == WHY_OPEN));
	json_object_set_new(json, "why_closed", text_json(why_closed_name[composed->why]));
	json_object_set_new(json, "fixed", json_boolean(service->fixed));
	json_object_set_new(json, "local", json_boolean(service->local));
	json_object_set_new(json, "dynamic", json_boolean(service->dynamic));
	json_object_set_new(json, "configured_in", configured_json(&service->configured_in));
	json_object_set_new(json, "note", text_json(service->note));
	return json;
}

/* Protocols by the names of the system's protocols database, without a name by number, as text. */
static json_t *protocols_json(const struct profile *profile)
{
	json_t *list = json_array();

	for (int i = 0; i < 256; i++) {
		const struct protoent *known = profile->protocol[i] ? getprotobynumber(i) : NULL;

		if (profile->protocol[i])
			json_array_append_new(list, known ? text_json(known->p_name) :
							    json_sprintf("%d", i));
	}
	return list;
}

json_t *composition_json(const struct composition *composition)
{
	json_t *profiles = json_array();

	for (size_t i = 0; i < composition->profiles; i++) {
		const struct profile *profile = composition->profile[i];
		json_t *services = json_array();

		for (size_t j = 0; j < composition->services; j++) {
			if (composition->service[j].profile == profile)
				json_array_append_new(services,
						      service_json(&composition->service[j]));
		}
		json_array_append_new(
			profiles,
			json_pack(
				"{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:s?, s:o, s:o}",
				"name", text_json(profile->name), "title",
				text_json(profile->title), "document", text_json(profile->document),
				"release", text_json(profile->release), "as_of",
				text_json(profile->as_of), "url", text_json(profile->url),
				"second_hand", profile->second_hand, "path",
				text_json(profile->path), "included",
				profile != composition->site &&
					!names_have(&composition->recipe->profiles, profile->name),
				"outbound", profile_outbound_name[profile->outbound], "protocols",
				protocols_json(profile), "services", services));
	}
	return profiles;
}

/* --- without what is empty --- */

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || json_is_false(value) ||
	       (json_is_array(value) && !json_array_size(value));
}

static json_t *without_empty(const json_t *object)
{
	json_t *copy = json_object(), *value;
	const char *key;

	json_object_foreach ((json_t *)object, key, value)
		if (!is_empty(value))
			json_object_set_nocheck(copy, key, value);
	return copy;
}

json_t *profiles_contract(const json_t *profiles)
{
	json_t *list = json_array(), *profile, *service;
	size_t i, j;

	json_array_foreach (profiles, i, profile) {
		json_t *copy = without_empty(profile), *services = json_array();

		json_array_foreach (json_object_get(profile, "services"), j, service)
			json_array_append_new(services, without_empty(service));
		if (json_array_size(services))
			json_object_set(copy, "services", services);
		json_decref(services);
		json_array_append_new(list, copy);
	}
	return list;
}

void profiles_expand(json_t *profiles)
{
	json_t *empty =
		json_pack("{s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:b, s:[], s:[]}", "title",
			  "document", "release", "as_of", "url", "path", "outbound", "second_hand",
			  0, "included", 0, "protocols", "services");
	json_t *empty_service = json_pack(
		"{s:n, s:[], s:[], s:[], s:n, s:[], s:n, s:b, s:n, s:b, s:b, s:b, s:n, s:n}",
		"title", "ports", "from", "to", "feature", "from_ports", "limit", "open", 0,
		"why_closed", "fixed", 0, "local", 0, "dynamic", 0, "configured_in", "note");
	json_t *profile, *service;
	size_t i, j;

	json_array_foreach (profiles, i, profile) {
		if (json_object_get(profile, "like"))
			continue;
		json_object_update_missing(profile, empty);
		json_array_foreach (json_object_get(profile, "services"), j, service)
			json_object_update_missing(service, empty_service);
	}
	json_decref(empty);
	json_decref(empty_service);
}

/* --- services of a kept text --- */

bool service_open(const json_t *service, bool out)
{
	const char *direction = json_string_value(json_object_get(service, "direction"));

	return json_is_true(json_object_get(service, "open")) && direction &&
	       strcmp(direction, out ? "in" : "out");
}

void service_ports(const json_t *service, struct ports *ports)
{
	const json_t *text;
	size_t i;

	json_array_foreach (json_object_get(service, "ports"), i, text) {
		__free_text char *why = NULL;

		if (json_is_string(text))
			ports_parse(json_string_value(text), ports, &why);
	}
}
