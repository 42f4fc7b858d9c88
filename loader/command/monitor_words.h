/* SPDX-License-Identifier: GPL-2.0 */
/* The arguments of `monitor`: interfaces, then a capture filter. */
#ifndef PORTCULLIS_COMMAND_MONITOR_WORDS_H
#define PORTCULLIS_COMMAND_MONITOR_WORDS_H

#include "loader/base/names.h"

struct monitor_words {
	struct names interfaces; /* their real names */
	char *first;		 /* the first word of the filter */
	char *filter;		 /* its words, with a space between; NULL: none was given */
};

/*
 * The first argument that is not an interface begins the filter. An interface that is named like a
 * word of filters is an interface.
 */
void monitor_words_read(const struct names *arguments, struct monitor_words *words);
void monitor_words_free(struct monitor_words *words);

/* Reports why the filter does not compile, and that its first word is not an interface. */
void monitor_words_wrong(const struct monitor_words *words, const char *why);

#endif
