// SPDX-License-Identifier: GPL-2.0
/*
 * Takes over a filter of another version: makes a filter of this version from its pins and recipe.
 */
#include "loader/host/takeover.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/compile/replan.h"
#include "loader/filter/any_layout.h"
#include "loader/filter/change_log.h"
#include "loader/filter/egress.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/generation.h"
#include "loader/filter/load.h"
#include "loader/filter/open.h"
#include "loader/filter/past.h"
#include "loader/filter/pins.h"
#include "loader/filter/seed.h"
#include "loader/filter/several.h"
#include "loader/host/attached.h"
#include "loader/host/bans.h"
#include "loader/host/grants.h"
#include "loader/host/lockout.h"
#include "loader/net/frame_find.h"
#include "loader/net/link.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"
#include "loader/report/difference.h"

/* Makes the rule set of the new filter: the old recipe, with the present catalog. */
static int make(const char *interface, const struct any_layout *other, const struct names *folders,
		struct remade *made)
{
	int err = remake(interface, other->recipe, folders, made);
	__free_text char *word = shell_word(interface);

	if (err)
		error("%s: its filter was attached by another version, and its settings cannot be used (see above); use that version, or portcullis detach %s and attach again",
		      interface, word);
	return err;
}

/* The size for the flow maps: that of the old filter. */
static __u32 flows_of(const struct any_layout *other)
{
	struct bpf_map_info info;

	if (other->filter.fd[FILTER_CONNECTIONS] >= 0)
		return flow_maps_size(&other->filter);
	return other->filter.fd[FILTER_FLOWS] < 0 ||
			       object_map(other->filter.fd[FILTER_FLOWS], &info) ?
		       PC_FLOWS :
		       info.max_entries;
}

/* Opens a pin that not every filter has. */
static int take_descriptor(const struct filter *old, enum filter_fd which, struct filter *ours)
{
	ours->fd[which] = old->fd[which] < 0 ? -1 : fd_dup(old->fd[which]);
	return old->fd[which] >= 0 && ours->fd[which] < 0 ? ours->fd[which] : 0;
}

/*
 * The new filter shares the flow maps of this version's filters in the network namespace, if there
 * are any; else it takes the old filter's.
 */
static int load(const struct hooks *hooks, const struct hook *hook, const struct any_layout *other,
		const struct remade *made, enum pc_frame frame, struct filter *filter)
{
	__cleanup(filter_close) struct filter with = FILTER_NONE;
	struct filter none = FILTER_NONE;
	struct tables tables = made->plan.tables;
	const struct filter *flows = other->version >= PC_FLOWS_SINCE ? &other->filter : &none;
	int err = flow_maps_find(hooks, 0, &with);

	if (!err)
		err = filter_load_sharing(filter, with.fd[FILTER_FLOWS] >= 0 ? &with : flows,
					  other->version >= PC_COUNTERS_SINCE ? &other->filter :
										&none,
					  flows_of(other), frame, tables.generation);
	if (err)
		return err;
	bans_restore(filter);
	grants_restore(filter);
	if (with.fd[FILTER_FLOWS] >= 0)
		several_set(filter);
	filter->ifindex = hook->ifindex;
	if (other->version >= PC_COUNTERS_SINCE)
		err = take_descriptor(&other->filter, FILTER_TALLIES, filter);
	if (err)
		return err;
	tables.generation->number = other->number + 1;
	tables.generation->attached_at = other->attached_at;
	err = filter_switch(filter, &tables, made->plan.text, false);
	if (err || !(tables.generation->denied | tables.generation->never_ban))
		return err;
	return bans_follow(hooks, &filter, 1, false);
}

/*
 * Keeps counters in the old filter's own layout: the present counts are put into the new folder
 * before the programs change, so that a reader never finds less than before.
 */
static int keep_counters(const struct hook *hook, const struct any_layout *old, struct filter *ours)
{
	if (old->version >= PC_COUNTERS_SINCE) {
		int err = take_descriptor(&old->filter, FILTER_PAST, ours);

		return err ? err : take_descriptor(&old->filter, FILTER_CLEARED, ours);
	}
	if (!past_known(old->version)) {
		warning("%s: counters begin at zero, because that version kept them in another layout",
			hook->name);
		return 0;
	}
	ours->fd[FILTER_PAST] = past_make(&old->filter, old->version);
	return ours->fd[FILTER_PAST] < 0 ? ours->fd[FILTER_PAST] : 0;
}

/* Adds the counts of the old programs, when none of them runs any more. */
static void keep_last_counts(const struct hook *hook, const struct any_layout *old,
			     struct filter *ours)
{
	int past, err;

	if (old->version >= PC_COUNTERS_SINCE || !past_known(old->version))
		return;
	err = filter_await_packets(ours);
	past = err ? err : past_make(&old->filter, old->version);
	err = past < 0 ? past : past_put(ours, past);
	if (err && past >= 0)
		fd_close(&past);
	if (err)
		warning("%s: packets counted during the takeover are lost: %s", hook->name,
			strerror(-err));
}

/*
 * Replaces the programs. While both folders have the link pinned, it belongs to the one whose
 * program it runs. If a command is killed here, the next one collects the other folder and restores
 * the egress program.
 */
static int put_in_place(const struct hook *hook, struct any_layout *other, struct filter *ours)
{
	struct filter *old = &other->filter;
	int err = keep_counters(hook, other, ours);

	if (!err)
		err = filter_pin_egress(ours);
	if (err)
		return err;
	err = egress_replace(ours, old, hook->name, hook->ifindex);
	if (err) {
		filter_unpin(ours);
		return err;
	}
	seed_old(ours, old);
	seed_live(&(struct seed){.filter = ours,
				 .ifindex = hook->ifindex,
				 .generation = ours->current.copy},
		  1);
	ours->fd[FILTER_LINK] = fd_dup(old->fd[FILTER_LINK]);
	err = ours->fd[FILTER_LINK] < 0 ? ours->fd[FILTER_LINK] : filter_pin(ours);
	if (!err && bpf_link_update(old->fd[FILTER_LINK], ours->fd[FILTER_PROGRAM], NULL)) {
		err = -errno;
		link_failed(hook->name, err, "cannot replace the program");
	}
	if (!err) {
		keep_last_counts(hook, other, ours);
		filter_unpin(old);
		return 0;
	}
	egress_replace(old, ours, hook->name, hook->ifindex);
	filter_unpin(ours);
	return err;
}

/* Returns 0, or -EBUSY with a message: the new filter would decide otherwise. */
static int check_same(const struct hook *hook, const struct remade *made, bool misread)
{
	__free_text char *changes = difference_short(made->kept, made->plan.kept);
	__free_text char *word = shell_word(hook->name);

	if (!changes && !misread)
		return 0;
	error("%s: keeps the programs of the version that attached it, because this version %s; to take it over: portcullis swap %s",
	      hook->name,
	      changes ?
		      changes :
		      "filters its frames, which have no Ethernet header, and that one lets everything pass",
	      word);
	return -EBUSY;
}

/*
 * Checks whether the new filter decides otherwise: because profiles have changed, or because the
 * old version took frames without an Ethernet header for non-IP, and let them pass.
 */
static int check_change(const struct hooks *hooks, const struct hook *hook,
			const struct takeover *how, bool misread, struct remade *made)
{
	const struct guard_target target = {.interface = hook->name,
					    .ifindex = hook->ifindex,
					    .plan = &made->plan,
					    .catalog = &made->catalog,
					    .kept = made->kept};
	__free_text char *text = NULL;
	size_t length, changes;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		return -ENOMEM;
	changes = difference_print(made->kept, made->plan.kept, to);
	fclose(to);
	if (how->same)
		return check_same(hook, made, misread);
	if (misread)
		say_line(
			"%s: its frames have no Ethernet header: the version that attached it let everything pass; from now on it is filtered",
			hook->name);
	if (!changes && !misread)
		return 0;
	if (changes)
		say_line("%s: its profiles have changed since it was attached:", hook->name);
	fputs(text, stdout);
	fflush(stdout);
	if (!how->confirm)
		return guard_hold(how->command, hooks, &target, 1, how->management,
				  how->force ? GUARD_WARN : GUARD_STOP);
	error("%s: another version attached it, and taking it over cannot be undone: run %s without --confirm first, then again with it",
	      hook->name, how->command->name);
	return -EBUSY;
}

static int replace(struct hooks *hooks, struct hook *hook, const struct takeover *how,
		   struct any_layout *other)
{
	__cleanup(remade_free) struct remade made = {};
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	__free_text char *from = NULL, *what = NULL;
	enum pc_frame frame;
	int err = frame_of(hook->name, hook->ifindex, &frame);

	if (!err)
		err = make(hook->name, other, how->folders, &made);
	if (!err)
		err = check_change(hooks, hook, how,
				   frame != PC_FRAME_ETHERNET && other->version < PC_FRAMES_SINCE,
				   &made);
	if (!err)
		err = load(hooks, hook, other, &made, frame, &filter);
	if (!err)
		err = put_in_place(hook, other, &filter);
	if (err)
		return err;
	memcpy(hook->id, filter.id, sizeof(hook->id));
	hook->program_id = filter.program_id;
	from = xasprintf("%s%s",
			 *other->program_version ? "portcullis " : "a version of another layout",
			 other->program_version);
	what = xasprintf("from %s", from);
	change_log_one(&(struct logged){.action = RECORD_TAKEOVER,
					.name = hook->name,
					.generation = filter.current.copy->number,
					.before = made.kept,
					.after = made.plan.kept,
					.after_text = made.plan.text,
					.composition = &made.plan.composition,
					.mode = hook->mode,
					.flows = flow_maps_size(&filter),
					.what = what},
		       how->comment);
	say_line("%s: taken over from %s", hook->name, from);
	return hooks_read(hooks);
}

/* Returns 1 if the filter must be replaced, 0 if not, or -errno with a message. */
static int look_at(const struct hook *hook, const struct any_layout *other)
{
	__free_text char *word = shell_word(hook->name);

	if (other->version > PC_ABI_VERSION) {
		error("%s: was attached by a newer version of portcullis, whose layout this one does not know: use that version, or portcullis detach %s and attach again",
		      hook->name, word);
		return -EPROTO;
	}
	if (other->version < PC_ABI_VERSION && (other->waits || other->stand_in)) {
		error("%s: was attached by an older version of portcullis, and is not confirmed yet: confirm it with that version, wait until it has reverted, or portcullis detach %s",
		      hook->name, word);
		return -EBUSY;
	}
	if (other->version < PC_ABI_VERSION)
		return 1;
	return strcmp(other->program_version, PORTCULLIS_VERSION) && !other->waits &&
	       !other->stand_in;
}

/* True if this version attached the filter. */
static bool is_own(const struct filter *filter)
{
	return !strcmp(filter->current.copy->program_version, PORTCULLIS_VERSION);
}

/* As above, for a filter that is not open. Opens less than any_layout_open. */
static bool is_own_head(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	return !filter_open_head(hook->id, &filter) && is_own(&filter);
}

int takeover(struct hooks *hooks, struct hook *hook, const struct takeover *how)
{
	__cleanup(any_layout_close) struct any_layout other = {.filter = FILTER_NONE};
	int err;

	if (is_own_head(hook))
		return 0;
	err = any_layout_open(hook->id, &other);
	if (err == -ENOENT)
		return 0; /* pins are missing, which filter_open reports */
	if (err) {
		error(PINS "/%s: %s", hook->id, strerror(-err));
		return err;
	}
	err = look_at(hook, &other);
	if (err <= 0)
		return err;
	if (!how->dry_run)
		return replace(hooks, hook, how, &other);
	say_line("%s: would first be taken over from another version", hook->name);
	if (other.version == PC_ABI_VERSION)
		return 0;
	error("%s: --dry-run cannot show more, because that version has another layout; take it over first: portcullis takeover",
	      hook->name);
	return -EPROTO;
}

int takeover_open(struct hooks *hooks, struct hook *hook, const struct takeover *how,
		  struct filter *filter)
{
	int err = hook->id[0] ? filter_try_open(hook->id, filter) : -ENOENT;

	if (!err && is_own(filter))
		return 0;
	if (!err)
		filter_close(filter);
	err = hook->id[0] ? takeover(hooks, hook, how) : 0;
	return err ? err : hook_open(hook, how->command->name, filter);
}
