/* SPDX-License-Identifier: GPL-2.0 */
/* Results as TAP lines. */
#ifndef PORTCULLIS_TEST_CHECK_H
#define PORTCULLIS_TEST_CHECK_H

#include <stdbool.h>

/* Prints one "ok" or "not ok" line; returns `good`. */
bool check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
void skip(const char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints a line that explains the result before or after it. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the plan line. Returns the exit status: 0 if no check failed. */
int check_done(void);

#endif
