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
 * The text of counts as report_counts has them; "drop" and "would_drop" together are the refused
 * packets.
 */
json_int_t text_packets(const json_t *counts, const char *verdict);
json_int_t text_bytes(const json_t *counts, const char *verdict);
json_int_t text_refused(const json_t *counts);
bool text_any(const json_t *counts);

/* printf for texts of others: no control character gets through, and so no newline. */
void text_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * As above, without a newline at its end, in lines of at most `columns` (0: one line) behind the
 * first `start` columns, which the caller has printed; the lines that follow begin at `indent`.
 */
void text_line(FILE *to, size_t columns, size_t start, size_t indent, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * The local time of an RFC 3339 time of report_time, "2026-11-29 18:00:00 CET"; and its age, "1 h 2
 * min ago". The caller frees; another text stays as it is.
 */
char *text_time(const char *when);
char *text_age(const char *when);

/*
 * Counts, as the rest of a line that has `start` columns: "passed 5 (300 B), dropped 0 (0 B)".
 * Lines that follow begin there, too.
 */
void text_total(const json_t *counts, size_t columns, size_t start, FILE *to);

#endif
