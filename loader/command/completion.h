/* SPDX-License-Identifier: GPL-2.0 */
/* Completes a command line for the shells, from the tables of commands and options. */
#ifndef PORTCULLIS_COMMAND_COMPLETION_H
#define PORTCULLIS_COMMAND_COMPLETION_H

#include "loader/command/command.h"

/*
 * `portcullis complete WORD...`: prints what the last word, the one at the cursor, may become: a
 * line each, and a description behind a tab. ":file" or ":folder" alone: the shell completes a
 * path. What ends with '=' goes on. Says nothing of errors.
 */
void completion_print(const struct command *commands, size_t count, char **word, size_t words);

#endif
