/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of the program: errors and warnings on stderr, lines on stdout. */
#ifndef PORTCULLIS_BASE_MESSAGE_H
#define PORTCULLIS_BASE_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>

/* Prints "portcullis: ..." on stderr, one line. Control characters become '?', as in
 * text_printable. */
void error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define MESSAGE_FIX "; to fix it: " /* joins a message and its fix on one line */

/* With the command that fixes it: "portcullis: ...; to fix it: FIX". NULL: without one. */
void error_fix(const char *fix, const char *format, ...) __attribute__((format(printf, 2, 3)));
void warning_fix(const char *fix, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Passes each message of error() and warning() to `take` instead of stderr, without "portcullis:".
 * messages_to(NULL, NULL) ends it. `fix`: the one of error_fix() or warning_fix(), else NULL.
 */
typedef void message_taker(void *context, bool is_error, const char *text, const char *fix);

/* The taker of messages; all zero: they go to stderr. */
struct message_sink {
	message_taker *take;
	void *context;
};

/* Returns the sink until now, for the caller to put back. */
struct message_sink messages_to(message_taker *take, void *context);

/* Passes a message on as error_fix() and warning_fix() do; false: there is no taker. */
bool message_take(bool is_error, const char *text, const char *fix);

/* Whether there was a warning; what messages_drop took does not count. */
bool messages_warned(void);

/* A message_taker that drops every message. */
void messages_drop(void *context, bool is_error, const char *text, const char *fix);

/*
 * Prints `start`, `text` and "; to fix it: FIX": on a terminal in lines that fit it, else in one.
 * Control characters become '?'. `fix` may be NULL.
 */
void message_print(const char *start, const char *text, const char *fix, FILE *to);

/* A hint for people, on stderr, without "portcullis:"; dropped where a taker has the messages. */
void hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line on stdout, with the newline, and without "portcullis:". Control characters become
 * '?'. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
