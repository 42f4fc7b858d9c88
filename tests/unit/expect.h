/* SPDX-License-Identifier: GPL-2.0 */
/* Helpers that the unit tests share: messages as a user reads them, names, time. */
#ifndef PORTCULLIS_TEST_EXPECT_H
#define PORTCULLIS_TEST_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"

/* All messages as printed; empties `diag`. The caller frees. */
static inline char *said(struct diag *diag)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(to);
	diag_print(diag, to);
	fclose(to);
	diag_free(diag);
	return text;
}

static inline void expect_said(struct diag *diag, const char *expected)
{
	__free_text char *text = said(diag);

	if (strcmp(text, expected))
		print_error("said:\n%sexpected:\n%s", text, expected);
	assert_string_equal(text, expected);
}

static inline void expect_names(const struct names *names, const char *expected)
{
	__free_text char *text = names_join(names, " ");

	assert_string_equal(text, expected);
}

/* CPU time of this process, so that other work on the machine does not count. */
static inline double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The bounds are generous, for slow machines and sanitizers; the time itself is printed. */
static inline void expect_fast(const char *what, double start, double limit)
{
	double took = now() - start;

	print_message("%s: %.1f ms\n", what, 1000 * took);
	assert_true(took < limit);
}

#endif
