// SPDX-License-Identifier: GPL-2.0
/* `show`: the services that profiles would give, or those of an interface. */
#include "loader/command/show.h"

#include <errno.h>
#include <unistd.h>

#include "loader/base/invoker.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/host/attached.h"
#include "loader/object/privilege.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/site.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

static int show_live(const struct options *options)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	json_t *kept;

	if (kernel_readable("show --iface") || filter_of(options->interface, "show", &filter) ||
	    filter_kept(options->interface, &filter, &kept))
		return EXIT_FAILED;
	kept_machines_fill(kept);
	report_print(kept, options->json ? NULL : report_show_text);
	return EXIT_DONE;
}

/* If only root can read the site file, its groups are left out. */
static int read_site(const char *given, struct site *site, struct diag *diag)
{
	uid_t caller;
	int err;

	if (given)
		return site_open(given, site, diag);
	if (access(SITE_FILE, R_OK))
		return 0;
	caller = invoker_pause();
	err = site_open(NULL, site, diag);
	invoker_resume(caller);
	return err;
}

static int show_profiles(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(site_free) struct site site = {};
	__cleanup(recipe_free) struct recipe recipe = {};
	__cleanup(composition_free) struct composition composition = {};
	size_t i;
	int err;

	if (catalog_open(&options->catalog, &catalog, diag))
		return EXIT_FAILED;
	if (read_site(options->site, &site, diag))
		return EXIT_FAILED;
	groups_merge(&recipe.groups, &site.groups);
	err = options_apply(options, &recipe, diag);
	for (i = 0; i < options->arguments.count; i++)
		if (recipe_profiles(&recipe, options->arguments.name[i], diag))
			err = -EINVAL;
	if (err)
		return EXIT_FAILED;
	if (compose(&catalog, &recipe, options->strict, &composition, diag))
		return EXIT_FAILED;
	report_print(report_new("profiles", composition_json(&composition)),
		     options->json ? NULL : report_show_text);
	return EXIT_DONE;
}

/* Options that describe a filter are refused for an attached one, which is shown as it is. Options
 * about the place of profiles do not matter. */
#define SHOW_OPTIONS \
	(OPTIONS_RECIPE | OPTIONS_STRICT | OPTIONS_SITE | OPTIONS_DRY_RUN | OPTIONS_MODE)

int command_show(const struct options *options, struct diag *diag)
{
	const char *given = options_given(options, SHOW_OPTIONS);

	if (options->interface && (options->arguments.count || options->profile.count)) {
		error("show: give either profiles or --iface, not both");
		return EXIT_USAGE;
	}
	if (options->interface && given) {
		__free_text char *word = shell_word(options->interface);

		error("show: --iface shows the filter as it is, so --%s cannot be given with it; to see what an option would change: portcullis swap %s --dry-run",
		      given, word);
		return EXIT_USAGE;
	}
	if (options->interface)
		return show_live(options);
	if (!options->arguments.count && !options->profile.count) {
		error("show: name a profile; to list them: portcullis profiles");
		return EXIT_USAGE;
	}
	return show_profiles(options, diag);
}
