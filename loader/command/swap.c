// SPDX-License-Identifier: GPL-2.0
/* `swap`: replaces the generation of interfaces, starting from the recipe of each. */
#include "loader/command/swap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/compile/kept.h"
#include "loader/filter/confirm.h"
#include "loader/filter/settle.h"
#include "loader/host/attached.h"
#include "loader/host/change.h"
#include "loader/host/takeover.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/prune.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site.h"

/* One interface: its kept recipe, and the plan of its next generation. */
struct target {
	const char *name;
	json_t *kept;	      /* recipe and services of the active generation */
	struct names folders; /* of --catalog: those given now, then those of its last command */
	struct catalog catalog;
	struct recipe recipe;
	struct plan plan;
};

/* Reads the recipe that is live; with --fresh only its profiles and policy. */
static int recipe_to_start_from(const struct target *target, bool fresh, struct recipe *recipe,
				struct diag *diag)
{
	__cleanup(recipe_free) struct recipe live = {};
	int err = recipe_from_json(&live, json_object_get(target->kept, "recipe"), diag);

	if (err)
		return err;
	if (fresh) {
		*recipe = (struct recipe){.policy = live.policy};
		names_copy(&recipe->profiles, &live.profiles);
	} else {
		*recipe = live;
		live = (struct recipe){};
	}
	return 0;
}

/* Tells which words have no effect any more, and which have an effect again. */
static void say_parked(const char *interface, const struct names *before, const struct names *now)
{
	size_t i;

	for (i = 0; i < now->count; i++)
		if (!names_have(before, now->name[i]))
			warning("%s: %s is ignored: the new profiles have no such feature or service; it comes back with a profile that has it",
				interface, now->name[i]);
	for (i = 0; i < before->count; i++)
		if (!names_have(now, before->name[i]))
			say_line("%s: %s is in force again", interface, before->name[i]);
}

/* Puts other profiles into a recipe, and parks the words that these do not know. */
static int switch_profiles(const struct names *profiles, struct target *target, struct diag *diag)
{
	__cleanup(names_free) struct names before = {};
	struct options chosen = OPTIONS_NONE;
	int err;

	if (!profiles->count)
		return 0;
	chosen.profile = *profiles;
	names_copy(&before, &target->recipe.parked);
	err = options_apply(&chosen, &target->recipe, diag);
	if (!err)
		err = recipe_prune(&target->recipe, &target->catalog, diag);
	if (!err)
		say_parked(target->name, &before, &target->recipe.parked);
	return err;
}

/* The live recipe, changed by the options. */
static int new_recipe(const struct options *options, const struct site *site, struct target *target,
		      struct diag *diag)
{
	int err = recipe_to_start_from(target, options->fresh, &target->recipe, diag);

	if (!err)
		err = options_take_back(options, &target->recipe, diag);
	if (!err)
		err = switch_profiles(&options->profile, target, diag);
	if (err)
		return err;
	groups_merge(&target->recipe.groups, &site->groups);
	return options_apply(options, &target->recipe, diag);
}

/* The catalog as the command before this one had it, behind the folders that this one gives. */
static int open_catalog(const struct options *options, struct target *target, struct diag *diag)
{
	int err;

	names_add_all(&target->folders, &options->catalog);
	err = options->fresh ? 0 : kept_folders(target->name, target->kept, &target->folders);
	return err ? err : catalog_open(&target->folders, &target->catalog, diag);
}

static int plan_target(const struct options *options, const struct site *site, struct hooks *hooks,
		       struct target *target, struct change *change, struct diag *diag)
{
	int err = hook_find(hooks, target->name, &change->hook);

	if (!err && change->hook.id[0])
		err = takeover(
			hooks, &change->hook,
			&(struct takeover){
				.command = &guard_swap,
				.management = site->management_given ? &site->management : NULL,
				.force = options->force,
				.confirm = options->confirm,
				.dry_run = options->dry_run,
			});
	if (!err)
		err = hook_open(&change->hook, "swap", &change->filter);
	if (!err && !options->dry_run)
		err = filter_ready(&change->filter, target->name);
	if (!err)
		err = filter_kept(target->name, &change->filter, &target->kept);
	if (!err)
		err = open_catalog(options, target, diag);
	if (!err)
		err = new_recipe(options, site, target, diag);
	if (!err)
		err = plan_make(&target->catalog, &target->folders, &target->recipe,
				options->strict, &target->plan, diag);
	change->kept = target->kept;
	return err;
}

static int plan_all(const struct options *options, const struct site *site, struct target *target,
		    const struct changes *changes, struct diag *diag)
{
	size_t i, j;
	int err;

	for (i = 0; i < changes->count; i++) {
		target[i].name = options->arguments.name[i];
		changes->change[i] = (struct change){
			.kind = CHANGE_SWAP,
			.name = target[i].name,
			.filter = FILTER_NONE,
			.plan = &target[i].plan,
			.catalog = &target[i].catalog,
			.confirm = options->confirm,
		};
	}
	for (i = 0; i < changes->count; i++) {
		err = plan_target(options, site, changes->hooks, &target[i], &changes->change[i],
				  diag);
		if (err)
			return err;
		for (j = 0; j < i; j++)
			if (!strcmp(changes->change[i].filter.id, changes->change[j].filter.id)) {
				error("swap: %s is %s, which is named already", target[i].name,
				      target[j].name);
				return -EINVAL;
			}
	}
	return 0;
}

static int swap(const struct options *options, const struct site *site, struct hooks *hooks,
		struct diag *diag)
{
	struct changes changes = {
		.command = &guard_swap,
		.done = "swapped",
		.management = site->management_given ? &site->management : NULL,
		.force = options->force,
		.dry_run = options->dry_run,
		.answer = options->answer,
		.comment = options->comment,
		.hooks = hooks,
		.change = xcalloc(options->arguments.count, sizeof(struct change)),
		.count = options->arguments.count,
	};
	struct target *target = xcalloc(changes.count, sizeof(*target));
	int err = plan_all(options, site, target, &changes, diag);
	size_t i;

	if (!err) {
		diag_report(diag);
		err = changes_run(&changes);
	}
	for (i = 0; i < changes.count; i++) {
		plan_free(&target[i].plan);
		recipe_free(&target[i].recipe);
		json_decref(target[i].kept);
		catalog_close(&target[i].catalog);
		names_free(&target[i].folders);
		filter_close(&changes.change[i].filter);
	}
	free(target);
	free(changes.change);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* With no interface named, every filter of the network namespace. */
static int find_all(const struct hooks *hooks, struct names *interfaces)
{
	if (!interfaces->count)
		hooks_names(hooks, interfaces);
	if (interfaces->count)
		return 0;
	error_fix("portcullis attach IFACE -p PROFILE",
		  "swap: no interface of this network namespace has a filter");
	return -ENOENT;
}

int command_swap(const struct options *options, struct diag *diag)
{
	__cleanup(names_free) struct names interfaces = {};
	struct options chosen = *options;
	__cleanup(site_free) struct site site = {};
	__cleanup(hooks_free) struct hooks hooks = {};
	__close_fd int lock = -1;
	int ready;

	if (names_twice(&options->arguments)) {
		error("swap: %s: named twice", names_twice(&options->arguments));
		return EXIT_USAGE;
	}
	if (kernel_privileged("swap") || site_open(options->site, &site, diag))
		return EXIT_FAILED;
	ready = pins_ready(false);
	if (ready < 0)
		return EXIT_FAILED;
	if (!ready || options->dry_run ? hooks_read(&hooks) :
					 pins_lock(&lock) || hooks_collect(&hooks))
		return EXIT_FAILED;
	names_copy(&interfaces, &options->arguments);
	if (find_all(&hooks, &interfaces))
		return EXIT_FAILED;
	chosen.arguments = interfaces;
	return swap(&chosen, &site, &hooks, diag);
}
