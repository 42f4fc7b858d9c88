/* SPDX-License-Identifier: GPL-2.0 */
/* The options of all commands, each defined once. */
#ifndef PORTCULLIS_COMMAND_OPTIONS_H
#define PORTCULLIS_COMMAND_OPTIONS_H

#include "loader/command/option.h"

/* What a command does after parsing its options. */
enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,  /* print --help */
	OPTIONS_WRONG, /* an error was reported: exit EXIT_USAGE */
};

/*
 * The first option that the command takes after `row` (NULL: the very first), or NULL. Its own
 * options come before those of a plan.
 */
const struct option_row *options_next(const struct command *command, const struct option_row *row);
/* True for an option of swap or attach, with which the command asks a planned filter. */
bool options_of_plan(const struct command *command, const struct option_row *row);

/* Parses argv[1..]. Reports options that are unknown, or not this command's. */
enum options_result options_parse(const struct command *command, int argc, char **argv,
				  struct options *options);
void options_free(struct options *options);

/* The name of the first option of these groups that was given, or NULL. */
const char *options_given(const struct options *options, unsigned int groups);

/* Removes the words from a recipe that the options take back. -EINVAL with errors in `diag`. */
int options_take_back(const struct options *options, struct recipe *recipe, struct diag *diag);

/*
 * Adds the words of the options to a recipe, except those for machines (machine_words.h). -EINVAL
 * with errors in `diag`.
 */
int options_apply(const struct options *options, struct recipe *recipe, struct diag *diag);

#endif
