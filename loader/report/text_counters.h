/* SPDX-License-Identifier: GPL-2.0 */
/* The text form of the counters, made from the JSON one. */
#ifndef PORTCULLIS_REPORT_TEXT_COUNTERS_H
#define PORTCULLIS_REPORT_TEXT_COUNTERS_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#define COUNTERS_TOP 20 /* unlisted ports of each direction that are shown by default */

struct counters_view {
	const json_t *before; /* the report of `seconds` ago, for rates; NULL: none */
	double seconds;
	size_t top;	/* unlisted ports of each direction; SIZE_MAX: all */
	size_t columns; /* columns of a line, from terminal_columns */
};

void report_counters_text(const json_t *report, const struct counters_view *view, FILE *to);
/* Prints one interface of it, without the heading. */
void report_counters_one(const json_t *one, const struct counters_view *view, FILE *to);

#endif
