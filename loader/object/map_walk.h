/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the entries of a hash map while the BPF program writes it. */
#ifndef PORTCULLIS_OBJECT_MAP_WALK_H
#define PORTCULLIS_OBJECT_MAP_WALK_H

#include <linux/types.h>

#define MAP_WALK_KEY   64 /* bytes of a key and of a value, at most */
#define MAP_WALK_VALUE 64

/* Shows one entry: copies of key and value. Entries come in no order. */
typedef void (*map_walk_entry)(const void *key, const void *value, void *context);

/*
 * Shows each entry of the map, whose key and value must have these sizes. The walk ends even if
 * entries are added and removed meanwhile. Such an entry may be missing; without batches in the
 * kernel, an entry may be shown twice. Uses memory for one batch only. Returns 0 or -errno.
 */
int map_walk(int map, __u32 key_size, __u32 value_size, map_walk_entry entry, void *context);

#endif
