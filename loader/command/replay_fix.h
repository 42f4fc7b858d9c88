/* SPDX-License-Identifier: GPL-2.0 */
/* The commands that would open what a filter dropped of a capture. */
#ifndef PORTCULLIS_COMMAND_REPLAY_FIX_H
#define PORTCULLIS_COMMAND_REPLAY_FIX_H

#include <jansson.h>

#include "loader/command/explain_target.h"
#include "loader/command/replay_bans.h"
#include "loader/report/replay.h"

/*
 * A list of commands: one for each port, of those ports with the most drops, each of which was
 * composed, compiled and seen to open the port to the sources that were dropped; then those that
 * lift limits and bans.
 */
json_t *replay_fixes(const struct explain_target *target, const struct replay *replay,
		     const struct replay_bans *bans);

#endif
