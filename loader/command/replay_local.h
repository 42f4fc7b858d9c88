/* SPDX-License-Identifier: GPL-2.0 */
/* Which side of a capture is this host. */
#ifndef PORTCULLIS_COMMAND_REPLAY_LOCAL_H
#define PORTCULLIS_COMMAND_REPLAY_LOCAL_H

#include "loader/catalog/prefix.h"

/*
 * The prefixes of --local, or if it is NULL the addresses of this host, in a list that the caller
 * frees. -errno with a message of the command.
 */
int replay_local_read(const char *words, const char *command, struct prefix **list, size_t *count);

#endif
