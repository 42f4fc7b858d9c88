// SPDX-License-Identifier: GPL-2.0
#include "tests/packet/arrays.h"

#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "loader/base/memory.h"

static __u32 *all_keys(const struct bpf_map_info *info)
{
	__u32 *keys = xcalloc(info->max_entries, sizeof(*keys));

	for (__u32 i = 0; i < info->max_entries; i++)
		keys[i] = i;
	return keys;
}

int array_read(int map, const struct bpf_map_info *info, void *values)
{
	__u32 *keys = all_keys(info), count = info->max_entries, next;
	int err = bpf_map_lookup_batch(map, NULL, &next, keys, values, &count, NULL) ? -errno : 0;

	free(keys);
	if (err == -ENOENT) /* the last batch */
		err = 0;
	return err ? err : count == info->max_entries ? 0 : -EIO;
}

int array_write(int map, const struct bpf_map_info *info, const void *values)
{
	__u32 *keys = all_keys(info), count = info->max_entries;
	int err = bpf_map_update_batch(map, keys, values, &count, NULL) ? -errno : 0;

	free(keys);
	return err ? err : count == info->max_entries ? 0 : -EIO;
}
