/* SPDX-License-Identifier: GPL-2.0 */
/* The words of ban and grant: prefixes, a list, and the end of what they do. */
#ifndef PORTCULLIS_COMMAND_END_WORDS_H
#define PORTCULLIS_COMMAND_END_WORDS_H

#include "loader/command/options.h"

#define PREFIXES_LIMIT ((size_t)64 << 20) /* bytes of @FILE: a million IPv6 prefixes */

/* Reads --for and --until as seconds from now; 0: no end. -EINVAL with a message. */
int end_words_read(const struct options *options, const char *command, __u64 *seconds);

/*
 * The exit code for prefixes that cannot be read: an error in a file is not wrong usage of the
 * command.
 */
int prefix_words_wrong(const struct names *words);

/* Checks the name of a list: -EINVAL with a message. NULL means no list. */
int list_word_check(const char *command, const char *list);

/* "192.0.2.7/32, 192.0.2.8/32 and 3 more", for the journal. The caller frees. */
char *prefixes_told(const struct prefix *prefix, size_t count);

#endif
