// SPDX-License-Identifier: GPL-2.0
/* Cleans up after interrupted commands and deleted interfaces. */
#include "loader/filter/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/confirm.h"
#include "loader/filter/detach.h"
#include "loader/filter/egress.h"
#include "loader/filter/generation.h"
#include "loader/filter/hook.h"
#include "loader/filter/installed.h"
#include "loader/filter/open.h"
#include "loader/filter/pins.h"
#include "loader/filter/seed.h"
#include "loader/filter/slots.h"
#include "loader/object/paths.h"
#include "loader/report/record.h"

/* Removes folders without a link, or whose link lost its interface. */
static void collect_dead(const struct pinned *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct filter dead = FILTER_NONE;

		if (list[i].unseen || (list[i].link && list[i].ifindex))
			continue;
		memcpy(dead.id, list[i].id, sizeof(dead.id));
		if (!egress_sweep(dead.id)) /* while the program's pin still tells which */
			filter_unpin(&dead);
	}
}

/* The name of a pinned filter's interface for a message; another namespace's has a number only. */
static char *interface_of(const struct pinned *pinned)
{
	struct hook hook;

	if (!hook_query(pinned->ifindex, pinned, 1, &hook) && hook.id[0])
		return xstrdup(hook.name);
	return xasprintf("interface %u of another network namespace", pinned->ifindex);
}

/* What judges at a pinned filter. */
struct judging {
	bool known; /* false: another version's, or just going away */
	__u64 batch;
};

/* Whether another interface is judged by a generation of this batch already. */
static bool batch_judges(const struct judging *judging, size_t count, __u64 batch)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (batch && judging[i].known && judging[i].batch == batch)
			return true;
	return false;
}

static int look_at(const struct pinned *pinned, struct judging *judging)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err;

	if (!pinned->link || !pinned->ifindex)
		return 0;
	err = filter_try_open(pinned->id, &filter);
	if (err == -ENOENT || err == -EPROTO)
		return 0;
	if (err) {
		error(PINS "/%s: cannot read: %s", pinned->id, strerror(-err));
		return err;
	}
	judging->known = true;
	judging->batch = filter.current.copy->batch;
	return 0;
}

/* What was attached to be confirmed and never was, or whose command was killed. */
static int take_off(const struct pinned *pinned, struct filter *filter, const char *what)
{
	struct hook hook;
	int err;

	if (hook_query(pinned->ifindex, pinned, 1, &hook) || !hook.id[0])
		return 0; /* of another network namespace: left to a command there */
	filter->ifindex = hook.ifindex;
	err = filter_detach(filter);
	if (err)
		return err;
	record_change(
		&(struct record){.action = RECORD_REVERT, .interface = hook.name, .what = what});
	warning("%s: %s: detached; everything passes", hook.name, what);
	return 0;
}

static int settle_reverted(const struct pinned *pinned, struct filter *filter)
{
	__free_text char *name = NULL;
	int err;

	if (filter->current.copy->stand_in)
		return take_off(pinned, filter, "the attach was not confirmed in time");
	name = interface_of(pinned);
	err = filter_settle_reverted(filter);
	if (err)
		return err;
	record_change(&(struct record){.action = RECORD_REVERT,
				       .interface = name,
				       .generation = filter->current.copy->number,
				       .what = "the swap was not confirmed in time"});
	warning("%s: the swap was not confirmed in time: generation %llu is active again", name,
		filter->current.copy->number);
	return 0;
}

/* A generation that was prepared and is not in place, or was replaced and is still there. */
static int settle_left_over(const struct pinned *pinned, struct filter *filter, bool complete)
{
	__free_text char *name = interface_of(pinned);
	const char *what = filter->current.copy->stand_in ? "attach" : "swap";
	int err;

	if (complete) {
		err = filter_commit(filter);
		if (err)
			return err;
		record_change(&(struct record){
			.action = filter->replaced.copy && filter->replaced.copy->stand_in ?
					  RECORD_ATTACH :
					  RECORD_SWAP,
			.interface = name,
			.generation = filter->current.copy->number,
			.what = "completed the change of an interrupted command",
			.seconds = seconds_left(filter->current.copy),
		});
		warning("%s: completed the %s of an interrupted command", name, what);
	} else if (filter->current.copy->stand_in) {
		return take_off(pinned, filter,
				"an interrupted command had only prepared the attach");
	} else {
		generation_retire(filter, &filter->prepared);
		warning("%s: undid the swap that an interrupted command had only prepared", name);
	}
	return 0;
}

/* To complete what would fall back at once helps nobody. */
static bool is_over(const struct pc_generation *generation)
{
	return generation->deadline && clock_boot() >= generation->deadline;
}

/* Completes what the killed command had begun elsewhere; else clears away what it had prepared. */
static int settle(const struct pinned *pinned, const struct judging *judging, size_t count)
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
				       batch_judges(judging, count, batch) &&
					       !is_over(filter.prepared.copy));
	else if (!err && filter.current.copy->stand_in)
		err = take_off(pinned, &filter, "an interrupted command had only begun to attach");
	if (err || !filter.current.copy)
		return err == -ENOENT ? 0 : err;
	filter_finish(&filter);
	return 0;
}

/* A command was killed while it detached: everything passes already. */
static void settle_empty(const struct pinned *pinned)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	if (pinned->link && filter_is_empty(pinned->id)) {
		memcpy(filter.id, pinned->id, sizeof(filter.id));
		take_off(pinned, &filter, "completed the detach of an interrupted command");
	}
}

int hook_settle(void)
{
	struct judging *judging;
	struct pinned *list;
	size_t count, i;
	int err = hook_pins(&list, &count);

	if (err)
		return err;
	collect_dead(list, count);
	judging = xcalloc(count, sizeof(*judging));
	for (i = 0; i < count && !err; i++)
		err = look_at(&list[i], &judging[i]);
	for (i = 0; i < count && !err; i++)
		if (judging[i].known)
			err = settle(&list[i], judging, count);
		else
			settle_empty(&list[i]);
	free(judging);
	free(list);
	return err;
}

static int attach_again(struct filter *filter, const struct hook *hook)
{
	int err = egress_attach(filter, hook->name, hook->ifindex);

	return err ? err : filter_repin_egress(filter);
}

/* One that goes meanwhile, deleted or moved, has lost no more than the interface. */
static bool try_again(struct filter *filter, const struct hook *hook)
{
	const struct message_sink sink = messages_to(messages_drop, NULL);
	bool failed = attach_again(filter, hook);

	messages_to(sink.take, sink.context);
	return !failed || !hook_there(hook);
}

static void mend(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	if (filter_try_open(hook->id, &filter) ||
	    egress_state(&filter, hook->ifindex) != EGRESS_MISSING)
		return;
	fd_close(&filter.fd[FILTER_EGRESS_LINK]);
	if (!try_again(&filter, hook) && attach_again(&filter, hook)) {
		warning("%s: its egress program is missing: outgoing packets are neither learned nor filtered; portcullis detach %s, then attach again",
			hook->name, hook->name);
		return;
	}
	if (!hook_there(hook))
		return;
	warning("%s: its egress program was missing, and is attached again: packets sent meanwhile were not learned",
		hook->name);
	seed_live(&filter, hook->ifindex, filter.current.copy->forward);
}

void hook_mend(void)
{
	struct hook *hook;
	size_t count, i;

	if (hook_list(&hook, &count))
		return;
	for (i = 0; i < count; i++)
		mend(&hook[i]);
	free(hook);
}

int hook_collect(void)
{
	int err = hook_settle();

	if (!err)
		hook_mend();
	return err;
}
