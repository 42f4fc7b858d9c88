// SPDX-License-Identifier: GPL-2.0
/* Applies the options after --machine to the recipe of a machine. */
#include "loader/command/machine_words.h"

#include <errno.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/prune.h"

void say_parked(const char *of, const struct names *before, const struct names *now)
{
	size_t i;

	for (i = 0; i < now->count; i++)
		if (!names_have(before, now->name[i]))
			warning("%s: %s is ignored: the new profiles have no such feature or service; it comes back with a profile that has it",
				of, now->name[i]);
	for (i = 0; i < before->count; i++)
		if (!names_have(now, before->name[i]))
			say_line("%s: %s is in force again", of, before->name[i]);
}

/* Applies other profiles before the options that depend on them. */
static int switch_profiles(const struct options *given, struct machine *machine,
			   struct catalog *catalog, const char *interface, struct diag *diag)
{
	__cleanup(names_free) struct names before = {};
	struct options chosen = OPTIONS_NONE;
	__free_text char *of = NULL;
	int err;

	if (!given->profile.count || !machine->own.profiles.count)
		return 0;
	chosen.profile = given->profile;
	names_copy(&before, &machine->own.parked);
	err = options_apply(&chosen, &machine->own, diag);
	if (!err)
		err = recipe_prune(&machine->own, catalog, diag);
	if (!err && interface) {
		of = xasprintf("%s: machine %s", interface, machine->name);
		say_parked(of, &before, &machine->own.parked);
	}
	return err;
}

int machine_words_apply(const struct options *options, const struct site *site,
			const char *interface, bool quiet, struct recipe *recipe,
			struct catalog *catalog, struct diag *diag)
{
	const struct place place = {.file = "--machine"};

	for (size_t i = 0; i < options->machines; i++) {
		const struct options *given = options->machine[i].options;
		size_t before = recipe->machines;
		struct machine *machine =
			machines_word(recipe, options->machine[i].word, &place, diag);

		if (machine && recipe->machines > before)
			site_merge_machine_groups(site, interface, machine);
		if (!machine || options_take_back(given, &machine->own, diag) ||
		    switch_profiles(given, machine, catalog, quiet ? NULL : interface, diag) ||
		    options_apply(given, &machine->own, diag))
			return -EINVAL;
		machine->policy_given |= given->policy >= 0;
		machine->outbound_given |= given->outbound >= 0;
	}
	machines_inherit(recipe);
	return 0;
}
