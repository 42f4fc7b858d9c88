/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the entries of a hash map while the program goes on writing it. */
#ifndef PORTCULLIS_OBJECT_MAP_WALK_H
#define PORTCULLIS_OBJECT_MAP_WALK_H

#include <linux/types.h>

#define MAP_WALK_KEY   64 /* bytes of a key and of a value, at most */
#define MAP_WALK_VALUE 64

/* Shows one entry: copies, in no order. */
typedef void (*map_walk_entry)(const void *key, const void *value, void *context);

/*
 * Shows each entry of the map, whose key and value must have these sizes. It ends whatever is added
 * or removed meanwhile; such an entry may be missing, and one may be shown twice where the kernel
 * cannot look up by batches. Takes memory for a batch only. Returns 0 or -errno.
 */
int map_walk(int map, __u32 key_size, __u32 value_size, map_walk_entry entry, void *context);

#endif
