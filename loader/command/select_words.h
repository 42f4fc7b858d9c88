/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that show the packets which words or options of `drops` and `monitor` mean. */
#ifndef PORTCULLIS_COMMAND_SELECT_WORDS_H
#define PORTCULLIS_COMMAND_SELECT_WORDS_H

#include "loader/command/options.h"

/*
 * The command that was meant, if `word` is an address, a prefix or a port: "portcullis drops
 * --source 198.51.100.7". NULL: it is none of these. The caller frees.
 */
char *select_words_fix(const char *command, const char *word);

/*
 * "portcullis monitor --all --port 25/tcp": what shows packets that pass, with --source and --port
 * as they were given. NULL: neither was. The caller frees.
 */
char *select_words_passes(const struct options *options);

#endif
