// SPDX-License-Identifier: GPL-2.0
/* Reads and clears the map `drops` of a filter. */
#include "loader/filter/drop_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/object/pin.h"

#define BATCH 512 /* buckets of a batch */

/* Copies each bucket under its lock, so that no entry mixes two moments. */
static int read_buckets(int map, size_t place, const bool *counts, __u32 since, struct drops *drops)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_F_LOCK);
	__free_text struct pc_drop_bucket *bucket = xcalloc(BATCH, sizeof(*bucket));
	__free_text __u32 *index = xcalloc(BATCH, sizeof(*index));
	__u32 from, count, i;
	bool begun = false;
	int err;

	do {
		count = BATCH;
		err = bpf_map_lookup_batch(map, begun ? &from : NULL, &from, index, bucket, &count,
					   &options);
		if (err && err != -ENOENT)
			return err;
		for (i = 0; i < count; i++) {
			bool flood = index[i] >= PC_DROP_PEACE;

			drops_add(drops, place, &bucket[i], flood, since);
			if (!flood && (!counts || counts[index[i]]))
				drops_forgot(drops, &bucket[i], since);
		}
		begun = true;
	} while (!err);
	return 0;
}

/* Fails if the map is of another version with another layout. */
static int check_map(int map)
{
	struct bpf_map_info info;
	int err = object_map(map, &info);

	return err ? err : info.value_size == sizeof(struct pc_drop_bucket) ? 0 : -EPROTO;
}

int filter_drops(const struct filter *filter, size_t place, const struct prefix *of,
		 struct drops *drops)
{
	__free_text struct pc_filter *state = xcalloc(1, sizeof(*state));
	__free_text bool *counts = NULL;
	__u32 zero = 0;
	int err = check_map(filter->fd[FILTER_DROPS]);

	if (!err && bpf_map_lookup_elem(filter->fd[FILTER_STATE], &zero, state))
		err = -errno;
	if (err)
		return err;
	drops_begin(drops, state->drops_since);
	counts = drops_buckets(of, state->drops_secret);
	err = read_buckets(filter->fd[FILTER_DROPS], place, counts, state->drops_since, drops);
	/* The present second is not over: some of its entries may have been replaced. */
	if (drops->since > clock_boot() / PC_SECOND)
		drops->since = (__u32)(clock_boot() / PC_SECOND);
	return err;
}

/* Sets the time before which readers ignore entries. */
static int set_since(const struct filter *filter, __u32 since)
{
	struct pc_filter *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				       filter->fd[FILTER_STATE], 0);

	if (state == MAP_FAILED)
		return -errno;
	__atomic_store_n(&state->drops_since, since, __ATOMIC_RELEASE);
	munmap(state, sizeof(*state));
	return 0;
}

int filter_drops_clear(const struct filter *filter)
{
	static const struct pc_drop_bucket empty;
	int map = filter->fd[FILTER_DROPS], err = check_map(map);
	__u32 i;

	if (!err)
		err = set_since(filter, (__u32)(clock_boot() / PC_SECOND));
	for (i = 0; i < PC_DROP_BUCKETS && !err; i++)
		if (bpf_map_update_elem(map, &i, &empty, BPF_F_LOCK))
			err = -errno;
	return err;
}
