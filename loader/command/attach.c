// SPDX-License-Identifier: GPL-2.0
/* `attach`: compiles profiles and attaches them to interfaces, all of them or none. */
#include "loader/command/attach.h"

#include <errno.h>
#include <stdlib.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/command/dns_words.h"
#include "loader/command/machine_words.h"
#include "loader/filter/settle.h"
#include "loader/guard/management.h"
#include "loader/host/change.h"
#include "loader/host/dns_renew.h"
#include "loader/host/machine_addresses.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"

/* Checks that every interface exists and is free, before anything is made. */
static int find_targets(const struct changes *changes)
{
	struct change *change = changes->change;
	size_t i, j;
	int err;

	for (i = 0; i < changes->count; i++) {
		err = change_find_free(changes->hooks, &change[i]);
		if (err)
			return err;
		for (j = 0; j < i; j++)
			if (change[j].hook.ifindex == change[i].hook.ifindex) {
				error("%s: is the same interface as %s; name it once",
				      change[i].name, change[j].hook.name);
				return -EINVAL;
			}
	}
	return 0;
}

static int attach(const struct options *options, const struct site *site, struct hooks *hooks,
		  const struct plan *plan, struct catalog *catalog)
{
	__cleanup(change_log_free) struct change_log log = {.comment = options->comment};
	struct changes changes = {
		.command = &guard_attach,
		.done = "attached",
		.management = site->management_given ? &site->management : NULL,
		.force = options->force,
		.dry_run = options->dry_run,
		.answer = options->answer,
		.log = &log,
		.hooks = hooks,
		.change = xcalloc(options->arguments.count, sizeof(struct change)),
		.count = options->arguments.count,
	};
	size_t i;
	int err;

	for (i = 0; i < changes.count; i++)
		changes.change[i] = (struct change){
			.kind = CHANGE_ATTACH,
			.name = options->arguments.name[i],
			.filter = FILTER_NONE,
			.plan = plan,
			.catalog = catalog,
			.mode = options->mode,
			.flows = options->flows,
			.confirm = options->confirm,
		};
	err = find_targets(&changes);
	if (!err)
		err = changes_run(&changes);
	for (i = 0; i < changes.count; i++)
		filter_close(&changes.change[i].filter);
	free(changes.change);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* One recipe serves all interfaces, so groups that one interface has of its own would apply to the
 * others. */
static int merge_groups(const struct site *site, const struct names *interfaces,
			struct recipe *recipe)
{
	size_t i;

	for (i = 0; i < interfaces->count && interfaces->count > 1; i++)
		if (site_has_own_groups(site, interfaces->name[i])) {
			error("attach: %s has groups of its own in %s; attach it by itself",
			      interfaces->name[i], site->path);
			return -EINVAL;
		}
	site_merge_groups(site, interfaces->name[0], recipe);
	site_deny(site, recipe);
	return 0;
}

static int check_sides(const struct options *options, const struct recipe *recipe,
		       struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < options->arguments.count && !err; i++)
		err = machine_addresses_check_side(recipe, NULL, options->arguments.name[i], NULL,
						   options->force, diag);
	return err;
}

int command_attach(const struct options *options, struct diag *diag)
{
	__cleanup(catalog_close) struct catalog catalog = {};
	__cleanup(site_free) struct site site = {};
	__cleanup(recipe_free) struct recipe recipe = {};
	__cleanup(plan_free) struct plan plan = {};
	__cleanup(hooks_free) struct hooks hooks = {};
	__close_fd int lock = -1;

	if (!options->arguments.count || !options->profile.count) {
		error("attach: %s is missing: portcullis attach IFACE... -p PROFILE[,PROFILE]%s",
		      !options->arguments.count ? "the interface" :
		      options->machines ? "the interface's own -p PROFILE, before --machine," :
					  "-p PROFILE",
		      options->machines ? " --machine NAME=PREFIX -p PROFILE" : "");
		return EXIT_USAGE;
	}
	if (names_twice(&options->arguments)) {
		error("attach: %s: named twice", names_twice(&options->arguments));
		return EXIT_USAGE;
	}
	if (catalog_open(&options->catalog, &catalog, diag) ||
	    dns_site_open(options->site, &site, diag))
		return EXIT_FAILED;
	dns_words_learn(options);
	if (merge_groups(&site, &options->arguments, &recipe) ||
	    options_apply(options, &recipe, diag) ||
	    machine_words_apply(options, &site, options->arguments.name[0], true, &recipe, &catalog,
				diag) ||
	    machine_addresses_check(&recipe, NULL, false, diag) ||
	    check_sides(options, &recipe, diag) ||
	    plan_make(&catalog, &options->catalog, &recipe, options->strict, &plan, diag))
		return EXIT_FAILED;
	diag_report(diag);
	management_warn_open(NULL, &plan);
	plan_features(&plan, NULL, stderr);
	if (options->dry_run ? hooks_read(&hooks) :
			       kernel_privileged("attach") || pins_ready(true) < 0 ||
				       pins_lock(&lock) || hooks_collect(&hooks))
		return EXIT_FAILED;
	return attach(options, &site, &hooks, &plan, &catalog);
}
