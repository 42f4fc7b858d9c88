// SPDX-License-Identifier: GPL-2.0
/* Finds the outgoing and forwarded traffic that a recipe's settings cut off, or let out, for its
 * profiles. */
#include "loader/recipe/sends.h"

#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/compose_json.h"

static bool is_enforced(const json_t *recipe)
{
	const char *outbound = json_string_value(json_object_get(recipe, "outbound"));

	return outbound && !strcmp(outbound, outbound_name[PC_OUTBOUND_ENFORCE]);
}

static bool has_open(const json_t *profile, bool out)
{
	const json_t *service;
	size_t i;

	json_array_foreach (json_object_get(profile, "services"), i, service)
		if (service_open(service, out))
			return true;
	return false;
}

static bool says(const json_t *profile, enum profile_outbound outbound)
{
	const char *text = json_string_value(json_object_get(profile, "outbound"));

	return text && !strcmp(text, profile_outbound_name[outbound]);
}

bool composition_sends_any(const struct composition *composition)
{
	for (size_t i = 0; i < composition->profiles; i++) {
		if (composition->profile[i]->outbound == PROFILE_OUTBOUND_ANY)
			return true;
	}
	return false;
}

void sends_any(const json_t *recipe, const json_t *profiles, struct names *any)
{
	const json_t *profile;
	size_t i;

	if (!is_enforced(recipe))
		return;
	json_array_foreach (profiles, i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		if (name && says(profile, PROFILE_OUTBOUND_ANY))
			names_add(any, name);
	}
}

char *sends_any_text(const json_t *recipe, const json_t *profiles)
{
	__cleanup(names_free) struct names any = {0};

	sends_any(recipe, profiles, &any);
	return any.count ? names_join(&any, ", ") : NULL;
}

char *sends_nothing(const json_t *recipe, const json_t *profiles)
{
	__cleanup(names_free) struct names silent = {0};
	__free_text char *any = sends_any_text(recipe, profiles);
	__free_text char *list = NULL;
	const json_t *profile;
	bool sends = false;
	size_t i;

	if (any || !is_enforced(recipe))
		return NULL;
	json_array_foreach (profiles, i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		if (has_open(profile, true))
			sends = true;
		else if (name && has_open(profile, false) && !says(profile, PROFILE_OUTBOUND_NONE))
			names_add(&silent, name);
	}
	list = names_join(&silent, ", ");
	if (!sends)
		return xstrdup(
			"outbound enforce: no profile lists an open outgoing port, so this host can connect to nothing");
	if (!silent.count)
		return NULL;
	return xasprintf(
		"outbound enforce: %s list%s no open outgoing port, so every connection that %s begin%s is dropped",
		list, silent.count == 1 ? "s" : "", silent.count == 1 ? "it" : "they",
		silent.count == 1 ? "s" : "");
}

char *composition_sends_nothing(const struct composition *composition)
{
	json_t *recipe, *profiles;
	char *text;

	if (composition->recipe->outbound != PC_OUTBOUND_ENFORCE)
		return NULL;
	recipe = json_pack("{s:s}", "outbound", outbound_name[PC_OUTBOUND_ENFORCE]);
	profiles = composition_json(composition);
	text = sends_nothing(recipe, profiles);
	json_decref(profiles);
	json_decref(recipe);
	return text;
}

char *composition_needs_forward(const struct composition *composition)
{
	__cleanup(names_free) struct names names = {};
	__free_text char *list = NULL;

	if (composition->recipe->forward)
		return NULL;
	for (size_t i = 0; i < composition->profiles; i++)
		if (composition->profile[i]->containers)
			names_add(&names, composition->profile[i]->name);
	if (!names.count)
		return NULL;
	list = names_join(&names, ", ");
	return xasprintf(
		"%s: run%s in containers, whose connections this host forwards: without forward the replies to them are dropped",
		list, names.count > 1 ? "" : "s");
}
