// SPDX-License-Identifier: GPL-2.0
/* The options with which `attach` would make an attached filter again. */
#include "loader/doctor/attach_words.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/shell.h"
#include "loader/host/attached.h"
#include "loader/report/json_forms.h"

static void add_list(struct names *words, const char *option, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		__free_text char *word = shell_word(json_string_value(one));
		__free_text char *both = xasprintf("%s %s", option, word);

		names_add(words, both);
	}
}

static void add_groups(struct names *words, json_t *groups)
{
	const char *name;
	json_t *prefixes;

	json_object_foreach (groups, name, prefixes) {
		__free_text char *list = report_joined(prefixes, ",");
		/* A group without members, which only a site file can define. */
		__free_text char *both = xasprintf("--group %s=%s", name, *list ? list : "PREFIX");

		names_add(words, both);
	}
}

static void add_settings(struct names *words, const json_t *recipe)
{
	const char *policy = json_string_value(json_object_get(recipe, "policy"));
	const char *outbound = json_string_value(json_object_get(recipe, "outbound"));
	const json_t *limit = json_object_get(recipe, "echo_limit");

	if (policy && !strcmp(policy, "observe"))
		names_add(words, "--observe");
	if (outbound && !strcmp(outbound, outbound_name[PC_OUTBOUND_ENFORCE]))
		names_add(words, "--outbound enforce");
	if (json_is_true(json_object_get(recipe, "forward")))
		names_add(words, "--forward");
	if (json_is_integer(limit) && json_integer_value(limit) != ECHO_LIMIT_DEFAULT) {
		__free_text char *word =
			xasprintf("--echo-limit %lld", (long long)json_integer_value(limit));
		names_add(words, word);
	}
}

char *doctor_words(const json_t *kept)
{
	const json_t *recipe = json_object_get(kept, "recipe");
	const json_t *overrides = json_object_get(recipe, "overrides");
	__free_text char *profiles = NULL;
	__free_text char *rest = NULL;
	struct names words = {};

	if (!recipe)
		return xstrdup(" -p PROFILE");
	profiles = report_joined(json_object_get(recipe, "profiles"), ",");
	add_list(&words, "--open", json_object_get(overrides, "open"));
	add_list(&words, "--enable", json_object_get(recipe, "features"));
	add_list(&words, "--disable", json_object_get(overrides, "disable"));
	add_list(&words, "--set", json_object_get(overrides, "set"));
	add_list(&words, "--from", json_object_get(overrides, "from"));
	add_list(&words, "--limit", json_object_get(overrides, "limit"));
	add_groups(&words, json_object_get(recipe, "groups"));
	add_settings(&words, recipe);
	add_list(&words, "--catalog", json_object_get(kept, "catalog"));
	rest = names_join(&words, " ");
	names_free(&words);
	return xasprintf(" -p %s%s%s", profiles, rest[0] ? " " : "", rest);
}

char *doctor_recipe(const struct patient *patient)
{
	struct filter before = patient->filter; /* shares its descriptors, so do not close it */
	json_t *kept = NULL;
	char *words;

	if (!patient->open || !before.current.copy->stand_in)
		return doctor_words(patient->kept);
	before.current = before.reverted;
	if (!before.current.copy || filter_kept(patient->hook.name, &before, &kept)) {
		/* The recipe is lost, except for the policy, which the stand-in has, too. */
		kept = json_deep_copy(patient->kept);
		json_object_del(json_object_get(kept, "recipe"), "policy");
	}
	words = doctor_words(kept);
	json_decref(kept);
	return words;
}
