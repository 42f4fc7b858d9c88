// SPDX-License-Identifier: GPL-2.0
/* Plans the changes of `apply`: compares each interface with its entry in the site file. */
#include "loader/command/apply_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/compile/kept.h"
#include "loader/filter/confirm.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/open.h"
#include "loader/host/attached.h"
#include "loader/host/machine_addresses.h"
#include "loader/host/takeover.h"
#include "loader/net/link.h"
#include "loader/recipe/site_check.h"

bool apply_find(struct apply *apply)
{
	char real[IF_NAMESIZE];
	bool all = true;
	size_t i;

	for (i = 0; i < apply->count; i++) {
		apply->wanted[i].ifindex = link_find(apply->wanted[i].site->name, real);
		all &= apply->wanted[i].ifindex != 0;
	}
	return all;
}

static int check_mode(const struct change *change, enum hook_mode wanted)
{
	__free_text char *word = shell_word(change->name);

	if (wanted == HOOK_AUTO || wanted == change->hook.mode)
		return 0;
	error("%s: is attached in %s mode, and the site file wants %s: portcullis detach %s, then apply again",
	      change->name, hook_mode_name(change->hook.mode), hook_mode_name(wanted), word);
	return -EINVAL;
}

static int check_flows(const struct change *change)
{
	__u32 there = flow_maps_size(&change->filter);

	if (!change->flows || PC_FLOWS_CONNECTIONS(there) == PC_FLOWS_CONNECTIONS(change->flows))
		return 0;
	error("%s: this network namespace has maps of %u flows, and the site file wants %u: portcullis detach --all, then apply again",
	      change->name, there, change->flows);
	return -EINVAL;
}

/*
 * The filter is as wanted, but a change may be pending. Returns 1 if a swap must set a new
 * deadline.
 */
static int say_same(struct apply *apply, const struct wanted *wanted, const struct change *change)
{
	const char *as = wanted->of == &apply->confirmed->site ? "it was confirmed last" :
								 "the site file says";
	const struct pc_generation *current = change->filter.current.copy;
	__free_text char *word = shell_word(change->name);

	if (current->deadline && apply->options->confirm)
		return 1;
	answer_interface(apply->options->answer, change->name, ANSWER_NONE, NULL, NULL);
	answer_result(apply->options->answer, change->name, current->number, seconds_left(current));
	if (current->deadline)
		say_line("%s: is as %s, but not confirmed yet (%u s left): portcullis confirm %s",
			 change->name, as, seconds_left(current), word);
	else if (!apply->quiet)
		say_line("%s: is as %s", change->name, as);
	apply->waits |= current->deadline != 0;
	return 0;
}

/*
 * At boot no administrator can confirm, or notice that the deadline ends early, so the pending
 * change stays pending.
 */
static bool say_waits(struct apply *apply, const struct change *change)
{
	const struct pc_generation *current = change->filter.current.copy;
	__free_text char *word = shell_word(change->name);

	if (!current->deadline || !apply->lenient)
		return false;
	apply->waits = true;
	if (!apply->quiet)
		say_line(
			"%s: left as it is: a change is not confirmed yet (%u s left): portcullis confirm %s",
			change->name, seconds_left(current), word);
	return true;
}

/* Compares an attached filter with the plan: 1 if it must be swapped, 0 if it is the same. */
static int compare(struct apply *apply, struct apply_target *target, struct change *change)
{
	const struct takeover how = {
		.command = &guard_apply,
		.management = apply->changes.management,
		.folders = apply->folders,
		.force = apply->changes.force,
		.confirm = change->confirm,
		.comment = apply->options->comment,
		.dry_run = apply->options->dry_run,
	};
	int err = takeover_open(apply->changes.hooks, &change->hook, &how, &change->filter);

	if (!err && !apply->options->dry_run)
		err = filter_ready(&change->filter, change->name);
	if (!err && say_waits(apply, change))
		return 0;
	if (!err)
		err = check_mode(change, target->wanted->site->mode);
	if (!err)
		err = check_flows(change);
	if (!err)
		err = filter_kept(change->name, &change->filter, &target->kept);
	if (err)
		return err;
	change->kept = target->kept;
	if (kept_same(target->kept, target->wanted->plan.kept) &&
	    !machine_addresses_any_taken(change->filter.current.copy))
		return say_same(apply, target->wanted, change);
	return 1;
}

static struct change *add(struct apply *apply, enum change_kind kind, const char *name)
{
	struct change *change = &apply->changes.change[apply->changes.count++];

	*change = (struct change){.kind = kind, .name = name, .filter = FILTER_NONE};
	return change;
}

void apply_drop(struct apply *apply)
{
	struct apply_target *target = &apply->target[--apply->changes.count];

	filter_close(&apply->changes.change[apply->changes.count].filter);
	json_decref(target->kept);
	*target = (struct apply_target){};
}

/* A snapshot that was confirmed needs no second confirmation. */
static unsigned int wanted_confirm(const struct apply *apply, const struct wanted *wanted)
{
	if (apply->options->boot || wanted->of == &apply->confirmed->site)
		return 0;
	return apply->options->confirm ? apply->options->confirm : wanted->site->confirm;
}

static bool is_undefined(const struct site *site, const char *group)
{
	return strcmp(group, GROUP_LINK_LOCAL) && !groups_find(&site->groups, group);
}

/*
 * True if an error of the file hides the group. False if the machine has a group of that name of
 * its own: an error in that group belongs to the machine.
 */
static bool is_hidden(const struct site *site, const struct recipe *machine, const char *group)
{
	if (machine && groups_find(&machine->groups, group))
		return false;
	return names_have(&site->wrong_group, group) ||
	       (site->unnamed_wrong && is_undefined(site, group));
}

/* The first hidden group among these names; NULL: none. */
static const char *first_hidden(const struct site *site, const struct recipe *machine,
				const struct names *groups)
{
	size_t i;

	for (i = 0; i < groups->count; i++)
		if (is_hidden(site, machine, groups->name[i]))
			return groups->name[i];
	return NULL;
}

/*
 * The first group that an error of the file hides, among those that the words or the profiles of an
 * interface or a machine name. `composition`: NULL: it could not be made.
 */
static const char *wrong_group_of(const struct site *site, const struct site_interface *wanted,
				  const struct recipe *machine,
				  const struct composition *composition)
{
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < wanted->uses; i++)
		if (is_hidden(site, machine, wanted->use[i].group))
			return wanted->use[i].group;
	for (i = 0; composition && i < composition->services && !wrong; i++) {
		const struct composed *service = &composition->service[i];

		if (service->why != WHY_OPEN && service->why != WHY_GROUP)
			continue;
		wrong = first_hidden(site, machine, &service->from);
		if (!wrong)
			wrong = first_hidden(site, machine, &service->to);
	}
	return wrong;
}

static const char *wrong_group(const struct site *site, const struct site_interface *wanted,
			       const struct composition *composition)
{
	const char *wrong = wrong_group_of(site, wanted, NULL, composition);

	for (size_t i = 0; i < wanted->machines && !wrong; i++)
		wrong = wrong_group_of(
			site, &wanted->machine[i], &wanted->recipe.machine[i].own,
			i < composition->machines ? &composition->machine[i].composition : NULL);
	return wrong;
}

/* site_check has already given its warnings, with a better place. */
static int make(const struct apply *apply, struct wanted *wanted, struct composition *composition,
		struct diag *diag)
{
	__cleanup(diag_free) struct diag found = {};
	struct plan *plan = &wanted->plan;
	const char *wrong;
	int err;

	/* Not with --strict, because services whose groups are hidden would be further errors. */
	if (composition->recipe && !apply->options->strict)
		err = plan_compile(composition, &apply->options->catalog, plan, &found);
	else
		err = plan_make(wanted->catalog, &apply->options->catalog, &wanted->site->recipe,
				apply->options->strict, plan, &found);
	if (!err && apply->options->boot && plan->tables.machines)
		plan->tables.owns = machine_addresses_kept(&plan->tables.own);
	wrong = wrong_group(wanted->of, wanted->site, &plan->composition);
	if (wrong) {
		error("%s: needs the group '%s', and the groups of the site file have an error: see portcullis check",
		      wanted->site->name, wrong);
		return -EINVAL;
	}
	for (size_t i = 0; err && i < found.count; i++) {
		const struct diag_entry *entry = &found.entry[i];
		const struct place there = diag_place(entry);

		/* An error about full tables has no place in the file. */
		diag_pass_on(diag, entry->file ? &there : &wanted->site->place, entry);
	}
	return err;
}

bool apply_check(const struct apply *apply, struct wanted *wanted, struct diag *diag)
{
	__cleanup(composition_free) struct composition composition = {};

	if (site_check_interface(wanted->catalog, wanted->of, wanted->site, &composition, diag) &&
	    !machine_addresses_check(&wanted->site->recipe, wanted->site, apply->options->boot,
				     diag) &&
	    !machine_addresses_check_side(&wanted->site->recipe, wanted->site, wanted->site->name,
					  NULL, apply->options->boot || apply->options->force,
					  diag) &&
	    !make(apply, wanted, &composition, diag))
		return true;
	plan_free(&wanted->plan);
	return false;
}

int apply_plan(struct apply *apply, const struct wanted *wanted)
{
	struct apply_target *target = &apply->target[apply->changes.count];
	const struct site_interface *site = wanted->site;
	struct change *change = add(apply, CHANGE_ATTACH, site->name);
	size_t i;
	int err;

	*target = (struct apply_target){.wanted = wanted};
	change->plan = &wanted->plan;
	change->catalog = wanted->catalog;
	change->mode = site->mode;
	change->flows = site->flows;
	change->refusal = apply->hold.refusal;
	change->confirm = wanted_confirm(apply, wanted);
	err = hook_find(apply->changes.hooks, site->name, &change->hook);
	if (err)
		return err;
	change->name = change->hook.name; /* the real name */
	for (i = 0; i + 1 < apply->changes.count; i++)
		if (apply->changes.change[i].hook.ifindex == change->hook.ifindex) {
			error("%s: is another name of %s, which the site file lists, too; remove one of them", site->name,
			      change->hook.name);
			return -EINVAL;
		}
	if (!change->hook.id[0])
		return change_find_free(apply->changes.hooks, change);
	change->kind = CHANGE_SWAP;
	err = compare(apply, target, change);
	if (!err)
		apply_drop(apply);
	return err < 0 ? err : 0;
}

static bool is_wanted(const struct apply *apply, unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < apply->count; i++)
		if (apply->wanted[i].ifindex == (int)ifindex)
			return true;
	return false;
}

void apply_plan_detaches(struct apply *apply)
{
	const struct hook *hook = apply->changes.hooks->hook;
	size_t i;

	for (i = 0; i < apply->changes.hooks->count; i++)
		if (!is_wanted(apply, hook[i].ifindex)) {
			struct apply_target *target = &apply->target[apply->changes.count];
			struct change *change = add(apply, CHANGE_DETACH, hook[i].name);

			target->kept = filter_kept_of(hook[i].id, &change->flows);
			change->was = target->kept;
			change->hook = hook[i];
			change->filter.ifindex = hook[i].ifindex;
			memcpy(change->filter.id, hook[i].id, sizeof(change->filter.id));
		}
}

void apply_start(struct apply *apply)
{
	size_t room = apply->count + apply->changes.hooks->count;

	apply->changes.change = xcalloc(room, sizeof(*apply->changes.change));
	apply->target = xcalloc(room, sizeof(*apply->target));
}

void apply_end(struct apply *apply)
{
	while (apply->changes.count)
		apply_drop(apply);
	free(apply->changes.change);
	free(apply->target);
}
