/* SPDX-License-Identifier: GPL-2.0 */
/* Drops the capabilities that a command does not need. */
#ifndef PORTCULLIS_COMMAND_PRIVILEGES_H
#define PORTCULLIS_COMMAND_PRIVILEGES_H

#include "loader/command/command.h"

/*
 * Drops the capabilities that a command of this use (COMMAND_USE) does not need, for good: child
 * processes do not get them back. Call it once, before the command reads a file. Without privilege
 * there is nothing to drop. Returns 0, or -errno with a message.
 */
int privileges_drop(const char *command, enum command_flags use);

/*
 * For a command that reads untrusted data, once everything is open: keeps what is needed to open
 * perf events on CPUs that are added later, and CAP_BPF where the kernel checks it at each call.
 * Returns 0, or -errno with a message.
 */
int privileges_drop_rest(const char *command);

/* For a process that reads files which anyone may have made: keeps no capability. Returns as
 * above. */
int privileges_drop_all(const char *command);

#endif
