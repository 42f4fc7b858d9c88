/* SPDX-License-Identifier: GPL-2.0 */
/* Drops the capabilities that a command does not need. */
#ifndef PORTCULLIS_COMMAND_PRIVILEGES_H
#define PORTCULLIS_COMMAND_PRIVILEGES_H

#include "loader/command/command.h"

/*
 * Drops the capabilities that a command of this use (COMMAND_USE) has no need of, for good: nothing
 * it runs gets them back. To be called once, before it reads a file. Without privilege there is
 * nothing to drop. Returns 0, or -errno with a message.
 */
int privileges_drop(const char *command, enum command_flags use);

/*
 * For a command that reads what strangers sent, once all is open: keeps what opens perf events of
 * CPUs that come later, and CAP_BPF where the kernel asks for it at each call. Returns 0, or -errno
 * with a message.
 */
int privileges_drop_rest(const char *command);

/* For a process that reads what anyone may have made: keeps none. As above. */
int privileges_drop_all(const char *command);

#endif
