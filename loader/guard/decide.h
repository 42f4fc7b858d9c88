/* SPDX-License-Identifier: GPL-2.0 */
/* The lockout guard: decides who would be locked out. */
#ifndef PORTCULLIS_GUARD_DECIDE_H
#define PORTCULLIS_GUARD_DECIDE_H

#include "loader/base/diag.h"
#include "loader/guard/world.h"

/* The reason for which a command is refused. */
enum guard_found {
	GUARD_NOTHING,
	GUARD_OTHERS, /* logins, or a server, would be cut off */
	GUARD_OWN,    /* the caller's own session would be cut off */
};

/*
 * Decides whether the command is refused. The reason is an error in `diag`; other connections that
 * would be cut off are a warning.
 */
enum guard_found guard_decide(const struct guard_command *command,
			      const struct guard_target *target, size_t count,
			      const struct ports *management, enum guard_mode mode,
			      const struct guard_world *world, struct diag *diag);

#endif
