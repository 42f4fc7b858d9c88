/* SPDX-License-Identifier: GPL-2.0 */
/* Completes a command line for the shells, from the tables of commands and options. */
#ifndef PORTCULLIS_COMMAND_COMPLETION_H
#define PORTCULLIS_COMMAND_COMPLETION_H

#include "loader/command/command.h"

/*
 * `portcullis complete WORD...`: prints the completions of the last word, which is at the cursor:
 * one on each line, with a description after a tab. Only ":file" or ":folder": the shell completes
 * a path. A completion that ends with '=' needs a value. Prints no errors.
 */
void completion_print(const struct command *commands, size_t count, char **word, size_t words);

#endif
