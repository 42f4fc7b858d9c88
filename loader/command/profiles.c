// SPDX-License-Identifier: GPL-2.0
/* `profiles`: lists the catalog. */
#include "loader/command/profiles.h"

#include <jansson.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/catalog.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

static json_t *profile_json(const struct profile *profile)
{
	return json_pack("{s:o, s:o, s:o, s:s?, s:o, s:o}", "name", text_json(profile->name),
			 "title", text_json(profile->title), "document",
			 text_json(profile->document), "outbound",
			 profile_outbound_name[profile->outbound], "path", text_json(profile->path),
			 "shadows", text_json(profile->shadows));
}

/* Profiles that cannot be read are reported, and the others listed. */
int command_profiles(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	struct names names = {};
	json_t *profiles, *report;
	size_t i;

	if (options->arguments.count) {
		error("profiles: takes no argument; to see a profile: portcullis show %s",
		      options->arguments.name[0]);
		return EXIT_USAGE;
	}
	if (catalog_open(&options->catalog, &catalog, diag) ||
	    catalog_names(&catalog, &names, diag))
		return EXIT_FAILED;
	profiles = json_array();
	for (i = 0; i < names.count; i++) {
		const struct profile *profile = catalog_find(&catalog, names.name[i], diag);

		if (profile)
			json_array_append_new(profiles, profile_json(profile));
	}
	names_free(&names);
	report = report_new("profiles", profiles);
	report_print(report, options->json ? NULL : report_profiles_text);
	return diag->errors ? EXIT_FAILED : EXIT_DONE;
}
