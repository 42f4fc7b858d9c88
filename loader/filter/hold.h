/* SPDX-License-Identifier: GPL-2.0 */
/* Holds an interface that has just come, so that no packet gets in before its filter is there. */
#ifndef PORTCULLIS_FILTER_HOLD_H
#define PORTCULLIS_FILTER_HOLD_H

#include <stdbool.h>

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 * An XDP link whose program drops every packet. It is not pinned: with the last descriptor of it,
 * as when the process ends, the kernel takes it off. Packets that are sent are not held.
 */
struct hold {
	int link;      /* -1: the interface is not held */
	char *refusal; /* why the driver refused native mode; NULL: it did not */
};

#define HOLD_NONE ((struct hold){.link = -1})

/*
 * Takes hold of an interface at whose hook no program is, in the mode that the filter will have. An
 * interface that cannot be held is not: what keeps it from it, hook_attach will tell.
 */
void hook_hold(unsigned int ifindex, enum hook_mode mode, struct hold *hold);
void hold_free(struct hold *hold);

/* True if the program at the interface's hook is that of a hold, of any process. */
bool hook_held(unsigned int ifindex);
/* True if the program of this id is that of a hold. */
bool hold_is(__u32 program_id);

/*
 * Has the link of the hold, of whichever process, run the filter's program instead: one update, by
 * which no packet passes in between. filter->link is that link then, and `*mode` its mode. Without
 * a message: -EAGAIN: the hold is gone, or was just taken off because its driver refuses the
 * program. -EBUSY with a message: it is in another mode than the one asked for.
 */
int hold_become(struct filter *filter, const struct hook *hook, enum hook_mode *mode,
		const char *refusal);

#endif
