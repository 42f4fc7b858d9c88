/* SPDX-License-Identifier: GPL-2.0 */
/* Messages about the user's input, collected so that one run reports all of them. */
#ifndef PORTCULLIS_BASE_DIAG_H
#define PORTCULLIS_BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A place in the input. All zero: no place in particular. */
struct place {
	const char *file;   /* path as given, or the option: "--set" */
	int line;	    /* from 1; 0: the message is about the whole file or option */
	int column;	    /* from 1, in characters */
	int width;	    /* characters of the offending text, at least 1 where line is set */
	const char *source; /* the line's text, not NUL-ended */
	size_t source_length;
	int source_column; /* column of the first character of `source`; above 1 if `source` is a
			      piece of a long line */
};

enum diag_level {
	DIAG_ERROR,
	DIAG_WARNING,
};

struct diag_entry {
	enum diag_level level;
	char *file;
	int line, column, width;
	char *source;	   /* the line, without its newline; NULL if line is 0 */
	int source_column; /* of the first character in `source`: 1, unless the line is very long */
	char *message;
	char *fix; /* a command, or what has to be done; NULL: none is known */
	int err;   /* -errno of the system call that failed, 0: none did */
};

/* Entries are kept in order: files as they were first named, in each by line and column. */
struct diag {
	struct diag_entry *entry;
	size_t count;
	size_t errors; /* entries of DIAG_ERROR */
};

#define DIAG_LIMIT 1000

/*
 * These copy their arguments. `place` may be NULL. At most DIAG_LIMIT entries are kept, and one
 * more that says so. A kept message is valid UTF-8 on one line: other bytes and control characters
 * become '?'. A message that repeats one at its place is ignored.
 */
void diag_error(struct diag *diag, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *diag, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* With the command that fixes it, which may be NULL: diag_print joins both, `doctor` takes them
 * apart. */
void diag_error_fix(struct diag *diag, const struct place *place, const char *fix,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_warning_fix(struct diag *diag, const struct place *place, const char *fix,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Reports a failed system call: "WHAT: " and strerror of `err`, -errno. WHAT may be NULL. */
void diag_errno(struct diag *diag, const struct place *place, int err, const char *what);
void diag_free(struct diag *diag);

/* Copies an entry of another diag, with its fix and error, to a place. */
void diag_pass_on(struct diag *diag, const struct place *place, const struct diag_entry *entry);

/* The place of an entry. It uses the entry's texts. */
struct place diag_place(const struct diag_entry *entry);

/* Moves all entries of `from` to `diag`, and leaves `from` empty. */
void diag_take(struct diag *diag, struct diag *from);

/* True when no more errors are kept, so that a caller who only looks for errors can stop. */
bool diag_full(const struct diag *diag);

/*
 * Prints each entry, in order of file and line:
 *
 *	profiles/x.yaml:7:9: port 70000 is out of range 1-65535
 *	    in: 70000/tcp
 *	        ^~~~~~~~~
 *
 * Control characters of the source are shown as '?'. An entry without a line prints as
 * "portcullis: FILE: MESSAGE". A warning's message begins with "warning: "; a fix is appended with
 * MESSAGE_FIX.
 */
void diag_print(const struct diag *diag, FILE *to);

/* Prints the entries on stderr, or passes them to the taker of messages_to, and frees them. */
void diag_report(struct diag *diag);

#endif
