// SPDX-License-Identifier: GPL-2.0
/* Messages of the program: errors and warnings on stderr, lines on stdout. */
#include "loader/base/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

static struct message_sink sink;

/* Prints one line of printable characters. */
static void put_line(FILE *to, const char *start, const char *text, const char *fix)
{
	__free_text char *line =
		xasprintf("%s%s%s%s", start, text, fix ? MESSAGE_FIX : "", fix ? fix : "");
	__free_text char *shown = text_printable(line);

	fprintf(to, "%s\n", shown);
}

void say_line(const char *format, ...)
{
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	put_line(stdout, "", text, NULL);
}

struct message_sink messages_to(message_taker *take, void *context)
{
	struct message_sink before = sink;

	sink = (struct message_sink){take, context};
	return before;
}

bool message_take(bool is_error, const char *text, const char *fix)
{
	if (sink.take)
		sink.take(sink.context, is_error, text, fix);
	return sink.take;
}

void messages_drop(void *context, bool is_error, const char *text, const char *fix)
{
	(void)context;
	(void)is_error;
	(void)text;
	(void)fix;
}

__attribute__((format(printf, 3, 0))) static void message(bool is_error, const char *fix,
							  const char *format, va_list args)
{
	__free_text char *text = xvasprintf(format, args);

	if (!message_take(is_error, text, fix))
		put_line(stderr, is_error ? "portcullis: " : "portcullis: warning: ", text, fix);
}

void error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(true, NULL, format, args);
	va_end(args);
}

void error_fix(const char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(true, fix, format, args);
	va_end(args);
}

void warning_fix(const char *fix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(false, fix, format, args);
	va_end(args);
}

void warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(false, NULL, format, args);
	va_end(args);
}
