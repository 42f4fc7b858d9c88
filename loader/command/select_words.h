/* SPDX-License-Identifier: GPL-2.0 */
/* Suggests commands that show the packets that words or options of `drops` and `monitor` mean. */
#ifndef PORTCULLIS_COMMAND_SELECT_WORDS_H
#define PORTCULLIS_COMMAND_SELECT_WORDS_H

#include "loader/command/options.h"

/*
 * The command that was meant, if `word` is an address, a prefix or a port: "portcullis drops
 * --source 198.51.100.7". NULL: it is none of these. The caller frees.
 */
char *select_words_fix(const char *command, const char *word);

/*
 * "portcullis monitor --all --port 25/tcp": the command that shows passed packets, with the given
 * --source and --port. NULL: neither was given. The caller frees.
 */
char *select_words_passes(const struct options *options);

#endif
