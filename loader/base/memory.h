/* SPDX-License-Identifier: GPL-2.0 */
/* Memory: allocation that cannot fail, and cleanup at the end of a scope. */
#ifndef PORTCULLIS_BASE_MEMORY_H
#define PORTCULLIS_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Run `function(&variable)` when the variable goes out of scope. */
#define __cleanup(function) __attribute__((cleanup(function)))
#define __free_text	    __cleanup(text_free)

void text_free(void *text); /* char **; frees *text */

/* Allocate, or end the process with a message: at that point a command has nothing to lose. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
/* The array with room for one more behind its `count` members; only for arrays that grow() made. */
void *grow(void *array, size_t count, size_t size);
char *xstrdup(const char *text); /* NULL gives NULL */
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#endif
