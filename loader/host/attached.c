// SPDX-License-Identifier: GPL-2.0
/* Opens attached filters and reads what they have counted. */
#include "loader/host/attached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/kept.h"
#include "loader/filter/counter_maps.h"
#include "loader/filter/generation_maps.h"
#include "loader/filter/open.h"
#include "loader/object/folder.h"

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

static int read_one(struct live *live)
{
	int err = open_one(live);

	if (!err)
		err = filter_kept(live->hook.name, &live->filter, &live->kept);
	return err ? err : read_counters(live);
}

int hooks_of(const struct names *interfaces, const char *command, struct hook **list, size_t *count)
{
	size_t i;
	int err = 0;

	if (!interfaces->count)
		return hook_list(list, count);
	*list = xcalloc(interfaces->count, sizeof(**list));
	*count = interfaces->count;
	for (i = 0; i < *count && !err; i++) {
		err = hook_find(interfaces->name[i], &(*list)[i]);
		if (!err && !(*list)[i].id[0])
			err = hook_missing(&(*list)[i], command);
	}
	if (err) {
		free(*list);
		*list = NULL;
	}
	return err;
}

int hooks_names(struct names *names)
{
	__cleanup(text_free) struct hook *list = NULL;
	size_t count, i;
	int err = hook_list(&list, &count);

	for (i = 0; !err && i < count; i++)
		names_add(names, list[i].name);
	return err;
}

enum left_out {
	LEFT_OUT_NOT,
	LEFT_OUT_GONE,	  /* it was detached since it was listed */
	LEFT_OUT_VERSION, /* another version's: said already */
};

/* Why a filter that could not be opened is left out, where all are listed. */
static enum left_out why_left_out(const struct hook *hook, int err)
{
	if (err == -ENOENT && !hook_there(hook))
		return LEFT_OUT_GONE;
	return err == -EPROTO ? LEFT_OUT_VERSION : LEFT_OUT_NOT;
}

static int find(const struct names *interfaces, const char *command, int (*take)(struct live *live),
		struct live **list, size_t *count, bool *left_out)
{
	__cleanup(text_free) struct hook *hook = NULL;
	size_t hooks, i;
	int err = 0;

	*list = NULL;
	*count = 0;
	*left_out = false;
	if (pins_ready(false) < 0)
		return -EPERM;
	err = hooks_of(interfaces, command, &hook, &hooks);
	if (err)
		return err;
	*list = xcalloc(hooks, sizeof(**list));
	for (i = 0; i < hooks && !err; i++) {
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

int filter_kept(const char *interface, const struct filter *filter, json_t **kept)
{
	__free_text char *text = NULL;
	int err = filter_recipe(filter, &text);

	return err ? err : kept_parse(interface, text, kept);
}

int hook_open(const struct hook *hook, const char *command, struct filter *filter)
{
	int err = hook->id[0] ? filter_open(hook->id, filter) : -ENOENT;

	return err == -ENOENT ? hook_missing(hook, command) : err;
}

int filter_of(const char *interface, const char *command, struct filter *filter)
{
	struct hook hook;
	int err = pins_ready(false);

	if (err < 0)
		return err;
	err = hook_find(interface, &hook);
	return err ? err : hook_open(&hook, command, filter);
}
