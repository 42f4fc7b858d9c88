// SPDX-License-Identifier: GPL-2.0
/* Makes a change of the host's filters. */
#include "loader/host/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/compile/kept.h"
#include "loader/filter/attach.h"
#include "loader/filter/confirm.h"
#include "loader/filter/detach.h"
#include "loader/filter/egress.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/generation.h"
#include "loader/filter/hold.h"
#include "loader/filter/load.h"
#include "loader/filter/marks.h"
#include "loader/filter/open.h"
#include "loader/filter/pins.h"
#include "loader/filter/seed.h"
#include "loader/filter/seed_sockets.h"
#include "loader/filter/several.h"
#include "loader/guard/management.h"
#include "loader/host/bans.h"
#include "loader/host/grants.h"
#include "loader/host/lockout.h"
#include "loader/host/machine_addresses.h"
#include "loader/host/unfiltered.h"
#include "loader/net/frame_find.h"
#include "loader/net/hairpin.h"
#include "loader/net/ipsec.h"
#include "loader/net/link_advice.h"
#include "loader/report/difference.h"
#include "loader/report/difference_json.h"
#include "loader/report/json_forms.h"

/*
 * How long egress learns before packets are filtered, if conntrack does not have the connections: a
 * receiver acknowledges data within half a second (RFC 1122, 4.2.3.2), so this is twice that.
 */
static const struct timespec learning_time = {.tv_sec = 1};

/*
 * How long UDP that began before an attach may continue (abi.h): twice the time that NAT keeps it
 * (RFC 4787, REQ-5).
 */
#define GRACE (240 * PC_SECOND)

/* attempts, if a hold has ended and another command holds the interface again */
#define HOLD_TRIES 3

#define each_change(changes, one, which)                                                         \
	for (struct change *one = (changes)->change; one < (changes)->change + (changes)->count; \
	     one++)                                                                              \
		if (one->kind == (which))

/* True if the interface has a filter that was not confirmed in time; that is detached before this
 * attach. */
static bool is_stand_in(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	return !filter_try_open(hook->id, &filter) && filter.current.copy->stand_in;
}

int change_find_free(const struct hooks *hooks, struct change *change)
{
	int err = hook_find(hooks, change->name, &change->hook);
	__free_text char *word = NULL;

	if (!err)
		err = frame_of(change->hook.name, change->hook.ifindex, &change->frame);
	if (err)
		return err;
	change->held = hold_is(change->hook.program_id);
	if (change->held)
		return 0;
	if (!change->hook.id[0])
		return hook_free(&change->hook);
	if (is_stand_in(&change->hook)) /* a dry run, which does not detach it */
		return 0;
	word = shell_word(change->hook.name);
	error("%s: portcullis is already attached; to change its profile: portcullis swap %s -p PROFILE",
	      change->hook.name, word);
	return -EEXIST;
}

/* The present name of the interface; a command may use another one. */
static const char *change_name(const struct change *change)
{
	return change->hook.name[0] ? change->hook.name : change->name;
}

/* --- preparing --- */

/*
 * Switches to the stand-in: the same rule set, which drops nothing. An interface is hooked with it,
 * so that a killed command leaves nothing that filters at one hook only; and an attach that is not
 * confirmed falls back to it.
 */
static int switch_to_stand_in(struct change *change)
{
	struct tables tables = change->plan->tables;
	json_t *kept = json_deep_copy(change->plan->kept);
	__free_text char *text = NULL;
	int err;

	tables.generation = xcalloc(1, sizeof(*tables.generation));
	*tables.generation = *change->plan->tables.generation;
	tables.generation->policy = PC_POLICY_START;
	tables.generation->stand_in = 1;
	tables.generation->grace = clock_monotonic() + GRACE;
	json_object_set_new(json_object_get(kept, "recipe"), "policy", json_string("observe"));
	text = kept_text(kept);
	err = filter_switch(&change->filter, &tables, text, false);
	free(tables.generation);
	json_decref(kept);
	return err;
}

static __u32 flows_wanted(const struct change *change)
{
	return change->flows ? change->flows : PC_FLOWS;
}

/* The filter is loaded. Its maps are filled, and its egress program is pinned. */
static int prepare_one(struct change *change, bool shares)
{
	int err;

	change->filter.ifindex = change->hook.ifindex;
	if (shares)
		several_set(&change->filter);
	bans_restore(&change->filter);
	grants_restore(&change->filter);
	change->talks = seed_begun(&change->filter);
	err = switch_to_stand_in(change);
	return err ? err : filter_pin_egress(&change->filter);
}

/* Finds the flow maps of the network namespace; makes them if several filters are attached
 * together. */
static int find_flow_maps(const struct changes *changes, struct filter *with)
{
	const struct change *first = NULL;
	bool several = false;
	int err = 0;

	each_change (changes, one, CHANGE_ATTACH) {
		if (!first) {
			err = flow_maps_find(changes->hooks, one->flows, with);
		} else if (one->flows && one->flows != first->flows) {
			error("%s: %u flows, but %s has another number: all interfaces of a network namespace share one flow table, so give all the same number",
			      one->name, one->flows, first->name);
			err = -EINVAL;
		}
		if (err)
			return err;
		several = first;
		first = first ? first : one;
	}
	return several && with->fd[FILTER_FLOWS] < 0 ?
		       filter_load_shared(with, flows_wanted(first)) :
		       0;
}

/* Several filters are verified at a time, because the verifier takes most of the time. */
static int load_all(const struct changes *changes)
{
	__cleanup(filter_close) struct filter with = FILTER_NONE;
	const struct filter none = FILTER_NONE;
	struct load *load = xcalloc(changes->count, sizeof(*load));
	size_t count = 0;
	int err = find_flow_maps(changes, &with);

	each_change (changes, one, CHANGE_ATTACH)
		load[count++] = (struct load){
			.how = {.flows_of = &with,
				.kept = &none,
				.flows = flows_wanted(one),
				.generation = one->plan->tables.generation},
			.frame = one->frame,
			.filter = &one->filter,
		};
	if (!err)
		err = filters_load(load, count);
	free(load);
	each_change (changes, one, CHANGE_ATTACH)
		if (!err)
			err = prepare_one(one, with.fd[FILTER_FLOWS] >= 0);
	return err;
}

/* --- what is denied --- */

/* True if a filter begins or stops to deny prefixes or never to ban them. */
static bool denies_otherwise(const struct change *change)
{
	const struct filter *filter = &change->filter;

	if (change->kind == CHANGE_DETACH)
		return false;
	return denied_differs(change->kind == CHANGE_ATTACH ? NULL : filter->current.copy,
			      filter->prepared.copy);
}

static int follow_all(const struct changes *changes, bool anew)
{
	struct filter **filter = xcalloc(changes->count + 1, sizeof(*filter));
	size_t count = 0, i;
	int err;

	for (i = 0; i < changes->count; i++)
		if (changes->change[i].kind != CHANGE_DETACH)
			filter[count++] = &changes->change[i].filter;
	err = bans_follow(changes->hooks, filter, count, anew);
	free(filter);
	return err;
}

/* Marks what is denied before the generation that denies it is active. */
static int deny_first(const struct changes *changes)
{
	bool otherwise = false;
	size_t i;

	for (i = 0; i < changes->count; i++) {
		changes->change[i].denies_otherwise = denies_otherwise(&changes->change[i]);
		otherwise |= changes->change[i].denies_otherwise;
	}
	return otherwise ? follow_all(changes, false) : 0;
}

/* Removes from the table of bans what no generation denies or exempts any more. */
static void deny_last(const struct changes *changes)
{
	bool otherwise = false;
	size_t i;

	for (i = 0; i < changes->count; i++)
		otherwise |= changes->change[i].denies_otherwise;
	if (otherwise)
		follow_all(changes, true);
}

static int prepare_all(const struct changes *changes)
{
	__u64 batch = 0;
	size_t i;
	int err = load_all(changes);

	if (err)
		return err;
	if (getrandom(&batch, sizeof(batch), 0) != sizeof(batch)) {
		error("cannot get a random number for the swap");
		return -EIO;
	}
	for (i = 0; i < changes->count && !err; i++) {
		struct change *one = &changes->change[i];

		if (one->kind != CHANGE_DETACH)
			err = filter_prepare(&one->filter, &one->plan->tables, one->plan->text,
					     batch, one->confirm);
	}
	return err ? err : deny_first(changes);
}

/* --- putting it in place --- */

/*
 * True if live connections can only be learned by watching. Watching does not help an interface
 * that observes: it admits their packets, and answers to admitted packets are not learned. A held
 * interface has no live connections.
 */
static bool needs_learning(const struct change *change)
{
	const struct pc_generation *generation = change->plan->tables.generation;

	bool observes = generation->policy == PC_POLICY_OBSERVE;

	return !change->seeded && !change->held &&
	       (generation->forward || (observes && change->talks));
}

/*
 * Adds the connections from before the egress programs, which learn the later ones. Waits once for
 * all interfaces.
 */
static void learn_live(const struct changes *changes)
{
	struct seed *seed = xcalloc(changes->count, sizeof(*seed));
	bool learn = false;
	size_t count = 0;

	each_change (changes, one, CHANGE_ATTACH)
		seed[count++] = (struct seed){.filter = &one->filter,
					      .ifindex = one->hook.ifindex,
					      .generation = one->plan->tables.generation};
	seed_live(seed, count);
	count = 0;
	each_change (changes, one, CHANGE_ATTACH) {
		one->seeded = seed[count++].whole;
		learn |= needs_learning(one);
	}
	free(seed);
	if (learn)
		nanosleep(&learning_time, NULL);
}

/* Hooks egress first, so that answers to packets are learned before the first one is filtered. */
static int hook_egress_all(const struct changes *changes)
{
	int err;

	each_change (changes, one, CHANGE_ATTACH) {
		err = egress_attach(&one->filter, one->hook.name, one->hook.ifindex);
		if (err)
			return err;
	}
	learn_live(changes);
	return 0;
}

/* Adds connections that began since, and those that the former generations admitted by a port. */
static void seed_all(const struct changes *changes)
{
	const struct filter **filter = xcalloc(changes->count, sizeof(*filter));
	size_t count = 0;

	for (size_t i = 0; i < changes->count; i++)
		if (changes->change[i].kind != CHANGE_DETACH)
			filter[count++] = &changes->change[i].filter;
	filters_seed(filter, count);
	free(filter);
}

/* True also for a change that keeps the deadline of an earlier one. */
static bool is_to_be_confirmed(const struct change *change)
{
	return change->confirm || (change->kind == CHANGE_SWAP && change->filter.fallback.copy);
}

static int arm_all(const struct changes *changes)
{
	bool wait = false;
	__u64 now;
	size_t i;
	int err = 0;

	for (i = 0; i < changes->count; i++)
		wait |= is_to_be_confirmed(&changes->change[i]);
	if (wait && changes->before_deadline)
		changes->before_deadline(changes->context);
	now = clock_boot();
	for (i = 0; i < changes->count && !err; i++)
		if (changes->change[i].confirm)
			err = filter_arm(&changes->change[i].filter,
					 now + changes->change[i].confirm * PC_SECOND);
	return err;
}

/* Another command may hold the interface meanwhile. */
static int hook_ingress(struct change *change)
{
	int err;

	change->held = hook_held(change->hook.ifindex);
	if (change->held)
		return 0;
	err = hook_attach(&change->filter, &change->hook, &change->mode);
	change->held = err == -EAGAIN;
	return change->held ? 0 : err;
}

/*
 * Ends the hold of an interface. Its filter is already active, so that no packet gets in that the
 * filter would drop. The link is pinned only afterwards: a command that is killed here leaves no
 * hold.
 */
static int end_hold(struct change *change)
{
	int err = -EAGAIN, i;

	for (i = 0; i < HOLD_TRIES && err == -EAGAIN; i++) {
		err = hold_become(&change->filter, &change->hook, &change->mode, change->refusal);
		if (err == -EAGAIN)
			err = hook_attach(&change->filter, &change->hook, &change->mode);
	}
	if (err == -EAGAIN)
		error("%s: other commands keep attaching to it; try again", change->hook.name);
	return err ? err : filter_pin_link(&change->filter);
}

static int switch_one(struct change *change)
{
	int err;

	if (change->kind == CHANGE_DETACH)
		return filter_stop(&change->filter);
	err = filter_commit(&change->filter);
	return err || change->kind != CHANGE_ATTACH || !change->held ? err : end_hold(change);
}

/*
 * Hooks and pins come first, because they may fail. Then come the lists of connections, which take
 * long. The last step is one update for each interface. If the command is killed, a link that is
 * not pinned ends with the process. The next command finds a filter at a clsact by the folder that
 * load_one made, and makes the missing updates.
 */
static int put_all_in_place(const struct changes *changes)
{
	size_t i;
	int err = hook_egress_all(changes);

	if (err)
		return err;
	each_change (changes, one, CHANGE_ATTACH) {
		err = hook_ingress(one);
		if (err)
			return err;
	}
	each_change (changes, one, CHANGE_ATTACH) {
		err = filter_pin(&one->filter);
		if (err)
			return err;
	}
	seed_all(changes);
	err = arm_all(changes);
	for (i = 0; i < changes->count && !err; i++)
		err = switch_one(&changes->change[i]);
	return err;
}

static void undo_all(const struct changes *changes)
{
	size_t attaches = 0;

	each_change (changes, one, CHANGE_ATTACH) {
		filter_detach(&one->filter);
		attaches++;
	}
	each_change (changes, one, CHANGE_SWAP)
		filter_undo(&one->filter);
	each_change (changes, one, CHANGE_DETACH)
		filter_refill(&one->filter);
	if (!changes->each && (changes->count > 1 || !attaches))
		error("nothing was %s: every interface is as it was", changes->done);
}

/* --- output --- */

/* Prints the pending change. The deadline that it took over may have passed just now. */
static int say_confirm(const struct change *change)
{
	const struct filter *filter = &change->filter;
	unsigned int left = seconds_left(filter->current.copy);
	__free_text char *word = shell_word(change->name);

	if (!filter->current.copy->deadline)
		return 0;
	if (left) {
		say_line(
			"%s: not confirmed yet: in %u s %s. From a new connection run: portcullis confirm %s",
			change->name, left,
			filter->fallback.copy->stand_in ? "everything passes again" :
							  "it reverts to the previous rule set",
			word);
		return 0;
	}
	if (filter->fallback.copy->stand_in)
		error("%s: the deadline has already passed: everything passes again", change->name);
	else
		error("%s: the pending change was not confirmed in time: generation %llu is active again",
		      change->name, filter->fallback.copy->number);
	return -ETIME;
}

static void answer_one(struct answer *answer, const struct change *one)
{
	const struct pc_generation *current = one->filter.current.copy;

	if (one->kind != CHANGE_DETACH && current)
		answer_result(answer, change_name(one), current->number, seconds_left(current));
}

#define TOLD_PREFIXES 16 /* members of each group and sign that the journal gets */

static void put_prefixes(FILE *to, const json_t *list, const char *sign)
{
	const size_t count = json_array_size(list);

	for (size_t i = 0; i < count && i < TOLD_PREFIXES; i++)
		fprintf(to, " %s%s", sign, json_string_value(json_array_get(list, i)));
	if (count > TOLD_PREFIXES)
		fprintf(to, " %s%zu more", sign, count - TOLD_PREFIXES);
}

/* "partners +192.0.2.7/32 -192.0.2.1/32; office ..." The caller frees. */
static char *refresh_text(const struct change *one)
{
	json_t *difference = difference_json(one->kept, one->plan->kept);
	const json_t *group;
	char *text = NULL;
	size_t length, i;
	FILE *to = open_memstream(&text, &length);

	json_array_foreach (json_object_get(difference, "groups"), i, group) {
		if (!to)
			break;
		fprintf(to, "%s%s", i ? "; " : "",
			json_string_value(json_object_get(group, "name")));
		put_prefixes(to, json_object_get(group, "added"), "+");
		put_prefixes(to, json_object_get(group, "removed"), "-");
	}
	if (to)
		fclose(to);
	json_decref(difference);
	return text;
}

static void record(const struct change *one, bool refresh, struct change_log *log)
{
	static const enum record_action action[] = {
		[CHANGE_ATTACH] = RECORD_ATTACH,
		[CHANGE_SWAP] = RECORD_SWAP,
		[CHANGE_DETACH] = RECORD_DETACH,
	};
	const struct pc_generation *current = one->filter.current.copy;
	bool filters = one->plan && current;
	__free_text char *what = refresh ? refresh_text(one) : NULL;

	change_log_add(log, &(struct logged){
				    .action = refresh ? RECORD_REFRESH : action[one->kind],
				    .what = what,
				    .name = change_name(one),
				    .generation = filters ? current->number : 0,
				    .before = one->kind == CHANGE_DETACH ? one->was : one->kept,
				    .before_unknown = one->kind == CHANGE_DETACH && !one->was,
				    .after = one->plan ? one->plan->kept : NULL,
				    .before_text = one->kept_text,
				    .after_text = one->plan ? one->plan->text : NULL,
				    .composition = one->plan ? &one->plan->composition : NULL,
				    .mode = one->kind == CHANGE_ATTACH ? one->mode : one->hook.mode,
				    .flows = filters ? flow_maps_size(&one->filter) : one->flows,
				    .seconds = filters ? seconds_left(current) : 0,
				    .deadline = filters ? current->deadline : 0,
			    });
}

/*
 * Live hairpin connections of each change, only with --forward: without it forwarded answers are
 * dropped anyway, and attach says so. The caller frees.
 */
static struct hairpin *find_hairpins(const struct changes *changes)
{
	struct hairpin *hairpin = xcalloc(changes->count, sizeof(*hairpin));

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *one = &changes->change[i];

		if (one->kind == CHANGE_DETACH || !one->plan->tables.generation->forward)
			continue;
		hairpin[i].generation = one->plan->tables.generation;
		hairpin[i].ifindex =
			one->kind == CHANGE_ATTACH ? one->hook.ifindex : one->filter.ifindex;
	}
	if (!changes->refresh)
		hairpins_find(hairpin, changes->count);
	return hairpin;
}

static void warn_hairpin(const char *interface, const struct hairpin *hairpin)
{
	__free_text char *text = hairpin_text(hairpin);

	if (text)
		warning("%s: %s", interface, text);
}

static int finish_all(const struct changes *changes)
{
	struct hairpin *hairpin;
	int err = 0;

	for (size_t i = 0; i < changes->count; i++) {
		record(&changes->change[i], changes->refresh, changes->log);
		answer_one(changes->answer, &changes->change[i]);
	}
	change_log_write(changes->log);
	hairpin = find_hairpins(changes);
	each_change (changes, one, CHANGE_ATTACH) {
		filter_finish(&one->filter);
		link_warn(one->hook.name, one->hook.ifindex, one->plan->tables.generation->forward);
		warn_hairpin(one->hook.name, &hairpin[one - changes->change]);
		plan_summary(one->plan, one->hook.name, hook_mode_name(one->mode), stdout);
	}
	each_change (changes, one, CHANGE_SWAP) {
		filter_finish(&one->filter);
		if (changes->refresh) {
			__free_text char *text = refresh_text(one);

			say_line("%s: %s", one->name, text ? text : "refreshed");
			continue;
		}
		plan_summary(one->plan, one->name, NULL, stdout);
		if (one->forwarded & ~one->plan->tables.generation->forward)
			link_warn(one->name, one->filter.ifindex,
				  one->plan->tables.generation->forward);
		warn_hairpin(one->name, &hairpin[one - changes->change]);
	}
	free(hairpin);
	each_change (changes, one, CHANGE_DETACH) {
		filter_detach(&one->filter);
		say_line("%s: detached; everything passes", one->name);
	}
	deny_last(changes);
	for (size_t i = 0; i < changes->count; i++)
		if (changes->change[i].kind != CHANGE_DETACH && say_confirm(&changes->change[i]))
			err = -ETIME;
	return err;
}

/*
 * Warns, after an attach, of interfaces without a filter: connections through these are not
 * learned, and the filters do not see packets that come in there.
 */
static void warn_unfiltered(const struct changes *changes)
{
	const struct change *first = NULL;
	__free_text char *profiles = NULL;
	__free_text char *listed = NULL;
	__free_text char *words = NULL;
	struct names names = {};

	each_change (changes, one, CHANGE_ATTACH)
		first = first ? first : one;
	if (!first || unfiltered_find(changes->hooks, &names) || !names.count) {
		names_free(&names);
		return;
	}
	listed = names_join(&names, ", ");
	words = shell_words(&names);
	profiles = report_joined(
		json_object_get(json_object_get(first->plan->kept, "recipe"), "profiles"), ",");
	warning("%s: %s and no filter: packets that come in there are not filtered, and replies to connections that this host opens there are dropped if they come in by an interface with a filter; to try it: portcullis attach %s -p %s --observe",
		listed, names.count > 1 ? "are up, have addresses" : "is up, has an address", words,
		profiles);
	names_free(&names);
}

/* Printed once, when a filter is attached. */
static void warn_ipsec(const struct changes *changes)
{
	bool attached = false;

	each_change (changes, one, CHANGE_ATTACH)
		attached = true;
	if (attached && ipsec_decrypts())
		warning("%s", IPSEC_UNFILTERED);
}

static void say_not_saved(const struct changes *changes)
{
	if (changes->command->words == GUARD_SITE_FILE || changes->refresh)
		return;
	hint("not saved: the next apply or boot undoes it; portcullis export site prints the filters as a site file");
}

static void say_changes(const struct changes *changes)
{
	each_change (changes, one, CHANGE_SWAP) {
		one->forwarded = one->filter.current.copy->forward;
		if (changes->refresh)
			continue;
		management_warn_open(changes->count > 1 ? one->name : NULL, one->plan);
		say_line("%s:", one->name);
		plan_features(one->plan, one->kept, stdout);
		difference_print(one->kept, one->plan->kept, stdout);
	}
	fflush(stdout);
}

static void answer_all(const struct changes *changes)
{
	static const enum answer_action action[] = {
		[CHANGE_ATTACH] = ANSWER_ATTACH,
		[CHANGE_SWAP] = ANSWER_SWAP,
		[CHANGE_DETACH] = ANSWER_DETACH,
	};

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *one = &changes->change[i];

		answer_interface(changes->answer, change_name(one), action[one->kind], one->kept,
				 one->plan ? one->plan->kept : NULL);
	}
}

/* -ESTALE with a message: the host, the site file or a profile has changed since the dry run. */
static int check_expected(const struct changes *changes)
{
	char digest[ANSWER_DIGEST];
	bool any = answer_digest(changes->answer, digest);

	if (!changes->expect || (any && !strcmp(digest, changes->expect)))
		return 0;
	error_fix("portcullis apply --dry-run",
		  "apply: the difference is not the expected one (%s): %s%s; nothing was changed",
		  changes->expect, any ? "its digest is " : "nothing differs", any ? digest : "");
	return -ESTALE;
}

static int say_dry_run(const struct changes *changes)
{
	__cleanup(filter_close) struct filter with = FILTER_NONE;
	json_t *none = json_object();
	bool first = true;
	int err = 0;

	each_change (changes, one, CHANGE_ATTACH) {
		if (!err && first)
			err = flow_maps_find(changes->hooks, one->flows, &with);
		first = false;
		if (err)
			break;
		plan_summary(one->plan, one->hook.name, "would attach", stdout);
		difference_print(none, one->plan->kept, stdout);
	}
	if (!err) {
		each_change (changes, one, CHANGE_SWAP)
			plan_summary(one->plan, one->name, "would swap", stdout);
		each_change (changes, one, CHANGE_DETACH)
			say_line("%s: would detach; everything would pass", one->name);
	}
	json_decref(none);
	return err;
}

static int ask_guard(const struct changes *changes)
{
	struct guard_target *target = xcalloc(changes->count, sizeof(*target));
	bool confirmed = true;
	size_t count = 0, i;
	int err;

	for (i = 0; i < changes->count; i++) {
		const struct change *one = &changes->change[i];

		if (one->kind == CHANGE_DETACH)
			continue;
		target[count++] = (struct guard_target){
			.interface = one->name,
			.ifindex = one->hook.ifindex,
			.plan = one->plan,
			.catalog = one->catalog,
			.kept = one->kept,
			.active = one->filter.current.copy,
		};
		confirmed &= is_to_be_confirmed(one);
	}
	err = guard_hold(changes->command, changes->hooks, target, count, changes->management,
			 changes->force ? GUARD_WARN :
			 confirmed	? GUARD_CONFIRM :
					  GUARD_STOP);
	free(target);
	return err;
}

/* Refuses --confirm if an interface would be detached: a detach cannot be undone. */
static int check_detaches(const struct changes *changes)
{
	bool confirm = false;
	size_t i;

	for (i = 0; i < changes->count; i++)
		confirm |= changes->change[i].confirm;
	each_change (changes, one, CHANGE_DETACH) {
		if (!confirm)
			continue;
		error("%s: %s would be detached, which --confirm cannot undo: detach it first, or leave out --confirm",
		      changes->command->name, one->name);
		return -EINVAL;
	}
	return 0;
}

/* A swap changes no hook, so the filters are read again only after an attach or detach. */
static void settle_hooks(const struct changes *changes, int err)
{
	bool same = !err;
	size_t i;

	for (i = 0; i < changes->count; i++)
		same &= changes->change[i].kind == CHANGE_SWAP;
	if (same || !hooks_read(changes->hooks)) {
		several_settle(changes->hooks);
		marks_settle(changes->hooks);
	}
}

/* Prints what changes, and asks the guard for a reason to refuse it. */
static int announce(const struct changes *changes)
{
	int err;

	answer_all(changes);
	say_changes(changes);
	err = changes->dry_run ? say_dry_run(changes) : 0;
	fflush(stdout);
	if (!err)
		err = check_expected(changes);
	if (!err)
		err = check_detaches(changes);
	if (!err)
		err = ask_guard(changes);
	if (err && !changes->dry_run)
		answer_take_back(changes->answer, changes->count);
	return err;
}

/* Own addresses within a machine's prefix must be kept for boot, where they appear later. */
static void keep_addresses(const struct changes *changes)
{
	bool machines = false;

	for (size_t i = 0; i < changes->count; i++)
		machines |= changes->change[i].plan && changes->change[i].plan->tables.machines;
	if (machines && !changes->boot)
		machine_addresses_keep();
}

int changes_run(const struct changes *changes)
{
	int err = announce(changes);

	if (err || changes->dry_run)
		return err;
	err = prepare_all(changes);
	if (!err)
		err = put_all_in_place(changes);
	if (err) {
		undo_all(changes);
		answer_take_back(changes->answer, changes->count);
	} else {
		keep_addresses(changes);
		err = finish_all(changes);
	}
	settle_hooks(changes, err);
	if (!err) {
		warn_unfiltered(changes);
		warn_ipsec(changes);
		fflush(stdout);
		say_not_saved(changes);
	}
	return err;
}
