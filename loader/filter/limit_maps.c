// SPDX-License-Identifier: GPL-2.0
/* Makes and reads the maps of limits. */
#include "loader/filter/limit_maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "loader/base/file.h"
#include "loader/base/message.h"

int limits_claim(const struct filter *filter)
{
	struct pc_limiter limiter = {};
	__u32 zero = 0;

	while (!limiter.secret)
		if (getrandom(&limiter.secret, sizeof(limiter.secret), 0) != sizeof(limiter.secret))
			return -EIO;
	return bpf_map_update_elem(filter->fd[FILTER_LIMITER], &zero, &limiter, BPF_ANY) ? -errno :
											   0;
}

static bool has_cells(const struct filter *filter)
{
	__u32 zero = 0, id;

	return !bpf_map_lookup_elem(filter->fd[FILTER_LIMIT_CELLS], &zero, &id);
}

/* Tells the programs that there may be limits. */
static int set_flag(const struct filter *filter)
{
	struct pc_filter *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				       filter->fd[FILTER_STATE], 0);

	if (state == MAP_FAILED)
		return -errno;
	__atomic_or_fetch(&state->flag, PC_FILTER_LIMITS, __ATOMIC_RELEASE);
	munmap(state, sizeof(*state));
	return 0;
}

int limits_cells(const struct filter *filter)
{
	__close_fd int cells = bpf_map_create(BPF_MAP_TYPE_ARRAY, "limit_cells", sizeof(__u32),
					      sizeof(__u64), PC_LIMIT_ALL, NULL);
	__u32 zero = 0;

	if (cells < 0 ||
	    bpf_map_update_elem(filter->fd[FILTER_LIMIT_CELLS], &zero, &cells, BPF_ANY))
		return -errno;
	return 0;
}

int limits_place(const struct filter *filter, const struct pc_generation *generation)
{
	int err;

	if (!generation->limits)
		return 0;
	err = has_cells(filter) ? 0 : limits_cells(filter);
	if (!err)
		err = set_flag(filter);
	if (err)
		error("cannot make the cells of limits: %s", strerror(-err));
	return err;
}

int limits_opened(const struct filter *filter, __u64 *opened, __u64 *ago)
{
	struct timespec now = {};
	struct pc_limiter limiter;
	__u32 zero = 0;
	__u64 at;

	if (filter->fd[FILTER_LIMITER] < 0 || !has_cells(filter))
		return -ENOENT;
	if (bpf_map_lookup_elem(filter->fd[FILTER_LIMITER], &zero, &limiter))
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &now);
	at = (__u64)now.tv_sec * PC_SECOND + (__u64)now.tv_nsec;
	*opened = limiter.opened;
	*ago = at > limiter.opened_at ? (at - limiter.opened_at) / PC_SECOND : 0;
	return 0;
}
