/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that a message offers. */
#ifndef PORTCULLIS_BASE_SHELL_H
#define PORTCULLIS_BASE_SHELL_H

#include "loader/base/names.h"

/* Quotes the text as one word of a shell command; the caller frees. */
char *shell_word(const char *text);
/* The words, each as shell_word, with a space between them; the caller frees. */
char *shell_words(const struct names *names);

#endif
