/* SPDX-License-Identifier: GPL-2.0 */
/* The commands that would open what a filter dropped in a capture. */
#ifndef PORTCULLIS_COMMAND_REPLAY_FIX_H
#define PORTCULLIS_COMMAND_REPLAY_FIX_H

#include <jansson.h>

#include "loader/command/explain_target.h"
#include "loader/command/replay_bans.h"
#include "loader/report/replay.h"

/*
 * Lists the commands: one for each port, for the ports with most drops. Each was composed, compiled
 * and seen to open the port to the dropped sources. After these come the commands that remove
 * limits and lift bans.
 */
json_t *replay_fixes(const struct explain_target *target, const struct replay *replay,
		     const struct replay_bans *bans);

#endif
