// SPDX-License-Identifier: GPL-2.0
/* Messages of the program: errors and warnings on stderr, lines on stdout. */
#include "loader/base/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"

#define MESSAGE_INDENT 2 /* of the second and later lines */

static struct message_sink sink;
static bool warned;

void message_print(const char *start, const char *text, const char *fix, FILE *to)
{
	__free_text char *line =
		xasprintf("%s%s%s%s", start, text, fix ? MESSAGE_FIX : "", fix ? fix : "");
	__free_text char *shown = text_printable(line);
	size_t columns = isatty(fileno(to)) ? terminal_columns(to) : 0, behind = 0;

	/* On a terminal the fix has a line of its own, from which it can be copied. */
	if (fix && columns && utf8_width(shown, strlen(shown)) > columns) {
		behind = strlen(shown) - strlen(fix);
		shown[behind - strlen(MESSAGE_FIX)] = '\0';
	}
	wrap_print(shown, 0, MESSAGE_INDENT, columns, to);
	if (behind) {
		int used = fprintf(to, "\n%*s%s", MESSAGE_INDENT, "", MESSAGE_FIX + 2);

		wrap_command(shown + behind, (size_t)used - 1, 2 * MESSAGE_INDENT, columns, to);
	}
	fputc('\n', to);
}

void say_line(const char *format, ...)
{
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	message_print("", text, NULL, stdout);
}

struct message_sink messages_to(message_taker *take, void *context)
{
	struct message_sink before = sink;

	sink = (struct message_sink){take, context};
	return before;
}

bool message_take(bool is_error, const char *text, const char *fix)
{
	warned |= !is_error && sink.take != messages_drop;
	if (sink.take)
		sink.take(sink.context, is_error, text, fix);
	return sink.take;
}

bool messages_warned(void)
{
	return warned;
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
		message_print(is_error ? "portcullis: " : "portcullis: warning: ", text, fix,
			      stderr);
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

void hint(const char *format, ...)
{
	__free_text char *text = NULL;
	va_list args;

	if (sink.take)
		return;
	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	message_print("", text, NULL, stderr);
}
