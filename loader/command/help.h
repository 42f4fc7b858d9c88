/* SPDX-License-Identifier: GPL-2.0 */
/* Help: the commands by task, the options of each, and the meaning of words in answers. */
#ifndef PORTCULLIS_COMMAND_HELP_H
#define PORTCULLIS_COMMAND_HELP_H

#include <stdio.h>

#include "loader/base/names.h"
#include "loader/command/command.h"

/* Prints all commands, in their groups. */
void help_usage(const struct command *commands, size_t count, FILE *to);

/* Prints a command's arguments and options. */
void help_options(const struct command *command, FILE *to);

/* Explains a reason of a drop, or a `why_closed`. Reports any other word, with the most similar
 * one. */
int help_word(const struct command *commands, size_t count, const char *word);

/* Adds the words that help_word explains. */
void help_words(struct names *words);

#endif
