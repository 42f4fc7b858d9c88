/* SPDX-License-Identifier: GPL-2.0 */
/* Breaks text into lines of a number of columns. */
#ifndef PORTCULLIS_BASE_WRAP_H
#define PORTCULLIS_BASE_WRAP_H

#include <stddef.h>
#include <stdio.h>

/*
 * The bytes of `text` that go on a line of `columns`: up to a space, else behind a mark such as ','
 * or '-', else as many characters as fit, at least one. The next line begins at wrap_next.
 */
size_t wrap_length(const char *text, size_t columns);

/* The bytes of as many characters as fit, even if that ends within a word. */
size_t wrap_fits(const char *text, size_t columns);

/* Where the line after the first `length` bytes begins: spaces at the break are skipped. */
const char *wrap_next(const char *text, size_t length);

/* The columns of the longest piece of `text` that has no space in it. */
size_t wrap_word(const char *text);

/*
 * Prints `text`, without a newline at its end, for a cursor at column `start`: lines
 * that follow begin at column `indent`, and none goes past `columns` (0: one line).
 */
void wrap_print(const char *text, size_t start, size_t indent, size_t columns, FILE *to);

/*
 * Wraps a command with backslashes at spaces outside quotes, so that it can still be pasted. A line
 * without such a space stays longer.
 */
void wrap_command(const char *text, size_t start, size_t indent, size_t columns, FILE *to);

#endif
