/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The output of the commands: each view is a JSON object (design.md, section 5), and its text is
 * made from that.
 */
#ifndef PORTCULLIS_REPORT_JSON_FORMS_H
#define PORTCULLIS_REPORT_JSON_FORMS_H

#include <jansson.h>
#include <stdio.h>

#include "loader/report/counters.h"

/* Makes {"version": 1, NAME: list}; takes over `list`. */
json_t *report_new(const char *name, json_t *list);

/* Prints a report to stdout by `text`, or as JSON if `text` is NULL; frees the report. */
void report_print(json_t *report, void (*text)(const json_t *report, FILE *to));

/* RFC 3339 in UTC, of nanoseconds since 1970. */
#define TIME_TEXT 32
const char *report_time(__u64 ns, char text[TIME_TEXT]);

/* {"pass": {"packets", "bytes"}, "drop": {..}, "would_drop": {..}} */
json_t *report_counts(struct counts counts);

/*
 * One interface of `counters --json`, without name, generation and since. `profiles` is the array
 * of `show --json` that the generation was made from. With `all`, also listed ports that counted
 * nothing.
 */
json_t *report_counters(const struct counters *counters, const json_t *profiles, bool all);

/* The name of a common IP protocol; NULL: it is another one. */
const char *report_protocol(__u8 protocol);

/* The name of an IP protocol, or its number. `known`: a cache of 256 names, all NULL at first. */
json_t *report_protocol_json(json_t **known, __u8 protocol);

/* "ssh + xeams" from an array of names. */
char *report_joined(const json_t *names, const char *separator);

#endif
