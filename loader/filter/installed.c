// SPDX-License-Identifier: GPL-2.0
/* The generations that are pinned with a filter. */
#include "loader/filter/installed.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/names.h"
#include "loader/filter/generation_maps.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

static int copy_generation(int generation, struct installed *installed)
{
	__u32 zero = 0;

	installed->copy = generation_map(generation, false);
	installed->mapped = installed->copy;
	if (installed->mapped)
		return 0;
	installed->copy = xcalloc(1, sizeof(*installed->copy));
	return bpf_map_lookup_elem(generation, &zero, installed->copy) ? -errno : 0;
}

/* Reads a pinned generation and its recipe. -EPROTO: it has another layout. */
static int read_installed(const struct filter *filter, const char *pin, int generation,
			  const struct bpf_map_info *info, struct installed *installed)
{
	__free_text char *recipe = xasprintf("recipe-%s", strchr(pin, '-') + 1);
	int err;

	if (info->value_size != sizeof(*installed->copy))
		return -EPROTO;
	installed->recipe = object_get(filter->id, recipe);
	if (installed->recipe < 0)
		return installed->recipe;
	installed->generation = fd_dup(generation);
	if (installed->generation < 0)
		return installed->generation;
	err = copy_generation(generation, installed);
	if (err)
		return err;
	if (installed->copy->magic != PC_MAGIC || installed->copy->version != PC_ABI_VERSION)
		return -EPROTO;
	return 0;
}

/* True if the map with this id is the wanted generation. */
typedef bool wanted_fn(const struct filter *filter, __u32 id, __u32 wanted);

/* Opens the first pinned generation that `wanted` accepts. -ENOENT: none; -EPROTO: it has another
 * layout. */
static int open_wanted(const struct filter *filter, wanted_fn *is_wanted, __u32 wanted,
		       struct installed *installed)
{
	__free_text char *folder = object_path(filter->id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int err = !dir && errno != ENOENT ? -errno : -ENOENT;

	while (dir && err == -ENOENT && (entry = readdir(dir))) {
		struct bpf_map_info info;
		__close_fd int fd = -1;

		if (strncmp(entry->d_name, "generation-", 11))
			continue;
		fd = object_get(filter->id, entry->d_name);
		if (fd == -ENOENT)
			continue;
		err = fd < 0 ? fd : object_map(fd, &info);
		if (err)
			break;
		err = -ENOENT;
		if (!is_wanted(filter, info.id, wanted))
			continue;
		err = read_installed(filter, entry->d_name, fd, &info, installed);
		if (err)
			installed_close(installed);
	}
	if (dir)
		closedir(dir);
	return err;
}

static bool is_id(const struct filter *filter, __u32 id, __u32 wanted)
{
	(void)filter;
	return id == wanted;
}

int installed_open_id(const struct filter *filter, __u32 id, struct installed *installed)
{
	return open_wanted(filter, is_id, id, installed);
}

static bool is_any(const struct filter *filter, __u32 id, __u32 wanted)
{
	(void)filter;
	(void)id;
	(void)wanted;
	return true;
}

static bool is_installed(const struct installed *installed, __u32 id)
{
	struct bpf_map_info info;

	return installed->copy && !object_map(installed->generation, &info) && info.id == id;
}

static bool is_left_over(const struct filter *filter, __u32 id, __u32 wanted)
{
	(void)wanted;
	return !is_installed(&filter->current, id) && !is_installed(&filter->fallback, id) &&
	       !is_installed(&filter->reverted, id);
}

int filter_left_over(struct filter *filter, __u64 *batch)
{
	struct installed found = INSTALLED_NONE;
	int err = open_wanted(filter, is_left_over, 0, &found);

	installed_close(&filter->prepared);
	installed_close(&filter->replaced);
	*batch = err ? 0 : found.copy->batch;
	if (err && err != -ENOENT)
		error("%s/%s: cannot read what an interrupted command left: %s", PINS, filter->id,
		      strerror(-err));
	else if (!err && found.copy->number > filter->current.copy->number)
		filter->prepared = found;
	else if (!err)
		filter->replaced = found;
	return err == -ENOENT ? 0 : err;
}

int filter_program(const char *id, __u32 *program_id)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	__cleanup(installed_close) struct installed any = INSTALLED_NONE;
	int err;

	snprintf(filter.id, sizeof(filter.id), "%s", id);
	err = open_wanted(&filter, is_any, 0, &any);
	*program_id = err ? 0 : any.copy->program_id;
	return err == -ENOENT || err == -EPROTO ? 0 : err;
}

bool filter_is_empty(const char *id)
{
	__close_fd int generations = object_get(id, "generations");
	__u32 active = 0, number;

	return generations >= 0 && bpf_map_lookup_elem(generations, &active, &number) &&
	       errno == ENOENT;
}

/* True if the pin belongs to the current generation or its fallback: its name ends in their
 * number. */
static bool is_kept(const char *name, const struct filter *keep)
{
	const struct pc_generation *copy[] = {keep->current.copy, keep->fallback.copy};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(copy); i++) {
		__free_text char *end = copy[i] ? xasprintf("-%llu", copy[i]->number) : NULL;
		const char *dash = strchr(name, '-');

		if (end && dash && !strcmp(dash, end))
			return true;
	}
	return false;
}

/* Lists the pins in a folder, except those of `keep`; `keep` may be NULL. */
static void list_pins(const char *id, const struct filter *keep, struct names *pins)
{
	__free_text char *folder = object_path(id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !(keep && is_kept(entry->d_name, keep)))
			names_add(pins, entry->d_name);
	if (dir)
		closedir(dir);
}

/* Removes those of the pins whose names begin with `prefix`. */
static void unpin_matching(const char *id, const struct names *pins, const char *prefix)
{
	for (size_t i = 0; i < pins->count; i++) {
		__free_text char *path = object_path(id, pins->name[i]);

		if (!strncmp(pins->name[i], prefix, strlen(prefix)))
			unlink(path);
	}
}

/* Pins the recipe first, so that every pinned generation has one. */
int installed_pin(const struct filter *filter, const struct installed *installed)
{
	__u64 number = installed->copy->number;
	__free_text char *generation_name = xasprintf("generation-%llu", number);
	__free_text char *recipe_name = xasprintf("recipe-%llu", number);
	int err = object_pin(filter->id, recipe_name, installed->recipe);

	return err ? err : object_pin(filter->id, generation_name, installed->generation);
}

bool installed_has_others(const struct filter *filter)
{
	__free_text char *folder = object_path(filter->id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = (!strncmp(entry->d_name, "generation-", 11) ||
			 !strncmp(entry->d_name, "recipe-", 7)) &&
			!is_kept(entry->d_name, filter);
	if (dir)
		closedir(dir);
	return found;
}

void installed_unpin_others(const struct filter *filter)
{
	__cleanup(names_free) struct names pins = {};

	if (!filter->id[0])
		return;
	list_pins(filter->id, filter, &pins);
	unpin_matching(filter->id, &pins, "generation-");
	unpin_matching(filter->id, &pins, "recipe-");
}

void installed_unpin_all(const char *id, const char *prefix)
{
	__cleanup(names_free) struct names pins = {};

	list_pins(id, NULL, &pins);
	unpin_matching(id, &pins, prefix);
}
