// SPDX-License-Identifier: GPL-2.0
/* Reads the parts that filters of every layout version have. */
#include "loader/filter/any_layout.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/object/pin.h"

#define HEAD_LIMIT   (16 << 20) /* bytes of a generation map */
#define RECIPE_LIMIT (64 << 20)

/* A pin that a version does not have stays -1. */
static int open_pins(struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++) {
		int fd = i == FILTER_TRIES ? -ENOENT :
					     object_get(filter->id, filter_descriptor[i].pin);

		if (fd < 0 && (fd != -ENOENT || filter_descriptor[i].flags & FD_HEAD))
			return fd;
		filter->fd[i] = fd < 0 ? -1 : fd;
	}
	return 0;
}

/* `*fallback`: the slot of the fallback, if that is active; 0: this generation is active. */
static int read_head(int generation, const struct bpf_map_info *info, struct any_layout *other,
		     __u32 *fallback)
{
	const struct pc_generation *head;
	__u32 zero = 0;
	void *value;
	int err = 0;

	if (info->value_size < offsetof(struct pc_generation, made_at) ||
	    info->value_size > HEAD_LIMIT)
		return -EPROTO;
	value = xcalloc(1, info->value_size);
	head = value;
	if (bpf_map_lookup_elem(generation, &zero, value))
		err = -errno;
	else if (head->magic != PC_MAGIC)
		err = -EPROTO;
	other->version = head->version;
	other->number = head->number;
	other->attached_at = head->attached_at;
	if (!err && head->version >= PC_DEADLINE_SINCE &&
	    info->value_size >= offsetof(struct pc_generation, reverted_at)) {
		other->waits = head->deadline;
		other->stand_in = head->stand_in;
		*fallback = head->deadline && clock_boot() >= head->deadline ? head->fallback : 0;
	}
	if (!err && head->version == PC_ABI_VERSION && info->value_size == sizeof(*head))
		memcpy(other->program_version, head->program_version, PC_VERSION_TEXT - 1);
	free(value);
	return err;
}

static int read_recipe(const char *id, const char *pin, char **recipe)
{
	__free_text char *name = xasprintf("recipe-%s", strchr(pin, '-') + 1);
	__close_fd int fd = object_get(id, name);
	struct bpf_map_info info;
	size_t size;
	void *memory;
	int err = fd < 0 ? fd : object_map(fd, &info);

	if (err)
		return err;
	size = (size_t)info.value_size * info.max_entries;
	if (size > RECIPE_LIMIT)
		return -EPROTO;
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*recipe = xstrndup(memory, strnlen(memory, size));
	munmap(memory, size);
	return 0;
}

/* Opens the generation in a slot, by its pin. */
static int read_slot(struct any_layout *other, __u32 slot, __u32 *fallback)
{
	__free_text char *folder = object_path(other->filter.id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	__u32 active;
	int err = -ENOENT;

	if (!dir || bpf_map_lookup_elem(other->filter.fd[FILTER_GENERATIONS], &slot, &active))
		err = -errno;
	while (dir && err == -ENOENT && (entry = readdir(dir))) {
		struct bpf_map_info info;
		__close_fd int fd = -1;

		if (strncmp(entry->d_name, "generation-", 11))
			continue;
		fd = object_get(other->filter.id, entry->d_name);
		if (fd < 0 || object_map(fd, &info) || info.id != active)
			continue;
		err = read_head(fd, &info, other, fallback);
		if (!err && !*fallback)
			err = read_recipe(other->filter.id, entry->d_name, &other->recipe);
		if (err == -ENOENT)
			break;
	}
	if (dir)
		closedir(dir);
	return err;
}

int any_layout_open(const char *id, struct any_layout *other)
{
	__u32 fallback = 0;
	int err;

	*other = (struct any_layout){.filter = FILTER_NONE};
	snprintf(other->filter.id, sizeof(other->filter.id), "%s", id);
	err = open_pins(&other->filter);
	if (!err)
		err = read_slot(other, 0, &fallback);
	if (!err && fallback)
		err = read_slot(other, fallback, &fallback);
	if (err)
		any_layout_close(other);
	return err;
}

void any_layout_close(struct any_layout *other)
{
	filter_close(&other->filter);
	free(other->recipe);
	*other = (struct any_layout){.filter = FILTER_NONE};
}
