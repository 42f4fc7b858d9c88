/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the options that would open a port that a plan closes. */
#ifndef PORTCULLIS_GUARD_FIX_H
#define PORTCULLIS_GUARD_FIX_H

#include "loader/guard/world.h"

/*
 * "WHY; to open it: FIX" for a port that the target's plan closes to them. Each fix was composed,
 * compiled and seen to open the port. The caller frees.
 */
char *guard_fix(const struct guard_command *command, const struct guard_target *target,
		const struct guard_need *need);

#endif
