/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the entries of a hash map while the program goes on writing it. */
#ifndef PORTCULLIS_WALK_H
#define PORTCULLIS_WALK_H

#include <linux/types.h>

#define WALK_KEY   64 /* bytes of a key and of a value, at most */
#define WALK_VALUE 64

/* Shows one entry: copies, in no order. */
typedef void (*walk_entry)(const void *key, const void *value, void *context);

/*
 * Shows each entry of the map, whose key and value must have these sizes. It ends whatever is added
 * or removed meanwhile; such an entry may be missing, and one may be shown twice where the kernel
 * cannot look up by batches. Takes memory for a batch only. Returns 0 or -errno.
 */
int walk_map(int map, __u32 key_size, __u32 value_size, walk_entry entry, void *context);

#endif
