// SPDX-License-Identifier: GPL-2.0
/* `profiles`: lists the catalog, or what is found in it. */
#include "loader/command/profiles.h"

#include <jansson.h>

#include "loader/base/clock.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/catalog.h"
#include "loader/catalog/search.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define DAY (24 * 60 * 60 * 1000000000ULL)

/* Days since the date of the list; null: it has no date, or a future one. */
static json_t *age_json(const struct profile *profile)
{
	int day, today = (int)(clock_wall() / DAY);

	return profile_list_day(profile, &day) && day <= today ? json_integer(today - day) :
								 json_null();
}

/* `services`: those that the search found; null without search words. */
static json_t *profile_json(const struct profile *profile, json_t *services)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s?, s:o, s:o, s:o}", "name",
			 text_json(profile->name), "title", text_json(profile->title), "document",
			 text_json(profile->document), "release", text_json(profile->release),
			 "as_of", text_json(profile->as_of), "age_days", age_json(profile), "url",
			 text_json(profile->url), "second_hand", profile->second_hand, "outbound",
			 profile_outbound_name[profile->outbound], "path", text_json(profile->path),
			 "shadows", text_json(profile->shadows), "services", services);
}

/* Profiles that cannot be read are reported, and the others are searched. */
static json_t *find_profiles(struct catalog *catalog, const struct names *names,
			     const struct search *search, struct diag *diag)
{
	json_t *found = json_array();

	for (size_t i = 0; i < names->count; i++) {
		const struct profile *profile = catalog_find(catalog, names->name[i], diag);
		__cleanup(names_free) struct names services = {};

		if (profile && search_finds(search, profile, &services))
			json_array_append_new(
				found, profile_json(profile, search->words ? names_json(&services) :
									     json_null()));
	}
	return found;
}

int command_profiles(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(search_free) struct search search = {};
	__cleanup(names_free) struct names names = {};
	__free_text char *why = NULL;
	json_t *found;
	bool none;

	if (search_parse(&options->arguments, &search, &why)) {
		error("profiles: %s", why);
		return EXIT_USAGE;
	}
	if (catalog_open(&options->catalog, &catalog, diag) ||
	    catalog_names(&catalog, &names, diag))
		return EXIT_FAILED;
	found = find_profiles(&catalog, &names, &search, diag);
	none = search.words && !json_array_size(found);
	if (none) {
		__free_text char *words = names_join(&options->arguments, " ");

		error("profiles: no profile has '%s'; all of them: portcullis profiles", words);
	}
	if (none && !options->json)
		json_decref(found);
	else
		report_print(report_new("profiles", found),
			     options->json ? NULL : report_profiles_text);
	return none || diag->errors ? EXIT_FAILED : EXIT_DONE;
}
