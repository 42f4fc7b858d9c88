// SPDX-License-Identifier: GPL-2.0
/* Makes a pending generation final, or falls back from it. */
#include "loader/filter/confirm.h"

#include <errno.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/slots.h"

unsigned int seconds_left(const struct pc_generation *generation)
{
	__u64 now = clock_boot();

	return generation->deadline > now ?
		       (generation->deadline - now + PC_SECOND - 1) / PC_SECOND :
		       0;
}

int filter_confirm(struct filter *filter)
{
	int err;

	if (filter->reverted.copy ||
	    (filter->current.copy->deadline && clock_boot() >= filter->current.copy->deadline))
		return -ETIME;
	if (!filter->current.copy->deadline)
		return 0;
	err = generation_set_deadline(&filter->current, 0);
	if (err)
		return err;
	slot_clear_fallback(filter);
	filter->replaced = filter->fallback;
	filter->fallback = INSTALLED_NONE;
	generation_retire(filter, &filter->replaced);
	return 0;
}

/* `reverted_at`: when the deadline passed; 0: the change was undone by a command. */
static int settle(struct filter *filter, __u64 reverted_at)
{
	__cleanup(generation_unmap_head) struct pc_generation *head =
		generation_map_head(&filter->current);
	int err;

	if (!head)
		return -ENOMEM;
	__atomic_store_n(&head->reverted_at, reverted_at, __ATOMIC_RELAXED);
	err = slot_put(filter, SLOT_ACTIVE, filter->current.generation);
	if (err) {
		error("cannot restore the active generation: %s", strerror(-err));
		return err;
	}
	slot_clear_fallback(filter);
	generation_retire(filter, &filter->reverted);
	return 0;
}

int filter_settle_reverted(struct filter *filter)
{
	return settle(filter, clock_wall() - (clock_boot() - filter->reverted.copy->deadline));
}

int filter_settle_undone(struct filter *filter)
{
	return settle(filter, 0);
}

int filter_expire(struct filter *filter)
{
	return generation_set_deadline(&filter->current, clock_boot());
}

int filter_ready(struct filter *filter, const char *interface)
{
	if (!filter->current.copy->stand_in)
		return filter->reverted.copy ? filter_settle_reverted(filter) : 0;
	error("%s: the attach was not confirmed in time, and everything passes; attach again",
	      interface);
	return -ENOENT;
}
