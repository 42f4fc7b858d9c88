// SPDX-License-Identifier: GPL-2.0
/* Undoes pending changes at once, in the same way as their deadline would. */
#include "loader/host/undo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/confirm.h"
#include "loader/filter/detach.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/generation_maps.h"
#include "loader/filter/marks.h"
#include "loader/filter/open.h"
#include "loader/filter/settle.h"
#include "loader/filter/several.h"
#include "loader/host/attached.h"
#include "loader/report/difference.h"

#define UNDONE "the pending change was undone"

/* A pending change, and what the undo restores. */
struct pending {
	const struct hook *hook;
	json_t *now, *back; /* kept texts; NULL: no filter */
	bool attach;
};

static void pending_free(struct pending *pending, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_decref(pending[i].now);
		json_decref(pending[i].back);
	}
	free(pending);
}

bool undo_is_pending(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	return hook->id[0] && !filter_open_head(hook->id, &filter) &&
	       filter.current.copy->deadline && seconds_left(filter.current.copy);
}

/* The kept text of the fallback. */
static int read_back(const char *interface, const struct filter *filter, json_t **kept)
{
	struct filter fallback = *filter;

	fallback.current = filter->fallback;
	return filter_kept(interface, &fallback, kept);
}

static int read_one(const struct hook *hook, struct pending *pending)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err = hook_open(hook, "rollback", &filter);

	pending->hook = hook;
	if (!err)
		err = filter_kept(hook->name, &filter, &pending->now);
	if (err)
		return err;
	if (!filter.fallback.copy) {
		error("%s: the deadline has just passed; try again", hook->name);
		return -EAGAIN;
	}
	pending->attach = filter.fallback.copy->stand_in;
	return pending->attach ? 0 : read_back(hook->name, &filter, &pending->back);
}

static void tell(const struct pending *pending, bool dry_run, struct answer *answer)
{
	answer_interface(answer, pending->hook->name, pending->attach ? ANSWER_DETACH : ANSWER_SWAP,
			 pending->now, pending->back);
	say_line("%s: %s the pending change%s", pending->hook->name,
		 dry_run ? "would undo" : "undoes",
		 pending->attach ? ", an attach: everything passes" : ":");
	if (pending->back)
		difference_print(pending->now, pending->back, stdout);
	fflush(stdout);
}

static int expire(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err = hook_open(hook, "rollback", &filter);

	/* Without a fallback the deadline has passed in this moment. */
	return err || !filter.fallback.copy ? err : filter_expire(&filter);
}

static int clean_up(const struct pending *pending, struct change_log *log, struct answer *answer)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	const struct hook *hook = pending->hook;
	int err = hook_open(hook, "rollback", &filter);

	if (!err)
		err = pending->attach ? filter_detach(&filter) : filter_settle_undone(&filter);
	if (err)
		return err;
	change_log_add(log, &(struct logged){
				    .action = RECORD_REVERT,
				    .name = hook->name,
				    .generation = pending->attach ? 0 : filter.current.copy->number,
				    .before = pending->now,
				    .after = pending->back,
				    .mode = hook->mode,
				    .flows = pending->attach ? 0 : flow_maps_size(&filter),
				    .what = UNDONE,
			    });
	if (pending->attach) {
		say_line("%s: detached; everything passes", hook->name);
		return 0;
	}
	answer_result(answer, hook->name, filter.current.copy->number, 0);
	say_line("%s: generation %llu is active again", hook->name, filter.current.copy->number);
	return 0;
}

static int carry_out(struct hooks *hooks, const struct pending *pending, size_t count,
		     struct change_log *log, struct answer *answer)
{
	size_t i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = expire(pending[i].hook);
	for (i = 0; i < count && !err; i++)
		err = clean_up(&pending[i], log, answer);
	change_log_write(log);
	if (!hooks_read(hooks)) {
		several_settle(hooks);
		marks_settle(hooks);
	}
	return err;
}

int undo_pending(struct hooks *hooks, const struct hook *hook, size_t count, bool dry_run,
		 struct change_log *log, struct answer *answer)
{
	struct pending *pending = xcalloc(count, sizeof(*pending));
	size_t i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = read_one(&hook[i], &pending[i]);
	for (i = 0; i < count && !err; i++)
		tell(&pending[i], dry_run, answer);
	if (!err && !dry_run)
		err = carry_out(hooks, pending, count, log, answer);
	pending_free(pending, count);
	return err;
}
