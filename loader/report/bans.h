/* SPDX-License-Identifier: GPL-2.0 */
/* Bans as JSON and text. */
#ifndef PORTCULLIS_REPORT_BANS_H
#define PORTCULLIS_REPORT_BANS_H

#include <jansson.h>
#include <stdio.h>

#include "loader/recipe/ban_file.h"

/* {"prefix", "list", "since", "until", "by", "comment", "drop", "would_drop"} */
json_t *ban_json(const struct ban *ban, const struct ban_clock *clock,
		 const struct pc_ban_count *count);

/* The end of a ban by the present wall clock, in seconds since 1970; 0: it has none. */
__u64 ban_end(const struct ban *ban, const struct ban_clock *clock);

/*
 * "until 2026-11-29 18:00:00 CET", "without an end". The caller frees.
 */
char *ban_end_text(const struct ban *ban, const struct ban_clock *clock);

/* Prints the table of `bans`. `next` returns the rows one after the other, then NULL. */
void report_bans_text(json_t *(*next)(void *context), void *context, FILE *to);

#endif
