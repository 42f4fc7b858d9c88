// SPDX-License-Identifier: GPL-2.0
/* `groups --refresh`: updates the prefixes of groups from DNS, and from files that have changed. */
#include "loader/command/groups_refresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/dns_answer.h"
#include "loader/compile/kept.h"
#include "loader/compile/replan.h"
#include "loader/filter/confirm.h"
#include "loader/filter/settle.h"
#include "loader/host/attached.h"
#include "loader/host/change.h"
#include "loader/host/dns_renew.h"
#include "loader/host/site_links.h"
#include "loader/host/state_live.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/state.h"
#include "loader/recipe/state_write.h"

/* A filter whose groups may get other prefixes. */
struct target {
	json_t *kept; /* recipe and services of the active generation */
	struct remade made;
};

struct refresh {
	const struct options *options;
	struct snapshot confirmed; /* the snapshot; may be missing */
	struct site fresh;    /* file: the confirmed site file with the files as they are now */
	/* folders of profiles that are searched first: those confirmed last */
	struct names folders;
	bool keep;	      /* dns: only add prefixes, never remove any */
	struct changes changes;
	struct target *target; /* a target for each change */
	size_t left_out;
};

static void refresh_free(struct refresh *refresh)
{
	snapshot_free(&refresh->confirmed);
	site_free(&refresh->fresh);
	names_free(&refresh->folders);
}

/* --- other prefixes --- */

static bool renew_names(struct recipe *recipe, bool keep)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < recipe->groups.count; i++)
		changed |= group_renew(&recipe->groups.group[i], keep);
	for (i = 0; i < recipe->machines; i++)
		changed |= renew_names(&recipe->machine[i].own, keep);
	return changed;
}

/*
 * Takes the groups whose files have changed since they were confirmed. A group whose prefixes a
 * command has changed is left alone.
 */
static bool take_files(struct groups *live, const struct groups *confirmed,
		       const struct groups *fresh)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < live->count; i++) {
		const struct group *group = &live->group[i];
		const struct group *old = groups_find(confirmed, group->name);
		const struct group *new = groups_find(fresh, group->name);
		const struct groups one = {.group = (struct group *)new, .count = 1};

		if (!old || !new || group_same_fixed(old, new) || !group_same_fixed(group, old))
			continue;
		groups_merge(live, &one);
		changed = true;
	}
	return changed;
}

static const struct machine *find_machine(const struct recipe *recipe, const char *name)
{
	for (size_t i = 0; i < recipe->machines; i++)
		if (!strcmp(recipe->machine[i].name, name))
			return &recipe->machine[i];
	return NULL;
}

static bool read_files(const struct refresh *refresh, const char *interface, struct recipe *recipe)
{
	const struct site_interface *old = site_interface(&refresh->confirmed.site, interface);
	const struct site_interface *new = site_interface(&refresh->fresh, interface);
	bool changed;
	size_t i;

	if (!old || !new)
		return false;
	changed = take_files(&recipe->groups, &old->recipe.groups, &new->recipe.groups);
	for (i = 0; i < recipe->machines; i++) {
		struct machine *machine = &recipe->machine[i];
		const struct machine *was = find_machine(&old->recipe, machine->name);
		const struct machine *is = find_machine(&new->recipe, machine->name);

		if (was && is)
			changed |=
				take_files(&machine->own.groups, &was->own.groups, &is->own.groups);
	}
	return changed;
}

/* The recipe with the new prefixes, or NULL if no prefix changes. */
static json_t *new_recipe(const struct refresh *refresh, const char *interface, const json_t *kept,
			  struct diag *diag)
{
	__cleanup(recipe_free) struct recipe recipe = {};
	bool changed;

	if (recipe_from_json(&recipe, json_object_get(kept, "recipe"), diag))
		return NULL;
	changed = refresh->options->refresh == GROUPS_FILE ?
			  read_files(refresh, interface, &recipe) :
			  renew_names(&recipe, refresh->keep);
	return changed ? recipe_json(&recipe) : NULL;
}

/* --- plans --- */

/* Composes the rule set again: except for prefixes it must be the same. */
static int remake_target(const struct refresh *refresh, const char *interface,
			 struct target *target, json_t *recipe, struct diag *diag)
{
	int err;

	target->made.kept = json_copy(target->kept);
	json_object_set_new(target->made.kept, "recipe", recipe);
	err = remake_kept(interface, &refresh->folders, &target->made, diag);
	if (err || kept_same(target->made.kept, target->made.plan.kept))
		return err;
	error_fix(
		"portcullis apply",
		"%s: its groups are not refreshed, because its profiles have changed since it was applied",
		interface);
	return -ESTALE;
}

/* Adds a change if the filter needs one. -errno with a message: the filter is left as it is. */
static int plan(struct refresh *refresh, const struct hook *hook, struct diag *diag)
{
	struct change *change = &refresh->changes.change[refresh->changes.count];
	struct target *target = &refresh->target[refresh->changes.count];
	json_t *recipe;
	int err;

	*change = (struct change){
		.kind = CHANGE_SWAP, .name = hook->name, .hook = *hook, .filter = FILTER_NONE};
	refresh->changes.count++;
	err = hook_open(hook, "groups", &change->filter);
	if (!err)
		err = filter_ready(&change->filter, hook->name);
	if (!err)
		err = filter_kept(hook->name, &change->filter, &target->kept);
	recipe = err ? NULL : new_recipe(refresh, hook->name, target->kept, diag);
	if (recipe)
		err = remake_target(refresh, hook->name, target, recipe, diag);
	change->kept = target->kept;
	change->plan = &target->made.plan;
	change->catalog = &target->made.catalog;
	if (!err && recipe)
		return 0;
	filter_close(&change->filter);
	remade_free(&target->made);
	json_decref(target->kept);
	*target = (struct target){};
	refresh->changes.count--;
	return err;
}

static void drop_plans(struct refresh *refresh)
{
	size_t i;

	for (i = 0; i < refresh->changes.count; i++) {
		filter_close(&refresh->changes.change[i].filter);
		remade_free(&refresh->target[i].made);
		json_decref(refresh->target[i].kept);
		refresh->target[i] = (struct target){};
	}
	refresh->changes.count = 0;
}

static int change_filters(struct refresh *refresh, const struct hooks *hooks, struct diag *diag)
{
	size_t i;
	int err = 0;

	refresh->left_out = 0;
	for (i = 0; i < hooks->count; i++)
		if (plan(refresh, &hooks->hook[i], diag))
			refresh->left_out++;
	diag_report(diag);
	if (refresh->changes.count)
		err = changes_run(&refresh->changes);
	drop_plans(refresh);
	return err;
}

/*
 * If the guard would refuse the change because of a login, adds new addresses, and keeps old ones
 * until the next time.
 */
static int refresh_filters(struct refresh *refresh, const struct hooks *hooks, struct diag *diag)
{
	int err = change_filters(refresh, hooks, diag);

	if (err != -EACCES || refresh->options->refresh == GROUPS_FILE)
		return err;
	refresh->keep = true;
	if (!change_filters(refresh, hooks, diag))
		warning("groups: the groups keep their former addresses, too, because without them a user who is logged in would be locked out");
	return err;
}

/* --- dns --- */

static void open_confirmed(struct refresh *refresh)
{
	__cleanup(diag_free) struct diag found = {};

	if (snapshot_open(STATE_CONFIRMED, &refresh->confirmed, &found))
		diag_report(&found);
	if (!refresh->confirmed.there)
		return;
	names_add(&refresh->folders, refresh->confirmed.catalog.folder.name[0]);
	site_take_links(&refresh->confirmed.site, NULL, &found);
}

static void add_live_names(struct names *names)
{
	__cleanup(diag_free) struct diag unused = {};
	struct live *list;
	bool left_out = false;
	size_t count, i;

	if (live_read_kept(&(struct names){}, "groups", &list, &count, &left_out))
		return;
	for (i = 0; i < count; i++) {
		__cleanup(recipe_free) struct recipe recipe = {};

		if (!recipe_from_json(&recipe, json_object_get(list[i].kept, "recipe"), &unused))
			dns_names_of_recipe(&recipe, names);
	}
	live_free(list, count);
}

/* Asks without the lock: name servers may be slow, and a new interface must not wait for them. */
static int ask(const struct refresh *refresh)
{
	__cleanup(site_free) struct site site = {};
	__cleanup(snapshot_free) struct snapshot pending = {};
	__cleanup(diag_free) struct diag unused = {};
	__cleanup(names_free) struct names used = {}, known = {};
	int err;

	add_live_names(&used);
	dns_names_of_site(&refresh->confirmed.site, &used);
	err = dns_renew(&used, false);
	/* Keeps answers for a file that is not confirmed, or not applied yet. */
	names_add_all(&known, &used);
	if (!snapshot_open(STATE_PENDING, &pending, &unused))
		dns_names_of_site(&pending.site, &known);
	if (!site_read_partial(NULL, &site, &unused))
		dns_names_of_site(&site, &known);
	dns_answers_keep(&known);
	return err;
}

/* --- files --- */

/* The site file as it was confirmed, and its group files as they are. */
static int read_fresh(struct refresh *refresh, struct diag *diag)
{
	const struct site *site = &refresh->confirmed.site;
	int err;

	if (!refresh->confirmed.there) {
		error_fix(
			"portcullis apply",
			"groups: no site file was applied and confirmed yet, so no group file is in use");
		return -ENOENT;
	}
	err = site_parse(SITE_FILE, site->text, strlen(site->text), &refresh->fresh, diag);
	if (!err) {
		site_take_links(&refresh->fresh, NULL, diag);
		return 0;
	}
	diag_report(diag);
	error("groups: nothing was changed: a group file cannot be used (see above)");
	return err;
}

static bool files_changed(const struct refresh *refresh)
{
	const struct site *old = &refresh->confirmed.site;

	for (size_t i = 0; i < old->group_file.count; i++) {
		const struct group *was = site_group(old, old->group_file.name[i]);
		const struct group *is = site_group(&refresh->fresh, old->group_file.name[i]);

		if (!was || !is || !group_same_fixed(was, is))
			return true;
	}
	return false;
}

/* --- the command --- */

static bool say_waiting(const struct hooks *hooks)
{
	const bool waiting = state_is_waiting(hooks);

	if (waiting)
		say_line("groups: not refreshed, because a change is not confirmed yet; to confirm it: portcullis confirm");
	return waiting;
}

/* Checked before any question: otherwise stored answers would differ from what filters. */
static bool is_waiting(void)
{
	__cleanup(hooks_free) struct hooks hooks = {};

	return !hooks_read(&hooks) && say_waiting(&hooks);
}

static int run(struct refresh *refresh, struct diag *diag)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(change_log_free) struct change_log log = {
		.journal_only = refresh->options->refresh == GROUPS_DNS};
	const bool files = refresh->options->refresh == GROUPS_FILE;
	__close_fd int lock = -1;
	size_t room;
	int err;

	if (pins_lock(&lock) || hooks_collect(&hooks))
		return EXIT_FAILED;
	if (say_waiting(&hooks))
		return EXIT_INCOMPLETE;
	open_confirmed(refresh);
	if (files && (read_fresh(refresh, diag) || diag->errors))
		return EXIT_FAILED;
	if (files && !files_changed(refresh))
		return EXIT_DONE;
	room = hooks.count ? hooks.count : 1;
	refresh->changes = (struct changes){
		.command = &guard_refresh,
		.done = "refreshed",
		.refresh = true,
		.management = refresh->confirmed.site.management_given ?
				      &refresh->confirmed.site.management :
				      NULL,
		.log = &log,
		.answer = refresh->options->answer,
		.hooks = &hooks,
		.change = xcalloc(room, sizeof(struct change)),
	};
	refresh->target = xcalloc(room, sizeof(*refresh->target));
	err = refresh_filters(refresh, &hooks, diag);
	if (!err && files && !refresh->left_out)
		state_keep(&refresh->fresh, &refresh->confirmed.catalog);
	free(refresh->changes.change);
	free(refresh->target);
	return err || refresh->left_out ? EXIT_FAILED : EXIT_DONE;
}

int groups_refresh(const struct options *options, struct diag *diag)
{
	__cleanup(refresh_free) struct refresh refresh = {.options = options};
	int ready, err = 0, code;

	if (options->arguments.count || options->json) {
		error("groups: --refresh takes no groups and no --json");
		return EXIT_USAGE;
	}
	if (kernel_privileged("groups"))
		return EXIT_FAILED;
	ready = pins_ready(false);
	if (ready <= 0)
		return ready ? EXIT_FAILED : EXIT_DONE;
	if (is_waiting())
		return EXIT_INCOMPLETE;
	if (options->refresh == GROUPS_DNS) {
		open_confirmed(&refresh);
		err = ask(&refresh);
		snapshot_free(&refresh.confirmed);
		names_free(&refresh.folders);
	}
	code = run(&refresh, diag);
	return err && code == EXIT_DONE ? EXIT_FAILED : code;
}
