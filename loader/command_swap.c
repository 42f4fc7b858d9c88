// SPDX-License-Identifier: GPL-2.0
/* `swap`: replaces the generation of interfaces, starting from the recipe of each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "loader/command.h"
#include "loader/difference.h"
#include "loader/link.h"
#include "loader/plan.h"
#include "loader/prune.h"

/* One interface whose generation is to be replaced. */
struct target {
	const char *name;
	struct filter filter;
	json_t *kept;	      /* what it was made from */
	struct names folders; /* of --catalog: those given now, then those of its last command */
	struct catalog catalog;
	struct recipe recipe;
	struct plan plan;
	bool forwarded; /* before */
};

/* The live recipe, changed by the options. */
static int new_recipe(const struct options *options, struct target *target, struct diag *diag)
{
	struct names dropped = {};
	size_t i;
	int err;

	err = recipe_from_json(&target->recipe, json_object_get(target->kept, "recipe"), diag);
	if (options->fresh) {
		enum pc_policy policy = target->recipe.policy;
		struct names profiles = {};

		names_copy(&profiles, &target->recipe.profiles);
		recipe_free(&target->recipe);
		target->recipe = (struct recipe){.profiles = profiles, .policy = policy};
	}
	if (!err && options->profile.count) {
		struct options chosen = OPTIONS_NONE;

		chosen.profile = options->profile;
		/* First the profiles alone: what the old words mean nothing to any more goes. */
		err = options_apply(&chosen, &target->recipe, diag);
		if (!err)
			err = recipe_prune(&target->recipe, &target->catalog, &dropped, diag);
	}
	for (i = 0; i < dropped.count; i++)
		warning("%s: %s is dropped: the new profiles do not know it", target->name,
			dropped.name[i]);
	names_free(&dropped);
	return err ? err : options_apply(options, &target->recipe, diag);
}

/* A remembered folder may have been removed since, and made again by somebody else. */
static bool trusted(const char *folder)
{
	struct stat st;

	return !stat(folder, &st) && S_ISDIR(st.st_mode) && !st.st_uid && !(st.st_mode & 022);
}

/* The catalog as the command before this one had it, behind the folders that this one gives. */
static int open_catalog(const struct options *options, struct target *target, struct diag *diag)
{
	const json_t *folders = json_object_get(target->kept, "catalog"), *folder;
	size_t i;

	names_add_all(&target->folders, &options->catalog);
	json_array_foreach (folders, i, folder)
		if (json_is_string(folder) && trusted(json_string_value(folder)))
			names_add_once(&target->folders, json_string_value(folder));
	return catalog_open(&target->folders, &target->catalog, diag);
}

static int plan_target(const struct options *options, struct target *target, struct diag *diag)
{
	int err = filter_of(target->name, "swap", &target->filter);

	if (!err)
		err = plan_kept(target->name, &target->filter, &target->kept);
	if (!err)
		err = open_catalog(options, target, diag);
	if (!err)
		err = new_recipe(options, target, diag);
	return err ? err :
		     plan_make(&target->catalog, &target->folders, &target->recipe, options->strict,
			       &target->plan, diag);
}

static void undo_all(struct target *target, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		filter_undo(&target[i].filter);
}

/* Everything that can fail is made first; then one update an interface. */
static int switch_all(struct target *target, size_t count)
{
	__u64 batch = 0;
	size_t i;
	int err = 0;

	if (getrandom(&batch, sizeof(batch), 0) != sizeof(batch)) {
		error("cannot get a random number for the swap");
		return -EIO;
	}
	for (i = 0; i < count && !err; i++)
		err = filter_prepare(&target[i].filter, &target[i].plan.tables, target[i].plan.text,
				     batch);
	for (i = 0; i < count && !err; i++)
		err = filter_commit(&target[i].filter);
	if (err) {
		undo_all(target, count);
		error("nothing was swapped: every interface is as it was");
		return err;
	}
	for (i = 0; i < count; i++) {
		filter_finish(&target[i].filter);
		plan_summary(&target[i].plan, target[i].name, NULL, stdout);
	}
	return 0;
}

static int swap(const struct options *options, struct target *target, size_t count,
		struct diag *diag)
{
	size_t i, j;
	int code;

	for (i = 0; i < count; i++) {
		target[i].filter = FILTER_NONE;
		target[i].name = options->arguments.name[i];
	}
	for (i = 0; i < count; i++) {
		if (plan_target(options, &target[i], diag))
			return EXIT_FAILED;
		for (j = 0; j < i; j++)
			if (!strcmp(target[i].filter.id, target[j].filter.id)) {
				error("swap: %s is %s, which is named already", target[i].name,
				      target[j].name);
				return EXIT_FAILED;
			}
	}
	diag_print(diag, stderr);
	diag_free(diag);
	for (i = 0; i < count; i++) {
		target[i].forwarded = target[i].filter.current.copy->forward;
		plan_warn_open(&target[i].plan);
		say_line("%s:", target[i].name);
		plan_features(&target[i].plan, stdout);
		difference_print(target[i].kept, target[i].plan.kept, stdout);
	}
	if (options->dry_run) {
		for (i = 0; i < count; i++)
			plan_summary(&target[i].plan, target[i].name, "would swap", stdout);
		return EXIT_DONE;
	}
	fflush(stdout);
	code = switch_all(target, count) ? EXIT_FAILED : EXIT_DONE;
	share_settle();
	for (i = 0; i < count && code == EXIT_DONE; i++)
		if (target[i].forwarded && !target[i].plan.tables.generation->forward)
			link_warn(target[i].name, target[i].filter.ifindex, false);
	return code;
}

int command_swap(const struct options *options, struct diag *diag)
{
	size_t count = options->arguments.count, i;
	struct target *target;
	__close_fd int lock = -1;
	int code;

	if (!count) {
		error("swap: the interface is missing: portcullis swap IFACE... [-p PROFILE[,PROFILE]]");
		return EXIT_USAGE;
	}
	if (names_twice(&options->arguments)) {
		error("swap: %s: named twice", names_twice(&options->arguments));
		return EXIT_USAGE;
	}
	if (kernel_privileged("swap"))
		return EXIT_FAILED;
	code = pins_ready(false);
	if (code < 0 || (code && (pins_lock(&lock) || hook_collect())))
		return EXIT_FAILED;
	target = xcalloc(count, sizeof(*target));
	code = swap(options, target, count, diag);
	for (i = 0; i < count; i++) {
		plan_free(&target[i].plan);
		recipe_free(&target[i].recipe);
		json_decref(target[i].kept);
		catalog_close(&target[i].catalog);
		names_free(&target[i].folders);
		filter_close(&target[i].filter);
	}
	free(target);
	return code;
}
