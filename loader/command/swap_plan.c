// SPDX-License-Identifier: GPL-2.0
/* Plans the next generation of a filter: its recipe with the changes of the options. */
#include "loader/command/swap_plan.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/machine_words.h"
#include "loader/compile/kept.h"
#include "loader/host/machine_addresses.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/prune.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site.h"

/* Keeps only profiles and policies, also of the machines: without their profiles, the machines
 * would be closed. */
static void start_fresh(const struct recipe *live, struct recipe *recipe)
{
	size_t i;

	*recipe = (struct recipe){.policy = live->policy};
	names_copy(&recipe->profiles, &live->profiles);
	for (i = 0; i < live->machines; i++) {
		const struct machine *machine = &live->machine[i];
		struct prefix *address = xcalloc(machine->addresses, sizeof(*address));
		struct machine *added;

		memcpy(address, machine->address, machine->addresses * sizeof(*address));
		added = machines_add(recipe, machine->name, address, machine->addresses);
		names_copy(&added->own.profiles, &machine->own.profiles);
		added->own.policy = machine->own.policy;
		added->policy_given = machine->policy_given;
	}
}

/* Reads the live recipe; with --fresh only its profiles and policies. */
static int recipe_to_start_from(const struct swap_plan *target, bool fresh, struct recipe *recipe,
				struct diag *diag)
{
	__cleanup(recipe_free) struct recipe live = {};
	int err = recipe_from_json(&live, json_object_get(target->kept, "recipe"), diag);

	if (err)
		return err;
	if (fresh) {
		start_fresh(&live, recipe);
	} else {
		*recipe = live;
		live = (struct recipe){};
	}
	return 0;
}

/* Puts other profiles into a recipe, and parks the words that they do not know. */
static int switch_profiles(const struct names *profiles, struct swap_plan *target,
			   struct diag *diag)
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
	if (!err && !target->quiet)
		say_parked(target->name, &before, &target->recipe.parked);
	return err;
}

/* The live recipe, changed by the options. */
static int new_recipe(const struct options *options, const struct site *site,
		      struct swap_plan *target, struct diag *diag)
{
	__cleanup(names_free) struct names given = {};
	int err = recipe_to_start_from(target, options->fresh, &target->recipe, diag);

	if (!err)
		err = options_take_back(options, &target->recipe, diag);
	if (!err)
		err = switch_profiles(&options->profile, target, diag);
	if (err)
		return err;
	site_merge_groups(site, target->name, &target->recipe);
	err = options_apply(options, &target->recipe, diag);
	if (!err)
		err = machine_words_apply(options, site, target->name, target->quiet,
					  &target->recipe, &target->catalog, diag);
	if (!err)
		err = machine_addresses_check(&target->recipe, NULL, !options->machines, diag);
	for (size_t i = 0; i < options->machines; i++) {
		__free_text char *name =
			xstrndup(options->machine[i].word, strcspn(options->machine[i].word, "="));

		names_add(&given, name);
	}
	if (!err && given.count)
		err = machine_addresses_check_side(&target->recipe, NULL, target->name, &given,
						   options->force, diag);
	return err;
}

/* The catalog of the filter's last command, after the folders that this command gives. */
static int open_catalog(const struct options *options, struct swap_plan *target, struct diag *diag)
{
	int err;

	names_add_all(&target->folders, &options->catalog);
	err = options->fresh ? 0 : kept_folders(target->name, target->kept, &target->folders);
	return err ? err : catalog_open(&target->folders, &target->catalog, diag);
}

int swap_plan_make(const struct options *options, const struct site *site, struct swap_plan *target,
		   struct diag *diag)
{
	int err = open_catalog(options, target, diag);

	if (!err)
		err = new_recipe(options, site, target, diag);
	return err ? err :
		     plan_make(&target->catalog, &target->folders, &target->recipe, options->strict,
			       &target->plan, diag);
}

struct swap_plan *swap_plan_as_it_is(const char *name, const json_t *kept, const struct site *site)
{
	const struct options none = OPTIONS_NONE;
	__cleanup(diag_free) struct diag diag = {};
	struct message_sink before = messages_to(messages_drop, NULL);
	struct swap_plan *plan = xcalloc(1, sizeof(*plan));
	int err;

	plan->name = name;
	plan->quiet = true;
	plan->kept = json_incref((json_t *)kept);
	err = swap_plan_make(&none, site, plan, &diag);
	messages_to(before.take, before.context);
	if (!err)
		return plan;
	swap_plan_free(plan);
	free(plan);
	return NULL;
}

void swap_plan_free(struct swap_plan *target)
{
	plan_free(&target->plan);
	recipe_free(&target->recipe);
	json_decref(target->kept);
	free(target->kept_text);
	catalog_close(&target->catalog);
	names_free(&target->folders);
}
