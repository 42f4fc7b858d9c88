// SPDX-License-Identifier: GPL-2.0
/* Counts and prints results. */
#include <stdarg.h>
#include <stdio.h>

#include "tests/packet/check.h"

static struct {
	unsigned done, failed;
} tally;

bool check(bool good, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("%sok %u - ", good ? "" : "not ", ++tally.done);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	tally.failed += !good;
	return good;
}

void skip(const char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("ok %u - ", ++tally.done);
	vprintf(format, args);
	printf(" # SKIP %s\n", reason);
	va_end(args);
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

int check_done(void)
{
	printf("1..%u\n", tally.done);
	if (tally.failed)
		note("%u of %u failed", tally.failed, tally.done);
	return tally.failed ? 1 : 0;
}
