/* SPDX-License-Identifier: GPL-2.0 */
/* Administrators' sessions through this host to machines behind it. */
#ifndef PORTCULLIS_GUARD_THROUGH_H
#define PORTCULLIS_GUARD_THROUGH_H

#include "loader/guard/decide.h"

/* Forwarded TCP connections that the remote side began, as the interface sees them. */
struct through {
	const struct socket_info *session;
	size_t sessions;
	bool known; /* the list is complete, because the kernel tracks connections */
};

/* True if a rule set admits the peer by a group to the machine with that address. */
bool guard_through_named(const json_t *kept, const struct socket_info *session);

/*
 * Decides about these connections, as guard_decide does about sessions with this host. A session
 * counts as an administrator's if the active rule set admits its address by a group; then it is a
 * reason to refuse the command. Other connections, which any stranger can make, are a warning.
 */
enum guard_found guard_through(const struct guard_command *command,
			       const struct guard_target *target, size_t count,
			       const struct ports *management, enum guard_mode mode,
			       const struct through *through, const struct guard_world *world,
			       struct diag *diag);

#endif
