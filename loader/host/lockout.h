/* SPDX-License-Identifier: GPL-2.0 */
/* The lockout guard: reads sessions and servers, asks guard_judge, refuses the command. */
#ifndef PORTCULLIS_HOST_LOCKOUT_H
#define PORTCULLIS_HOST_LOCKOUT_H

#include "loader/guard/world.h"

/*
 * Before attach, swap, apply and confirm: whether the caller's own session, on any port, and
 * others' logins to a watched port could be made again, and each watched port with a server of
 * root's, of the system's or of the caller's be reached by somebody. Connections that are no login
 * are only warned of: anyone can make one. `management`: the ports to watch, NULL: those of
 * management.h by which administrators log in. 0; or -EACCES after messages that say what would
 * open it. What cannot be found out is warned of.
 */
int guard_hold(const struct guard_command *command, const struct guard_target *target, size_t count,
	       const struct ports *management, enum guard_mode mode);

#endif
