/* SPDX-License-Identifier: GPL-2.0 */
/* The options of all commands, each defined once. */
#ifndef PORTCULLIS_COMMAND_OPTIONS_H
#define PORTCULLIS_COMMAND_OPTIONS_H

#include "loader/command/option.h"

/* How a command goes on after its options. */
enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,  /* --help is to be printed */
	OPTIONS_WRONG, /* reported: exit EXIT_USAGE */
};

/*
 * The first option that the command takes behind `row` (NULL: the first of all), or NULL: its own
 * before those of a plan.
 */
const struct option_row *options_next(const struct command *command, const struct option_row *row);
/* An option of swap or attach, by which the command asks a filter that is not there. */
bool options_of_plan(const struct command *command, const struct option_row *row);

/* Parses argv[1..]. What is unknown, or not for this command, is reported. */
enum options_result options_parse(const struct command *command, int argc, char **argv,
				  struct options *options);
void options_free(struct options *options);

/* The name of the first option of these groups that was given, or NULL. */
const char *options_given(const struct options *options, unsigned int groups);

/* Takes out of a recipe what the options take back. -EINVAL with errors in `diag`. */
int options_take_back(const struct options *options, struct recipe *recipe, struct diag *diag);

/*
 * Adds to a recipe what the options say, but for those of machines (machine_words.h). -EINVAL with
 * errors in `diag`.
 */
int options_apply(const struct options *options, struct recipe *recipe, struct diag *diag);

#endif
