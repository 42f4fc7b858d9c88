/* SPDX-License-Identifier: GPL-2.0 */
/* Filters that another version of portcullis attached. */
#ifndef PORTCULLIS_HOST_TAKEOVER_H
#define PORTCULLIS_HOST_TAKEOVER_H

#include "loader/catalog/ports.h"
#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/guard/world.h"

/*
 * Replaces the programs and maps of a filter that an older version attached by those of this
 * version, without a gap: the links stay, and change their programs. Counters, learned flows,
 * generation number and recipe are carried over; if profiles have changed since, the guard is
 * asked. Updates
 * `*hook`, which must not point into `hooks`, and reads `hooks` again. A filter of this version is
 * left as it is, and so is one of the same layout with a pending change. Fails with a message:
 * -EPROTO if the layout is newer, -EBUSY if it is older and a change is pending. `dry_run`: only
 * prints what would be done; -EPROTO if an older layout cannot be read any further.
 */
struct takeover {
	const struct guard_command *command;
	const struct ports *management; /* for the guard */
	/* folders of profiles that are searched first; NULL: none */
	const struct names *folders;
	bool force;
	bool confirm; /* the command has --confirm, so the takeover must not change the rules */
	const char *comment; /* text of --comment; NULL: none */
	bool dry_run;
	bool same; /* leave a filter alone whose rules would change; do not ask the guard */
};
int takeover(struct hooks *hooks, struct hook *hook, const struct takeover *how);

/* Opens the filter of a hook for how->command, after a takeover if another version attached it. */
int takeover_open(struct hooks *hooks, struct hook *hook, const struct takeover *how,
		  struct filter *filter);

#endif
