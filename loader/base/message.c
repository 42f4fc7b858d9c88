// SPDX-License-Identifier: GPL-2.0
/* Messages of the program: errors and warnings on stderr, lines on stdout. */
#include "loader/base/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

static struct {
	message_taker *take;
	void *context;
} taker;

__attribute__((format(printf, 3, 0))) static void put_line(FILE *to, const char *start,
							   const char *format, va_list args)
{
	__free_text char *text = xvasprintf(format, args);
	__free_text char *shown = text_printable(text);

	fprintf(to, "%s%s\n", start, shown);
}

void say_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(stdout, "", format, args);
	va_end(args);
}

void messages_to(message_taker *take, void *context)
{
	taker.take = take;
	taker.context = context;
}

void messages_drop(void *context, bool is_error, const char *text)
{
	(void)context;
	(void)is_error;
	(void)text;
}

__attribute__((format(printf, 2, 0))) static void message(bool is_error, const char *format,
							  va_list args)
{
	__free_text char *text = NULL;

	if (!taker.take) {
		put_line(stderr, is_error ? "portcullis: " : "portcullis: warning: ", format, args);
		return;
	}
	text = xvasprintf(format, args);
	taker.take(taker.context, is_error, text);
}

void error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(true, format, args);
	va_end(args);
}

void warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(false, format, args);
	va_end(args);
}
