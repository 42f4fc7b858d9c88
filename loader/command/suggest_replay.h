/* SPDX-License-Identifier: GPL-2.0 */
/* The evidence of a capture, for `suggest --replay`. */
#ifndef PORTCULLIS_COMMAND_SUGGEST_REPLAY_H
#define PORTCULLIS_COMMAND_SUGGEST_REPLAY_H

#include "loader/report/suggest_evidence.h"

/*
 * Reads the capture `file` ("-": stdin) of the host whose prefixes are `local` (NULL: this one).
 * The caller frees the knocks. -errno with a message.
 */
int suggest_replay(const char *file, const char *local, struct suggest_evidence *evidence);

#endif
