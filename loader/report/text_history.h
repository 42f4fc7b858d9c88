/* SPDX-License-Identifier: GPL-2.0 */
/* The history as text. */
#ifndef PORTCULLIS_REPORT_TEXT_HISTORY_H
#define PORTCULLIS_REPORT_TEXT_HISTORY_H

#include <jansson.h>
#include <stdio.h>

#include "loader/report/history.h"

/* Prints a row for each change and interface, the last change at the end. `report`: {"changes"}. */
void report_history_text(const json_t *report, FILE *to);

/* Prints all about one change that history_settle completed. */
void history_change_text(const struct history_lines *lines, const json_t *change, FILE *to);

/* Prints the result of history_difference. */
void history_difference_text(const struct history_lines *lines, unsigned long long from,
			     unsigned long long to_number, const json_t *interfaces, FILE *to);

/* "alice from 192.0.2.7"; "the deadline" if no user made the change. The caller frees. */
char *history_by_text(const json_t *change);

#endif
