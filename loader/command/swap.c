// SPDX-License-Identifier: GPL-2.0
/* `swap`: replaces the generation of interfaces. It starts from the recipe of each. */
#include "loader/command/swap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/dns_words.h"
#include "loader/command/swap_plan.h"
#include "loader/filter/confirm.h"
#include "loader/filter/settle.h"
#include "loader/host/attached.h"
#include "loader/host/change.h"
#include "loader/host/dns_renew.h"
#include "loader/host/takeover.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"

/* With several interfaces, each error about an option names its interface. */
static void name_target(const char *name, struct diag *found, struct diag *diag)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct diag_entry *entry = &found->entry[i];
		struct place there = diag_place(entry);
		__free_text char *file =
			xasprintf("%s%s%s", name, entry->file ? ": " : "", entry->file ?: "");

		if (entry->level == DIAG_ERROR && !entry->line)
			there = (struct place){.file = file};
		diag_pass_on(diag, &there, entry);
	}
}

static int plan_target(const struct options *options, const struct site *site, struct hooks *hooks,
		       struct swap_plan *target, struct change *change, struct diag *diag)
{
	__cleanup(diag_free) struct diag found = {};
	int err = hook_find(hooks, target->name, &change->hook);

	if (!err)
		err = takeover_open(
			hooks, &change->hook,
			&(struct takeover){
				.command = &guard_swap,
				.management = site->management_given ? &site->management : NULL,
				.force = options->force,
				.confirm = options->confirm,
				.comment = options->comment,
				.dry_run = options->dry_run,
			},
			&change->filter);
	if (!err && !options->dry_run)
		err = filter_ready(&change->filter, target->name);
	if (!err)
		err = filter_kept_text(target->name, &change->filter, &target->kept,
				       &target->kept_text);
	if (!err)
		err = swap_plan_make(options, site, target, &found);
	if (options->arguments.count > 1)
		name_target(target->name, &found, diag);
	else
		diag_take(diag, &found);
	change->kept = target->kept;
	change->kept_text = target->kept_text;
	return err;
}

static int plan_all(const struct options *options, const struct site *site,
		    struct swap_plan *target, const struct changes *changes, struct diag *diag)
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
				error("swap: %s and %s are the same interface; name it once",
				      target[i].name, target[j].name);
				return -EINVAL;
			}
	}
	return 0;
}

static int swap(const struct options *options, const struct site *site, struct hooks *hooks,
		struct diag *diag)
{
	__cleanup(change_log_free) struct change_log log = {.comment = options->comment};
	struct changes changes = {
		.command = &guard_swap,
		.done = "swapped",
		.management = site->management_given ? &site->management : NULL,
		.force = options->force,
		.dry_run = options->dry_run,
		.answer = options->answer,
		.log = &log,
		.hooks = hooks,
		.change = xcalloc(options->arguments.count, sizeof(struct change)),
		.count = options->arguments.count,
	};
	struct swap_plan *target = xcalloc(changes.count, sizeof(*target));
	int err = plan_all(options, site, target, &changes, diag);
	size_t i;

	if (!err) {
		diag_report(diag);
		err = changes_run(&changes);
	}
	for (i = 0; i < changes.count; i++) {
		swap_plan_free(&target[i]);
		filter_close(&changes.change[i].filter);
	}
	free(target);
	free(changes.change);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* If no interface is named, swaps every filter of the network namespace. */
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
	if (kernel_privileged("swap") || dns_site_open(options->site, &site, diag))
		return EXIT_FAILED;
	dns_words_learn(options);
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
