// SPDX-License-Identifier: GPL-2.0
/* Numbers byte strings so that equal ones share a number: a hash table with open addressing. */
#include "loader/base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

void pool_free(struct pool *pool)
{
	free(pool->bytes);
	free(pool->item);
	free(pool->slot);
}

/* For a given word, one step is a bijection: different states stay different. */
__u64 pool_digest(__u64 state, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	__u64 word;

	for (size_t i = 0; i < length; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		state = (state ^ word) * 0x9e3779b97f4a7c15ULL;
		state ^= state >> 32;
	}
	return state;
}

static __u32 *pool_slot(struct pool *pool, __u64 hash, const void *bytes, size_t length)
{
	for (size_t i = hash & (pool->slots - 1);; i = (i + 1) & (pool->slots - 1)) {
		const struct pool_item *item;

		if (!pool->slot[i])
			return &pool->slot[i];
		item = &pool->item[pool->slot[i] - 1];
		if (item->hash == hash && item->length == length &&
		    (!length || !memcmp(pool->bytes + item->offset, bytes, length)))
			return &pool->slot[i];
	}
}

static void pool_grow(struct pool *pool)
{
	pool->slots = pool->slots ? 2 * pool->slots : 64;
	free(pool->slot);
	pool->slot = xcalloc(pool->slots, sizeof(*pool->slot));
	for (size_t i = 0; i < pool->count; i++) {
		const struct pool_item *item = &pool->item[i];

		*pool_slot(pool, item->hash, pool->bytes + item->offset, item->length) =
			(__u32)i + 1;
	}
}

size_t pool_number(struct pool *pool, const void *bytes, size_t length)
{
	__u64 hash = pool_digest(length, bytes, length);
	__u32 *slot;

	if (2 * (pool->count + 1) > pool->slots)
		pool_grow(pool);
	slot = pool_slot(pool, hash, bytes, length);
	if (*slot)
		return *slot - 1;
	if (pool->used + length >= pool->room) { /* so that `bytes` is never NULL */
		pool->room = 2 * (pool->used + length) + 64;
		pool->bytes = xrealloc(pool->bytes, pool->room, 1);
	}
	if (length) /* an empty list has no bytes to copy from */
		memcpy(pool->bytes + pool->used, bytes, length);
	pool->item = grow(pool->item, pool->count, sizeof(*pool->item));
	pool->item[pool->count++] = (struct pool_item){pool->used, length, hash};
	pool->used += length;
	*slot = (__u32)pool->count;
	return pool->count - 1;
}
