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
	const char *since;	   /* RFC 3339, of drops->since; NULL: no interface has a filter */
	/* Makes the JSON of a row. The text takes it over. */
	json_t *(*row)(void *context, const struct drops_row *row);
	void *context;
	bool chosen;	    /* only some rows were asked for */
	bool named;	    /* rows name their interface */
	bool past;	    /* the drops are of a capture, so that their start is not printed */
	const char *passes; /* the command that shows passed packets instead; NULL: none */
	size_t columns;	    /* columns of a line, from terminal_columns */
};

/* Prints the first `top` rows, and the number of further ones. */
void report_drops_text(const struct drops_view *view, size_t top, FILE *to);

/* "until 18:00:05", with the date on another day than `now`: a report_time as local time. */
char *drops_time(const char *when, __u64 now);

#endif
