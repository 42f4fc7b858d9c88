/* SPDX-License-Identifier: GPL-2.0 */
/* The text form of what was dropped lately, made from the JSON one. */
#ifndef PORTCULLIS_REPORT_TEXT_DROPS_H
#define PORTCULLIS_REPORT_TEXT_DROPS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "loader/report/drops.h"

struct drops_view {
	const struct drops *drops; /* the rows, in their order */
	const char *since;	   /* RFC 3339, of drops->since; NULL: no filter is attached */
	/* The JSON of a row. The text takes it over. */
	json_t *(*row)(void *context, const struct drops_row *row);
	void *context;
	bool chosen;	    /* not all rows were asked for */
	bool named;	    /* the interface is told */
	bool past;	    /* the drops are of a capture, so that how far they reach is not told */
	const char *passes; /* the command that shows what passes instead; NULL: none */
	size_t columns;	    /* of a line, as terminal_columns tells */
};

/* Prints the first `top` rows, and how many there are more. */
void report_drops_text(const struct drops_view *view, size_t top, FILE *to);

/* "until 18:00:05", or with the date of another day: the local time of a report_time, as of `now`.
 */
char *drops_time(const char *when, __u64 now);

#endif
