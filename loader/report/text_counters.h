/* SPDX-License-Identifier: GPL-2.0 */
/* The text form of the counters, made from the JSON one. */
#ifndef PORTCULLIS_REPORT_TEXT_COUNTERS_H
#define PORTCULLIS_REPORT_TEXT_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* `before`: the report of `seconds` ago, for rates; NULL: none. `all`: no port is left out. */
void report_counters_text(const json_t *report, const json_t *before, double seconds, bool all,
			  FILE *to);

#endif
