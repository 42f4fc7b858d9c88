// SPDX-License-Identifier: GPL-2.0
/* Opens attached filters and reads what they have counted. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/live.h"
#include "loader/plan.h"
#include "loader/walk.h"

static int open_one(struct live *live)
{
	live->filter = FILTER_NONE;
	return filter_open(live->hook.id, &live->filter);
}

static void take_rare(const void *key, const void *value, void *context)
{
	counters_rare(context, *(const __u32 *)key, value);
}

/* --- counters of a map that may only be read, which the kernel does not map into memory --- */

#define COPY_TRIES 10

static void take_word(const void *key, const void *value, void *context)
{
	((__u64 *)context)[*(const __u32 *)key] = *(const __u64 *)value;
}

static int copy_words(int map, __u64 *words)
{
	return walk_map(map, sizeof(__u32), sizeof(*words), take_word, words);
}

/* Whether nothing was carried while the words were copied: rare, but then a sum would be wrong. */
static bool copied_still(const __u64 *rows, size_t cpus, const __u64 *before, const __u64 *after)
{
	size_t i;

	for (i = 0; i < cpus * PC_CELLS; i++)
		if (rows[i] & (PC_CELL_BYTES_CARRY | PC_CELL_PACKET_CARRY))
			return false;
	return !memcmp(before, after, PC_CELLS * sizeof(*before));
}

static int copy_counters(const struct filter *filter, struct counters *counters)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *rows, *before, *after;
	bool still = false;
	int err = cpus < 1 ? -EINVAL : 0;
	int i;

	if (err)
		return err;
	rows = xcalloc((size_t)cpus * PC_CELLS, sizeof(*rows));
	before = xcalloc(PC_CELLS, sizeof(*before));
	after = xcalloc(PC_CELLS, sizeof(*after));
	for (i = 0; i < COPY_TRIES && !err && !still; i++) {
		err = copy_words(filter->carries, before);
		if (!err)
			err = copy_words(filter->counters, rows);
		if (!err)
			err = copy_words(filter->carries, after);
		still = copied_still(rows, cpus, before, after);
	}
	if (!err && !still)
		err = -EAGAIN;
	if (!err)
		counters_sum(rows, cpus, after, counters);
	free(rows);
	free(before);
	free(after);
	return err;
}

static int read_counters(struct live *live)
{
	const struct filter *filter = &live->filter;
	int err;

	live->counters = xcalloc(1, sizeof(*live->counters));
	err = geteuid() ? copy_counters(filter, live->counters) :
			  counters_read(filter->counters, filter->carries, live->counters);
	if (!err)
		err = walk_map(live->filter.rare, sizeof(__u32), sizeof(struct pc_count), take_rare,
			       live->counters);
	if (err)
		error("%s: cannot read the counters: %s", live->hook.name, strerror(-err));
	return err;
}

static int read_one(struct live *live)
{
	int err = open_one(live);

	if (!err)
		err = plan_kept(live->hook.name, &live->filter, &live->kept);
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
		struct live **list, size_t *count)
{
	size_t i, kept = 0;
	int err;

	*list = NULL;
	*count = 0;
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
	      size_t *count)
{
	return find(interfaces, command, open_one, list, count);
}

int live_read(const struct names *interfaces, const char *command, struct live **list,
	      size_t *count)
{
	return find(interfaces, command, read_one, list, count);
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
