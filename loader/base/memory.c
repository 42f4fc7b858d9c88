// SPDX-License-Identifier: GPL-2.0
/* Memory: allocation that cannot fail, and cleanup at the end of a scope. */
#include "loader/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_free(void *text)
{
	free(*(char **)text);
	*(char **)text = NULL;
}

static void *or_die(void *memory)
{
	if (!memory) {
		/* error() would need memory. */
		fputs("portcullis: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* malloc(0) may give NULL, which is not a failure: ask for a byte. */
void *xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		bytes = SIZE_MAX;
	return or_die(realloc(old, bytes ? bytes : 1));
}

void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return xrealloc(array, count ? 2 * count : 1, size);
}

char *xstrdup(const char *text)
{
	return text ? or_die(strdup(text)) : NULL;
}

char *xstrndup(const char *text, size_t length)
{
	return or_die(strndup(text, length));
}

char *xvasprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return or_die(text);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return text;
}
