// SPDX-License-Identifier: GPL-2.0
/* Tells the programs of a filter which look-ups they need: pc_filter.flag. */
#include "loader/filter/flags.h"

#include <errno.h>
#include <sys/mman.h>

int filter_flag_set(const struct filter *filter, __u8 flag, bool on)
{
	struct pc_filter *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				       filter->fd[FILTER_STATE], 0);

	if (state == MAP_FAILED)
		return -errno;
	if (on)
		__atomic_or_fetch(&state->flag, flag, __ATOMIC_RELEASE);
	else
		__atomic_and_fetch(&state->flag, (__u8)~flag, __ATOMIC_RELEASE);
	munmap(state, sizeof(*state));
	return 0;
}
