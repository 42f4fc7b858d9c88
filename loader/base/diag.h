/* SPDX-License-Identifier: GPL-2.0 */
/* Messages about the user's input, collected so that one run reports all of them. */
#ifndef PORTCULLIS_BASE_DIAG_H
#define PORTCULLIS_BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Where in the input something stands. All zero: nowhere in particular. */
struct place {
	const char *file;   /* path as given; or what stands for it: "--set" */
	int line;	    /* from 1; 0: the message is about the whole file or option */
	int column;	    /* from 1, in characters */
	int width;	    /* characters of the offending text, at least 1 where line is set */
	const char *source; /* the line's text, not NUL-ended */
	size_t source_length;
	int source_column; /* where `source` is a piece of a long line: of its first character */
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
};

/* Entries are kept in order: files as they were first named, in each by line and column. */
struct diag {
	struct diag_entry *entry;
	size_t count;
	size_t errors; /* of them, those of DIAG_ERROR */
};

#define DIAG_LIMIT 1000

/*
 * Copies all it is given. `place` may be NULL. At most DIAG_LIMIT entries are kept; a last one says
 * so. What is kept is valid UTF-8 on one line: other bytes and control characters become '?'.
 */
void diag_error(struct diag *diag, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *diag, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_free(struct diag *diag);

/* Moves all entries of `from`, which is empty then. */
void diag_take(struct diag *diag, struct diag *from);

/* True when no more entries are kept: what looks for errors only may stop. */
bool diag_full(const struct diag *diag);

/*
 * Prints each entry, in order of file and line:
 *
 *	profiles/x.yaml:7:9: port 70000 is out of range 1-65535
 *	    in: 70000/tcp
 *	        ^~~~~~~~~
 *
 * Control characters of the source are shown as '?'. An entry without a line prints as
 * "portcullis: FILE: MESSAGE"; a warning's message begins with "warning: ".
 */
void diag_print(const struct diag *diag, FILE *to);

#endif
