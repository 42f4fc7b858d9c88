/* SPDX-License-Identifier: GPL-2.0 */
/* The lockout guard: reads sessions, servers and filters, asks guard_decide, refuses the
 * command. */
#ifndef PORTCULLIS_HOST_LOCKOUT_H
#define PORTCULLIS_HOST_LOCKOUT_H

#include "loader/filter/hook.h"
#include "loader/guard/world.h"

/*
 * Refuses an attach, swap, apply or confirm that would lock a user out (portcullis(8), LOCKOUT):
 * the caller's own session on any port, a login of another user to a watched port, or everyone from
 * a watched port whose server is root's, the system's or the caller's. Other connections cause a
 * warning only, because anyone can open one. `hooks`: the present filters. `management`: the
 * watched ports; NULL: the built-in list of management.h. Returns 0; or -EACCES after messages that
 * name the option that would open the port. A failed look-up is a warning.
 */
int guard_hold(const struct guard_command *command, const struct hooks *hooks,
	       const struct guard_target *target, size_t count, const struct ports *management,
	       enum guard_mode mode);

#endif
