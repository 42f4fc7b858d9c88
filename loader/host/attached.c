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

static int find_named(const struct names *interfaces, const char *command, struct live **list,
		      size_t *count)
{
	size_t i;
	int err;

	*list = xcalloc(interfaces->count, sizeof(**list));
	for (i = 0; i < interfaces->count; i++) {
		err = hook_find(interfaces->name[i], &(*list)[i].hook);
		if (!err && !(*list)[i].hook.id[0])
			err = hook_missing(&(*list)[i].hook, command);
		if (err)
			return err;
		(*list)[i].filter = FILTER_NONE;
	}
	*count = i;
	return 0;
}

static int find_all(struct live **list, size_t *count)
{
	struct hook *hooks;
	size_t found, i;
	int err = hook_list(&hooks, &found);

	if (err)
		return err;
	*list = xcalloc(found, sizeof(**list));
	for (i = 0; i < found; i++)
		(*list)[i] = (struct live){.hook = hooks[i], .filter = FILTER_NONE};
	*count = found;
	free(hooks);
	return 0;
}

static int find(const struct names *interfaces, const char *command, int (*take)(struct live *live),
		struct live **list, size_t *count, bool *left_out)
{
	size_t i, kept = 0;
	int err;

	*list = NULL;
	*count = 0;
	*left_out = false;
	if (pins_ready(false) < 0)
		return -EPERM;
	err = interfaces->count ? find_named(interfaces, command, list, count) :
				  find_all(list, count);
	for (i = 0; !err && i < *count; i++) {
		struct live *live = &(*list)[i];

		err = take(live);
		if (err == -ENOENT && !interfaces->count && !hook_there(&live->hook)) {
			err = 0; /* detached since it was listed */
			continue;
		}
		if (err == -EPROTO && !interfaces->count) {
			err = 0; /* another version's: said already */
			*left_out = true;
			continue;
		}
		if (err == -ENOENT)
			err = hook_missing(&live->hook, command);
		if (err)
			break;
		if (&(*list)[kept] != live) {
			(*list)[kept] = *live;
			*live = (struct live){.filter = FILTER_NONE};
		}
		kept++;
	}
	if (!err) {
		*count = kept;
		return 0;
	}
	live_free(*list, *count);
	*list = NULL;
	*count = 0;
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

int filter_of(const char *interface, const char *command, struct filter *filter)
{
	struct hook hook;
	int err = pins_ready(false);

	if (err < 0)
		return err;
	err = hook_find(interface, &hook);
	if (err)
		return err;
	err = hook.id[0] ? filter_open(hook.id, filter) : -ENOENT;
	return err == -ENOENT ? hook_missing(&hook, command) : err;
}
