/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of the program: errors and warnings on stderr, lines on stdout. */
#ifndef PORTCULLIS_BASE_MESSAGE_H
#define PORTCULLIS_BASE_MESSAGE_H

#include <stdbool.h>

/* "portcullis: ..." on stderr, one line. What is not for a terminal is '?', as text_printable. */
void error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An error with the command that fixes it: "portcullis: ...; to fix it: FIX". */
void error_fix(const char *fix, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Gives what error() and warning() say to `take` instead, without "portcullis:", until it is NULL.
 * `fix`: of error_fix, else NULL.
 */
typedef void message_taker(void *context, bool is_error, const char *text, const char *fix);
void messages_to(message_taker *take, void *context);

/* A message_taker that drops every message. */
void messages_drop(void *context, bool is_error, const char *text, const char *fix);

/* Prints one such line on stdout, without a name in front; the newline is added. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
