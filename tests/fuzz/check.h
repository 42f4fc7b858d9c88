/* SPDX-License-Identifier: GPL-2.0 */
/* What must hold for every message, in the fuzzers of the two languages. */
#ifndef PORTCULLIS_FUZZ_CHECK_H
#define PORTCULLIS_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/diag.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* Every error has a place in the text, and can be printed. */
static inline void check_errors(const struct diag *diag, const char *text, size_t size)
{
	int lines = 1;
	FILE *nowhere = fopen("/dev/null", "w");

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n' || text[i] == '\r';
	for (size_t i = 0; i < diag->count && i < DIAG_LIMIT; i++) {
		const struct diag_entry *entry = &diag->entry[i];

		CHECK(entry->line <= lines);
		CHECK(!entry->line || (entry->column > 0 && entry->source));
		CHECK(!entry->line ||
		      entry->source_column + (int)strlen(entry->source) + 1 >= entry->column);
	}
	diag_print(diag, nowhere);
	fclose(nowhere);
}

#endif
