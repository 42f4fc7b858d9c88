// SPDX-License-Identifier: GPL-2.0
/* Cleans up after interrupted commands and deleted interfaces. */
#include "loader/filter/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/compile/kept.h"
#include "loader/filter/confirm.h"
#include "loader/filter/detach.h"
#include "loader/filter/egress.h"
#include "loader/filter/generation.h"
#include "loader/filter/generation_maps.h"
#include "loader/filter/hook.h"
#include "loader/filter/installed.h"
#include "loader/filter/marks.h"
#include "loader/filter/open.h"
#include "loader/filter/pins.h"
#include "loader/filter/seed.h"
#include "loader/filter/slots.h"
#include "loader/object/paths.h"
#include "loader/filter/change_log.h"

/* Removes folders without a link, or with a link that lost its interface. */
static void collect_dead(const struct pinned *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct filter dead = FILTER_NONE;

		if (list[i].unseen || (list[i].link && list[i].ifindex))
			continue;
		memcpy(dead.id, list[i].id, sizeof(dead.id));
		marks_doubt(&dead);
		if (!egress_sweep(dead.id)) /* needs the pins, which name the egress program */
			filter_unpin(&dead);
	}
}

/* The name of a pinned filter's interface for a message; in another namespace only its number is
 * known. */
static char *interface_of(const struct pinned *pinned)
{
	struct hook hook;

	if (!hook_query(pinned->ifindex, pinned, 1, &hook) && hook.id[0])
		return xstrdup(hook.name);
	return xasprintf("interface %u of another network namespace", pinned->ifindex);
}

/* The state of a pinned filter. */
struct standing {
	bool known;   /* false: the filter has another version, or is just being removed */
	bool settled; /* no part of an interrupted command is left, and no deadline has passed */
	__u64 batch;  /* batch of the active generation */
};

/* True if a generation of this batch is already active at another interface. */
static bool batch_active(const struct standing *standing, size_t count, __u64 batch)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (batch && standing[i].known && standing[i].batch == batch)
			return true;
	return false;
}

static bool is_settled(const struct filter *filter)
{
	return !filter->reverted.copy && !filter->current.copy->stand_in &&
	       (filter->fallback.copy || !slot_has_fallback(filter)) &&
	       !installed_has_others(filter);
}

static int examine(const struct pinned *pinned, struct standing *standing)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err;

	if (!pinned->link || !pinned->ifindex)
		return 0;
	err = filter_open_head(pinned->id, &filter);
	if (err == -ENOENT || err == -EPROTO) {
		standing->settled = !filter_is_empty(pinned->id);
		return 0;
	}
	if (err) {
		error(PINS "/%s: cannot read: %s", pinned->id, strerror(-err));
		return err;
	}
	standing->known = true;
	standing->settled = is_settled(&filter);
	standing->batch = filter.current.copy->batch;
	return 0;
}

/*
 * Detaches a filter that was not confirmed in time, or whose attach was interrupted. `time`: of the
 * deadline; 0: there was none.
 */
static int take_off(const struct pinned *pinned, struct filter *filter, const char *what,
		    __u64 time)
{
	struct hook hook;
	int err;

	if (hook_query(pinned->ifindex, pinned, 1, &hook) || !hook.id[0])
		return 0; /* the filter is in another network namespace: a command there does it */
	filter->ifindex = hook.ifindex;
	err = filter_detach(filter);
	if (err)
		return err;
	change_log_one(&(struct logged){.action = RECORD_REVERT,
					.name = hook.name,
					.before_unknown = true,
					.what = what,
					.time = time},
		       NULL);
	warning("%s: %s: detached; everything passes", hook.name, what);
	return 0;
}

/* Records a change of the rule set that filters. */
static void log_kept(const struct filter *filter, const struct logged *logged)
{
	struct logged whole = *logged;
	__free_text char *text = NULL;
	json_t *kept = NULL;

	if (!filter_recipe(filter, &text))
		kept_parse(logged->name, text, &kept);
	whole.generation = filter->current.copy->number;
	whole.before_unknown = true;
	whole.after = kept;
	change_log_one(&whole, NULL);
	json_decref(kept);
}

static int settle_reverted(const struct pinned *pinned, struct filter *filter)
{
	__u64 time = clock_wall() - (clock_boot() - filter->reverted.copy->deadline);
	__free_text char *name = NULL;
	int err;

	if (filter->current.copy->stand_in)
		return take_off(pinned, filter, "the attach was not confirmed in time", time);
	name = interface_of(pinned);
	err = filter_settle_reverted(filter);
	if (err)
		return err;
	log_kept(filter, &(struct logged){.action = RECORD_REVERT,
					  .name = name,
					  .what = "the swap was not confirmed in time",
					  .time = time});
	warning("%s: the swap was not confirmed in time: generation %llu is active again", name,
		filter->current.copy->number);
	return 0;
}

/* Commits the prepared generation, or removes it. */
static int settle_left_over(const struct pinned *pinned, struct filter *filter, bool complete)
{
	__free_text char *name = interface_of(pinned);
	const char *what = filter->current.copy->stand_in ? "attach" : "swap";
	int err;

	if (complete) {
		filters_seed((const struct filter *[]){filter}, 1);
		err = filter_commit(filter);
		if (err)
			return err;
		log_kept(filter, &(struct logged){
					 .action = filter->replaced.copy &&
								   filter->replaced.copy->stand_in ?
							   RECORD_ATTACH :
							   RECORD_SWAP,
					 .name = name,
					 .what = "completed the change of an interrupted command",
					 .seconds = seconds_left(filter->current.copy),
					 .deadline = filter->current.copy->deadline,
				 });
		warning("%s: completed the %s of an interrupted command", name, what);
	} else if (filter->current.copy->stand_in) {
		return take_off(pinned, filter,
				"an interrupted command had only prepared the attach", 0);
	} else {
		generation_retire(filter, &filter->prepared);
		warning("%s: undid the swap that an interrupted command had only prepared", name);
	}
	return 0;
}

/* A change whose deadline has passed is not completed: it would be reverted at once. */
static bool is_over(const struct pc_generation *generation)
{
	return generation->deadline && clock_boot() >= generation->deadline;
}

/*
 * Completes the change of an interrupted command if the command had already switched another
 * interface; else removes what it had prepared.
 */
static int settle(const struct pinned *pinned, const struct standing *standing, size_t count)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	__u64 batch;
	int err = filter_open(pinned->id, &filter);

	if (!err && filter.reverted.copy)
		return settle_reverted(pinned, &filter);
	if (!err)
		err = filter_left_over(&filter, &batch);
	if (!err && filter.prepared.copy)
		err = settle_left_over(pinned, &filter,
				       batch_active(standing, count, batch) &&
					       !is_over(filter.prepared.copy));
	else if (!err && filter.current.copy->stand_in)
		err = take_off(pinned, &filter, "an interrupted command had only begun to attach",
			       0);
	if (err || !filter.current.copy)
		return err == -ENOENT ? 0 : err;
	filter_finish(&filter);
	return 0;
}

/* Removes a filter that an interrupted detach left: its packets already pass. */
static void settle_empty(const struct pinned *pinned)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	if (pinned->link && filter_is_empty(pinned->id)) {
		memcpy(filter.id, pinned->id, sizeof(filter.id));
		take_off(pinned, &filter, "completed the detach of an interrupted command", 0);
	}
}

/* Settles each filter whose `standing` is not settled. */
static int settle_all(const struct hooks *hooks, const struct standing *standing)
{
	size_t i;
	int err = 0;

	for (i = 0; i < hooks->pins && !err; i++)
		if (!standing[i].settled && standing[i].known)
			err = settle(&hooks->pinned[i], standing, hooks->pins);
		else if (!standing[i].settled)
			settle_empty(&hooks->pinned[i]);
	return err;
}

/* True if the folder's filter works at an interface, so that settle_all leaves it alone. */
static bool is_whole(const struct pinned *pinned, const struct standing *standing)
{
	return pinned->unseen || (pinned->link && pinned->ifindex && standing->settled);
}

int hooks_settle(struct hooks *hooks)
{
	struct standing *standing;
	bool whole = true;
	size_t i;
	int err = 0;

	standing = xcalloc(hooks->pins, sizeof(*standing));
	collect_dead(hooks->pinned, hooks->pins);
	for (i = 0; i < hooks->pins && !err; i++) {
		err = examine(&hooks->pinned[i], &standing[i]);
		whole &= is_whole(&hooks->pinned[i], &standing[i]);
	}
	if (!err)
		err = settle_all(hooks, standing);
	free(standing);
	return err || whole ? err : hooks_read(hooks);
}

static int attach_again(struct filter *filter, const struct hook *hook)
{
	int err = egress_attach(filter, hook->name, hook->ifindex);

	return err ? err : filter_repin_egress(filter);
}

/* An interface that is deleted or moved meanwhile is not a failure. */
static bool try_again(struct filter *filter, const struct hook *hook)
{
	const struct message_sink sink = messages_to(messages_drop, NULL);
	bool failed = attach_again(filter, hook);

	messages_to(sink.take, sink.context);
	return !failed || !hook_there(hook);
}

static bool egress_missing(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	return !filter_open_egress(hook->id, &filter) &&
	       egress_state(&filter, hook->ifindex) == EGRESS_MISSING;
}

static void restore_egress(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	if (!egress_missing(hook) || filter_try_open(hook->id, &filter))
		return;
	marks_doubt(&filter);
	fd_close(&filter.fd[FILTER_EGRESS_LINK]);
	if (!try_again(&filter, hook) && attach_again(&filter, hook)) {
		__free_text char *word = shell_word(hook->name);

		warning("%s: its egress program is missing: outgoing packets are neither learned nor filtered; portcullis detach %s, then attach again",
			hook->name, word);
		return;
	}
	if (!hook_there(hook))
		return;
	warning("%s: its egress program was missing, and is attached again: packets sent meanwhile were not learned",
		hook->name);
	seed_live(&(struct seed){.filter = &filter,
				 .ifindex = hook->ifindex,
				 .generation = filter.current.copy},
		  1);
}

void hooks_restore_egress(const struct hooks *hooks)
{
	size_t i;

	for (i = 0; i < hooks->count; i++)
		restore_egress(&hooks->hook[i]);
}

int hooks_collect(struct hooks *hooks)
{
	int err = hooks_read(hooks);

	if (!err)
		err = hooks_settle(hooks);
	if (!err)
		hooks_restore_egress(hooks);
	return err;
}
