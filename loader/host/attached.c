// SPDX-License-Identifier: GPL-2.0
/* Opens attached filters and reads their counters. */
#include "loader/host/attached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/kept.h"
#include "loader/filter/confirm.h"
#include "loader/filter/counter_maps.h"
#include "loader/filter/flow_maps.h"
#include "loader/filter/generation_maps.h"
#include "loader/filter/open.h"
#include "loader/object/folder.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/json_forms.h"

static int open_one(struct live *live)
{
	live->filter = FILTER_NONE;
	return filter_open(live->hook.id, &live->filter);
}

static int read_counters(struct live *live)
{
	const struct filter *filter = &live->filter;
	int err;

	live->counters = xcalloc(1, sizeof(*live->counters));
	err = filter_counters(filter, live->counters);
	if (err)
		error("%s: cannot read the counters: %s", live->hook.name, strerror(-err));
	return err;
}

static int read_kept(struct live *live)
{
	int err = open_one(live);

	return err ? err : filter_kept(live->hook.name, &live->filter, &live->kept);
}

static int read_one(struct live *live)
{
	int err = read_kept(live);

	return err ? err : read_counters(live);
}

int hooks_of(const struct hooks *hooks, const struct names *interfaces, const char *command,
	     struct hook **list, size_t *count)
{
	bool all = !interfaces->count;
	size_t i;
	int err = 0;

	*count = all ? hooks->count : interfaces->count;
	*list = xcalloc(*count, sizeof(**list));
	for (i = 0; i < *count && all; i++)
		(*list)[i] = hooks->hook[i];
	for (i = 0; i < *count && !all && !err; i++) {
		err = hook_find(hooks, interfaces->name[i], &(*list)[i]);
		if (!err && !(*list)[i].id[0])
			err = hook_missing(&(*list)[i], command);
	}
	if (err) {
		free(*list);
		*list = NULL;
	}
	return err;
}

void hooks_names(const struct hooks *hooks, struct names *names)
{
	size_t i;

	for (i = 0; i < hooks->count; i++)
		names_add(names, hooks->hook[i].name);
}

enum left_out {
	LEFT_OUT_NOT,
	LEFT_OUT_GONE,	  /* it was detached after it was listed */
	LEFT_OUT_VERSION, /* it has another version, which filter_open has reported */
};

/* Why a filter is left out of the list, because it could not be opened. */
static enum left_out why_left_out(const struct hook *hook, int err)
{
	if (err == -ENOENT && !hook_there(hook))
		return LEFT_OUT_GONE;
	return err == -EPROTO ? LEFT_OUT_VERSION : LEFT_OUT_NOT;
}

static int find(const struct names *interfaces, const char *command, int (*take)(struct live *live),
		struct live **list, size_t *count, bool *left_out)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(text_free) struct hook *hook = NULL;
	size_t found, i;
	int err = 0;

	*list = NULL;
	*count = 0;
	*left_out = false;
	if (pins_ready(false) < 0)
		return -EPERM;
	err = hooks_read(&hooks);
	if (!err)
		err = hooks_of(&hooks, interfaces, command, &hook, &found);
	if (err)
		return err;
	*list = xcalloc(found, sizeof(**list));
	for (i = 0; i < found && !err; i++) {
		struct live *live = &(*list)[*count];
		enum left_out why;

		*live = (struct live){.hook = hook[i], .filter = FILTER_NONE};
		err = take(live);
		why = interfaces->count ? LEFT_OUT_NOT : why_left_out(&hook[i], err);
		*left_out |= why == LEFT_OUT_VERSION;
		if (why == LEFT_OUT_NOT) {
			++*count;
		} else {
			filter_close(&live->filter);
			err = 0;
		}
		if (err == -ENOENT)
			err = hook_missing(&hook[i], command);
	}
	if (err) {
		live_free(*list, *count);
		*list = NULL;
		*count = 0;
	}
	return err;
}

int live_open(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count, bool *left_out)
{
	return find(interfaces, command, open_one, list, count, left_out);
}

int live_read_kept(const struct names *interfaces, const char *command, struct live **list,
		   size_t *count, bool *left_out)
{
	return find(interfaces, command, read_kept, list, count, left_out);
}

int live_read(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count, bool *left_out)
{
	return find(interfaces, command, read_one, list, count, left_out);
}

void live_free(struct live *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		filter_close(&list[i].filter);
		json_decref(list[i].kept);
		free(list[i].counters);
	}
	free(list);
}

int filter_kept_text(const char *interface, const struct filter *filter, json_t **kept, char **text)
{
	int err = filter_recipe(filter, text);

	return err ? err : kept_parse(interface, *text, kept);
}

int filter_kept(const char *interface, const struct filter *filter, json_t **kept)
{
	__free_text char *text = NULL;

	return filter_kept_text(interface, filter, kept, &text);
}

json_t *filter_kept_of(const char *id, __u32 *flows)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	__free_text char *text = NULL;

	json_t *kept;

	*flows = 0;
	if (filter_try_open(id, &filter) || filter_recipe(&filter, &text))
		return NULL;
	*flows = flow_maps_size(&filter);
	kept = json_loads(text, 0, NULL);
	if (kept)
		kept_expand(kept);
	return kept;
}

/* The wall clock time of a clock_boot time. */
static __u64 wall_time(__u64 boot)
{
	return clock_wall() + boot - clock_boot();
}

json_t *filter_confirm_json(const struct filter *filter)
{
	const struct pc_generation *current = filter->current.copy;
	const struct pc_generation *fallback = current->deadline ? filter->fallback.copy : current;
	__u64 when = current->reverted_at;
	char deadline[TIME_TEXT];

	if (filter->reverted.copy)
		when = wall_time(filter->reverted.copy->deadline);
	else if (current->deadline)
		when = wall_time(current->deadline);
	if (!when)
		return json_null();
	return json_pack("{s:s, s:I, s:s, s:o}", "state",
			 current->deadline ? "waiting" : "reverted", "seconds_left",
			 (json_int_t)seconds_left(current), "deadline", report_time(when, deadline),
			 "fallback",
			 fallback->stand_in ? json_null() : json_integer(fallback->number));
}

int hook_open(const struct hook *hook, const char *command, struct filter *filter)
{
	int err = hook->id[0] ? filter_open(hook->id, filter) : -ENOENT;

	return err == -ENOENT ? hook_missing(hook, command) : err;
}

int filter_of(const char *interface, const char *command, struct filter *filter)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	struct hook hook;
	int err = pins_ready(false);

	if (err < 0)
		return err;
	err = hooks_read(&hooks);
	if (!err)
		err = hook_find(&hooks, interface, &hook);
	return err ? err : hook_open(&hook, command, filter);
}
