/* SPDX-License-Identifier: GPL-2.0 */
/* An address or a port that stands where an interface is expected. */
#ifndef PORTCULLIS_COMMAND_SELECT_WORDS_H
#define PORTCULLIS_COMMAND_SELECT_WORDS_H

/*
 * The command that was meant, if `word` is an address, a prefix or a port: "portcullis drops
 * --source 198.51.100.7". NULL: it is none of these. The caller frees.
 */
char *select_words_fix(const char *command, const char *word);

#endif
