/* SPDX-License-Identifier: GPL-2.0 */
/* Holds a new interface, so that no packet gets in before its filter is there. */
#ifndef PORTCULLIS_FILTER_HOLD_H
#define PORTCULLIS_FILTER_HOLD_H

#include <stdbool.h>

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 * An XDP link whose program drops every packet. It is not pinned: when its last descriptor is
 * closed, at the latest at the end of the process, the kernel detaches it. Outgoing packets are not
 * dropped.
 */
struct hold {
	int link;      /* -1: the interface is not held */
	char *refusal; /* why the driver refused native mode; NULL: it did not refuse */
};

#define HOLD_NONE ((struct hold){.link = -1})

/*
 * Holds an interface whose hook has no program, in the mode that the filter will have. Failures are
 * ignored: hook_attach fails for the same reason, and reports it.
 */
void hook_hold(unsigned int ifindex, enum hook_mode mode, struct hold *hold);
void hold_free(struct hold *hold);

/* True if the program at the interface's hook belongs to a hold, of any process. */
bool hook_held(unsigned int ifindex);
/* True if the program of this id belongs to a hold. */
bool hold_is(__u32 program_id);

/*
 * Replaces the program in the link of a hold, of any process, by the filter's program, with one
 * update: no packet passes in between. Sets filter->link to that link, and `*mode` to its mode.
 * -EAGAIN without a message: the hold is gone, or it was detached because the driver refuses the
 * filter's program. -EBUSY with a message: the hold has another mode than the wanted one.
 */
int hold_become(struct filter *filter, const struct hook *hook, enum hook_mode *mode,
		const char *refusal);

#endif
