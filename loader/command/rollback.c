// SPDX-License-Identifier: GPL-2.0
/* `rollback`: undoes a pending change, or goes back to an earlier state. */
#include "loader/command/rollback.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/base/trust.h"
#include "loader/command/history.h"
#include "loader/compile/kept.h"
#include "loader/filter/confirm.h"
#include "loader/filter/settle.h"
#include "loader/guard/management.h"
#include "loader/host/attached.h"
#include "loader/host/change.h"
#include "loader/host/undo.h"
#include "loader/net/link.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site.h"
#include "loader/report/text_history.h"

/* What the user asked for. */
struct rollback {
	const struct options *options;
	struct names names;	   /* interfaces; empty: all that the change is about */
	bool given;		   /* the user gave a number */
	unsigned long long number; /* restore the state after this change */
	char *network;
	struct site site;
	struct hooks hooks;
	struct history_lines lines;
	struct change_log log;
	struct target *target;
	size_t targets;
};

/* An interface that gets another rule set, or none. */
struct target {
	char *name;
	struct history_state state;
	json_t *live; /* kept text of the present filter; NULL: none */
	struct names folders;
	struct catalog catalog;
	struct recipe recipe;
	struct plan plan;
};

static void target_free(struct target *target)
{
	plan_free(&target->plan);
	recipe_free(&target->recipe);
	catalog_close(&target->catalog);
	names_free(&target->folders);
	json_decref(target->live);
	free(target->name);
}

static void rollback_free(struct rollback *rollback)
{
	for (size_t i = 0; i < rollback->targets; i++)
		target_free(&rollback->target[i]);
	free(rollback->target);
	history_lines_free(&rollback->lines);
	change_log_free(&rollback->log);
	hooks_free(&rollback->hooks);
	site_free(&rollback->site);
	names_free(&rollback->names);
	free(rollback->network);
}

/* --- a pending change --- */

static bool is_named(const struct rollback *rollback, const char *name)
{
	return !rollback->names.count || names_have(&rollback->names, name);
}

/* The filters with a pending change, of the interfaces named. */
static size_t find_pending(const struct rollback *rollback, struct hook *pending)
{
	size_t count = 0;

	for (size_t i = 0; i < rollback->hooks.count; i++) {
		const struct hook *hook = &rollback->hooks.hook[i];

		if (is_named(rollback, hook->name) && undo_is_pending(hook))
			pending[count++] = *hook;
	}
	return count;
}

/* -EBUSY with a message: a swap would be undone together with the pending change. */
static int refuse_pending(const struct hook *pending)
{
	__free_text char *word = shell_word(pending->name);
	__free_text char *fix =
		xasprintf("portcullis rollback %s, or portcullis confirm %s", word, word);

	error_fix(fix,
		  "rollback: %s has a change that is not confirmed yet; undo or confirm that first",
		  pending->name);
	return -EBUSY;
}

/* --- which state --- */

static void say_undone(const json_t *change)
{
	__free_text char *by = history_by_text(change), *command = NULL;
	const char *given = json_string_value(json_object_get(change, "command"));

	command = given ? xasprintf(": %s", given) : xstrdup("");
	say_line("undoes change %lld, by %s%s",
		 (long long)json_integer_value(json_object_get(change, "number")), by, command);
}

/* Adds the interfaces of a change if the user named none. */
static void take_names(struct rollback *rollback, const json_t *change)
{
	const json_t *interface;
	size_t i;

	if (rollback->names.count)
		return;
	json_array_foreach (json_object_get(change, "interfaces"), i, interface) {
		const char *name = json_string_value(json_object_get(interface, "name"));

		if (name && json_object_get(interface, "after"))
			names_add_once(&rollback->names, name);
	}
}

static int find_last(struct rollback *rollback)
{
	unsigned long long last =
		history_last(&rollback->lines, rollback->network, &rollback->names);
	const json_t *change = history_find(&rollback->lines, last);

	if (!change) {
		error_fix("portcullis history",
			  "rollback: the history has no change of %s that could be undone",
			  rollback->names.count ? "these interfaces" : "this network namespace");
		return -ENOENT;
	}
	rollback->number = last - 1;
	take_names(rollback, change);
	say_undone(change);
	return 0;
}

static int find_state(struct rollback *rollback)
{
	if (!rollback->given)
		return find_last(rollback);
	if (rollback->number && !history_find_said("rollback", &rollback->lines, rollback->number))
		return -ENOENT;
	if (!rollback->names.count)
		history_names(&rollback->lines, rollback->network, &rollback->names);
	return 0;
}

/* --- the former rule set --- */

/* Uses the catalog folders of that time that still exist and are trusted, because their profiles
 * are part of it. */
static void find_folders(const json_t *kept, struct names *folders)
{
	const json_t *folder;
	size_t i;

	json_array_foreach (json_object_get(kept, "catalog"), i, folder) {
		const char *path = json_string_value(folder);
		__free_text char *why = NULL, *fix = NULL;

		if (path && !file_trusted(path, &why, &fix))
			names_add_once(folders, path);
	}
}

/* The path that the profile's file had, for `show`. */
static const char *path_of(const json_t *kept, const char *name)
{
	const json_t *profile;
	size_t i;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile) {
		const char *own = json_string_value(json_object_get(profile, "name"));
		const char *path = json_string_value(json_object_get(profile, "path"));

		if (own && path && !strcmp(own, name))
			return path;
	}
	return name;
}

/* The profiles with their former text; the catalog has those that the history lacks. */
static int give_profiles(const struct rollback *rollback, struct target *target, struct diag *diag)
{
	const char *name;
	json_t *digest;
	int err = 0;

	json_object_foreach ((json_t *)target->state.profiles, name, digest) {
		const json_t *profile =
			json_object_get(rollback->lines.texts, json_string_value(digest) ?: "");
		const char *text = json_string_value(json_object_get(profile, "text"));

		if (text &&
		    catalog_give(&target->catalog, path_of(target->state.kept, name), text, diag))
			err = -EINVAL;
	}
	return err;
}

static int say_not_same(const struct rollback *rollback, const struct target *target)
{
	__free_text char *profiles = names_join(&target->recipe.profiles, ",");
	__free_text char *word = shell_word(target->name);
	__free_text char *fix = xasprintf("portcullis swap %s -p %s", word, profiles);

	error_fix(
		fix,
		"%s: cannot go back: its profiles are not as they were after change %llu, and the history does not have them",
		target->name, rollback->number);
	return -ENOENT;
}

static int make_plan(const struct rollback *rollback, struct target *target, struct diag *diag)
{
	const json_t *kept = target->state.kept;
	int err;

	if (!kept) {
		error_fix(
			"portcullis history",
			"%s: cannot go back: the history does not have its rule set after change %llu any more",
			target->name, rollback->number);
		return -ENOENT;
	}
	find_folders(kept, &target->folders);
	err = catalog_open(&target->folders, &target->catalog, diag);
	if (!err)
		err = give_profiles(rollback, target, diag);
	if (!err)
		err = recipe_from_json(&target->recipe, json_object_get(kept, "recipe"), diag);
	if (!err)
		err = plan_make(&target->catalog, &target->folders, &target->recipe, false,
				&target->plan, diag);
	if (err) {
		diag_report(diag);
		return say_not_same(rollback, target);
	}
	return kept_same(kept, target->plan.kept) ? 0 : say_not_same(rollback, target);
}

/* --- the change of each interface --- */

static int plan_swap(struct rollback *rollback, struct target *target, struct change *change,
		     struct diag *diag)
{
	int err = hook_open(&change->hook, "rollback", &change->filter);

	change->kind = CHANGE_SWAP;
	if (!err && !rollback->options->dry_run)
		err = filter_ready(&change->filter, target->name);
	if (!err)
		err = filter_kept(target->name, &change->filter, &target->live);
	if (!err)
		err = make_plan(rollback, target, diag);
	change->kept = target->live;
	return err ? err : kept_same(target->live, target->plan.kept) ? 0 : 1;
}

static int plan_attach(struct rollback *rollback, struct target *target, struct change *change,
		       struct diag *diag)
{
	const json_t *interface = target->state.interface;
	int err = change_find_free(&rollback->hooks, change);

	change->kind = CHANGE_ATTACH;
	change->mode = json_object_get(interface, "mode") ? HOOK_GENERIC : HOOK_AUTO;
	/* All filters of a namespace share one table, so all get the size of the first. */
	if (!rollback->hooks.count)
		change->flows = (__u32)json_integer_value(json_object_get(interface, "flows"));
	if (!err)
		err = make_plan(rollback, target, diag);
	if (!err)
		management_warn_open(target->name, &target->plan);
	return err ? err : 1;
}

static int plan_detach(struct target *target, struct change *change)
{
	change->kind = CHANGE_DETACH;
	change->filter.ifindex = change->hook.ifindex;
	memcpy(change->filter.id, change->hook.id, sizeof(change->filter.id));
	target->live = filter_kept_of(change->hook.id, &change->flows);
	change->was = target->live;
	return 1;
}

/* Returns 1 if the interface changes; 0 if not; -errno with a message. */
static int plan_one(struct rollback *rollback, struct target *target, struct change *change,
		    struct diag *diag)
{
	char real[IF_NAMESIZE];
	int err;

	*change = (struct change){
		.name = target->name,
		.filter = FILTER_NONE,
		.plan = NULL,
		.catalog = &target->catalog,
		.confirm = rollback->options->confirm,
	};
	if (!target->state.digest && !link_find(target->name, real))
		return 0; /* the interface is gone, and had no filter */
	err = hook_find(&rollback->hooks, target->name, &change->hook);
	if (err)
		return err;
	if (!target->state.digest)
		return change->hook.id[0] ? plan_detach(target, change) : 0;
	change->plan = &target->plan;
	return change->hook.id[0] ? plan_swap(rollback, target, change, diag) :
				    plan_attach(rollback, target, change, diag);
}

/* The interfaces whose state is known. A named interface must be among them. */
static int find_targets(struct rollback *rollback)
{
	bool named = rollback->options->arguments.count > (size_t)rollback->given;

	rollback->target = xcalloc(rollback->names.count, sizeof(*rollback->target));
	for (size_t i = 0; i < rollback->names.count; i++) {
		const char *name = rollback->names.name[i];
		const struct history_interface of = {rollback->network, name};
		struct history_state state = history_state(&rollback->lines, &of, rollback->number);

		if (!state.known && named) {
			error_fix("portcullis history",
				  "rollback: the history has no earlier rule set of %s", name);
			return -ENOENT;
		}
		if (state.known)
			rollback->target[rollback->targets++] =
				(struct target){.name = xstrdup(name), .state = state};
	}
	return 0;
}

static void say_same(const struct rollback *rollback, const struct target *target)
{
	answer_interface(rollback->options->answer, target->name, ANSWER_NONE, NULL, NULL);
	say_line("%s: is as it was%s%s", target->name, rollback->given ? " after change " : "",
		 rollback->given ? rollback->options->arguments.name[0] : "");
}

static int plan_all(struct rollback *rollback, struct changes *changes, struct diag *diag)
{
	int err = 0, one;

	for (size_t i = 0; i < rollback->targets && err >= 0; i++) {
		struct change *change = &changes->change[changes->count];

		one = plan_one(rollback, &rollback->target[i], change, diag);
		if (one > 0) {
			changes->count++;
			continue;
		}
		filter_close(&change->filter);
		if (!one)
			say_same(rollback, &rollback->target[i]);
		err = one;
	}
	diag_report(diag);
	return err;
}

static int go_back(struct rollback *rollback, struct diag *diag)
{
	const struct options *options = rollback->options;
	struct changes changes = {
		.command = &guard_rollback,
		.done = "rolled back",
		.management = rollback->site.management_given ? &rollback->site.management : NULL,
		.force = options->force,
		.dry_run = options->dry_run,
		.answer = options->answer,
		.log = &rollback->log,
		.hooks = &rollback->hooks,
	};
	int err = history_open("rollback", &rollback->lines);

	if (!err)
		err = find_state(rollback);
	if (!err)
		err = find_targets(rollback);
	if (err)
		return err;
	changes.change = xcalloc(rollback->targets, sizeof(struct change));
	err = plan_all(rollback, &changes, diag);
	if (err)
		error("rollback: nothing was changed");
	else if (changes.count)
		err = changes_run(&changes);
	for (size_t i = 0; i < changes.count; i++)
		filter_close(&changes.change[i].filter);
	free(changes.change);
	return err;
}

static int roll_back(struct rollback *rollback, struct diag *diag)
{
	const struct options *options = rollback->options;
	struct hook *pending = xcalloc(rollback->hooks.count, sizeof(*pending));
	size_t count = find_pending(rollback, pending);
	int err;

	if (!count)
		err = go_back(rollback, diag);
	else if (rollback->given)
		err = refuse_pending(&pending[0]);
	else
		err = undo_pending(&rollback->hooks, pending, count, options->dry_run,
				   &rollback->log, options->answer);
	free(pending);
	return err;
}

static int read_arguments(struct rollback *rollback)
{
	const struct names *arguments = &rollback->options->arguments;
	const char *twice;

	rollback->given = arguments->count && change_number(arguments->name[0], &rollback->number);
	for (size_t i = rollback->given; i < arguments->count; i++)
		names_add(&rollback->names, arguments->name[i]);
	twice = names_twice(&rollback->names);
	if (twice)
		error("rollback: %s: named twice", twice);
	return twice ? -EINVAL : 0;
}

int command_rollback(const struct options *options, struct diag *diag)
{
	__cleanup(rollback_free) struct rollback rollback = {
		.options = options,
		.log = {.comment = options->comment},
	};
	__close_fd int lock = -1;
	int ready;

	if (read_arguments(&rollback))
		return EXIT_USAGE;
	if (kernel_privileged("rollback"))
		return EXIT_FAILED;
	/* A site file with an error must not prevent a rollback. */
	if (site_open(options->site, &rollback.site, diag))
		warning("rollback: the site file is not used: see below");
	rollback.network = change_log_network();
	ready = pins_ready(!options->dry_run);
	if (ready < 0 || (options->dry_run ? hooks_read(&rollback.hooks) :
					     pins_lock(&lock) || hooks_collect(&rollback.hooks)))
		return EXIT_FAILED;
	return roll_back(&rollback, diag) ? EXIT_FAILED : EXIT_DONE;
}
