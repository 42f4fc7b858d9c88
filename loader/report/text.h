/* SPDX-License-Identifier: GPL-2.0 */
/* The text forms of reports, and helpers for them. */
#ifndef PORTCULLIS_REPORT_TEXT_H
#define PORTCULLIS_REPORT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* The text forms of whole reports. */
void report_show_text(const json_t *report, FILE *to);
void report_profiles_text(const json_t *report, FILE *to);
void report_status_text(const json_t *report, FILE *to);

/* The text of a key; "" if there is none. */
const char *text_of(const json_t *object, const char *key);

/*
 * The text of counts in the form of report_counts; "drop" and "would_drop" together are the refused
 * packets.
 */
json_int_t text_packets(const json_t *counts, const char *verdict);
json_int_t text_bytes(const json_t *counts, const char *verdict);
json_int_t text_refused(const json_t *counts);
bool text_any(const json_t *counts);

/* printf for texts from other sources: control characters, and so newlines, become '?'. */
void text_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * As above, without a final newline, in lines of at most `columns` (0: one line). The caller has
 * already printed `start` columns of the first line; later lines begin at `indent`.
 */
void text_line(FILE *to, size_t columns, size_t start, size_t indent, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * The local time of an RFC 3339 time of report_time, "2026-11-29 18:00:00 CET"; and its age, "1 h 2
 * min ago". The caller frees. A text in another form is returned unchanged.
 */
char *text_time(const char *when);
char *text_age(const char *when);

/*
 * The counts as the end of a line that has `start` columns: "passed 5 (300 B), dropped 0 (0 B)".
 * Further lines begin at that column, too.
 */
void text_total(const json_t *counts, size_t columns, size_t start, FILE *to);

#endif
