/* SPDX-License-Identifier: GPL-2.0 */
/* Filters that another version of portcullis attached. */
#ifndef PORTCULLIS_HOST_TAKEOVER_H
#define PORTCULLIS_HOST_TAKEOVER_H

#include "loader/catalog/ports.h"
#include "loader/filter/hook.h"
#include "loader/guard/world.h"

/*
 * Replaces the programs and maps of a filter that an older version attached by this one's, without
 * a moment without a filter: the links stay, and change their programs. Counters, learned
 * flows, number and recipe are carried over; where profiles have changed since, the guard is asked.
 * `*hook` is as it is then. A filter that this version attached is left as it is, and so is one of
 * the same layout that waits to be confirmed. One of a newer layout, or of an older one that waits:
 * a message and -EPROTO or -EBUSY. `dry_run`: only says what would be done, and -EPROTO if what is
 * there cannot be read before.
 */
struct takeover {
	const struct guard_command *command;
	const struct ports *management; /* for the guard */
	const struct names *folders;	/* of profiles, searched before others; NULL: none */
	bool force;
	bool confirm; /* what follows is to be confirmed: then nothing may change before */
	bool dry_run;
	bool same; /* what would filter otherwise is left alone; the guard is not asked */
};
int takeover(struct hook *hook, const struct takeover *how);

#endif
