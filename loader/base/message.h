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

/* As error() and warning(), with the command that fixes it: "portcullis: ...; to fix it: FIX".
 * `fix` may be NULL. */
void error_fix(const char *fix, const char *format, ...) __attribute__((format(printf, 2, 3)));
void warning_fix(const char *fix, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Passes each message of error() and warning() to `take` instead of stderr, without "portcullis:".
 * messages_to(NULL, NULL) ends it. `fix`: the one of error_fix() or warning_fix(), else NULL.
 */
typedef void message_taker(void *context, bool is_error, const char *text, const char *fix);

/* The taker of messages; all zero: messages go to stderr. */
struct message_sink {
	message_taker *take;
	void *context;
};

/* Sets the sink. Returns the former one, for the caller to put back. */
struct message_sink messages_to(message_taker *take, void *context);

/* Passes a message to the taker, as error_fix() and warning_fix() do; false: there is no taker. */
bool message_take(bool is_error, const char *text, const char *fix);

/* Whether a warning was printed or passed to a taker other than messages_drop. */
bool messages_warned(void);

/* A message_taker that drops every message. */
void messages_drop(void *context, bool is_error, const char *text, const char *fix);

/*
 * Prints `start`, `text` and "; to fix it: FIX": on a terminal in lines that fit it, else in one.
 * Control characters become '?'. `fix` may be NULL.
 */
void message_print(const char *start, const char *text, const char *fix, FILE *to);

/* A hint for people, on stderr, without "portcullis:"; dropped where messages have a taker. */
void hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line on stdout, with the newline, and without "portcullis:". Control characters become
 * '?'. */
void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
