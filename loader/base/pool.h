/* SPDX-License-Identifier: GPL-2.0 */
/* Equal byte strings, numbered in order of first sight. */
#ifndef PORTCULLIS_BASE_POOL_H
#define PORTCULLIS_BASE_POOL_H

#include <linux/types.h>
#include <stddef.h>

struct pool_item {
	size_t offset, length; /* in the pool's bytes */
	__u64 hash;
};

/* An empty pool is all zero. */
struct pool {
	unsigned char *bytes; /* bytes of all items, one behind the other */
	size_t used, room;
	struct pool_item *item;
	size_t count;
	__u32 *slot; /* open addressing: number of an item + 1, or 0 */
	size_t slots;
};

/*
 * The number of the item with these bytes. A new item is added, and gets the former `count`.
 * `length` is a multiple of 8, and may be 0. Moves `bytes` and `item` of the pool.
 */
size_t pool_number(struct pool *pool, const void *bytes, size_t length);
void pool_free(struct pool *pool);

/* Continues a hash from `state` with bytes whose length is a multiple of 8. */
__u64 pool_digest(__u64 state, const void *bytes, size_t length);

#endif
