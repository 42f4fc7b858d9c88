/* SPDX-License-Identifier: GPL-2.0 */
/* The sessions of administrators through this host to machines behind it. */
#ifndef PORTCULLIS_GUARD_THROUGH_H
#define PORTCULLIS_GUARD_THROUGH_H

#include "loader/guard/decide.h"

/* TCP connections that are forwarded, begun by the remote side, as the interface sees them. */
struct through {
	const struct socket_info *session;
	size_t sessions;
	bool known; /* the kernel tracks connections; else there may be others */
};

/* True if a rule set admits the peer by a group, to the machine that has the address. */
bool guard_through_named(const json_t *kept, const struct socket_info *session);

/*
 * Decides about them as guard_decide about sessions with this host. A session counts if the active
 * rule set admits its address by a group: then it is an administrator's, and a reason to refuse the
 * command. Others, which any stranger can make, are a warning.
 */
enum guard_found guard_through(const struct guard_command *command,
			       const struct guard_target *target, size_t count,
			       const struct ports *management, enum guard_mode mode,
			       const struct through *through, const struct guard_world *world,
			       struct diag *diag);

#endif
