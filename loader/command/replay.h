/* SPDX-License-Identifier: GPL-2.0 */
/* `replay`: what the filter would have done with the packets of a capture. */
#ifndef PORTCULLIS_COMMAND_REPLAY_H
#define PORTCULLIS_COMMAND_REPLAY_H

#include "loader/command/command.h"

int command_replay(const struct options *options, struct diag *diag);

#endif
