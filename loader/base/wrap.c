// SPDX-License-Identifier: GPL-2.0
/* Breaks text into lines of a number of columns. */
#include "loader/base/wrap.h"

#include <stdbool.h>
#include <string.h>

#include "loader/base/utf8.h"

/* A word that is longer than the line may be broken behind one of these. */
#define MARKS ",:-/=+]"

/* The bytes of the first character; a byte that is not UTF-8 is one. */
static size_t character(const char *text, size_t *columns)
{
	unsigned int code;
	size_t bytes = utf8_decode(text, strlen(text), &code);

	*columns = bytes ? utf8_columns(code) : 1;
	return bytes ? bytes : 1;
}

size_t wrap_length(const char *text, size_t columns)
{
	size_t length = 0, used = 0, space = 0, mark = 0, wide;

	while (text[length]) {
		size_t bytes = character(text + length, &wide);

		if (text[length] == ' ' && length && text[length - 1] != ' ')
			space = length;
		if (used + wide > columns)
			break;
		used += wide;
		length += bytes;
		if (strchr(MARKS, text[length - 1]))
			mark = length;
	}
	if (!text[length])
		return length;
	if (space || mark)
		return space ? space : mark;
	return length ? length : character(text, &wide);
}

size_t wrap_fits(const char *text, size_t columns)
{
	size_t length = 0, used = 0, wide;

	while (text[length]) {
		size_t bytes = character(text + length, &wide);

		used += wide;
		if (used > columns)
			break;
		length += bytes;
	}
	return length;
}

const char *wrap_next(const char *text, size_t length)
{
	return text + length + strspn(text + length, " ");
}

size_t wrap_word(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t length = strcspn(text, " "), wide = utf8_width(text, length);

		if (wide > most)
			most = wide;
		text += length + (text[length] == ' ');
	}
	return most;
}

void wrap_print(const char *text, size_t start, size_t indent, size_t columns, FILE *to)
{
	while (columns && *text) {
		size_t room = columns > start ? columns - start : 0;
		size_t length = wrap_length(text, room);

		/* A word that does not fit on this line may fit on the next. */
		if (start > indent && utf8_width(text, length) + (text[length] != ' ') > room &&
		    text[length])
			length = 0;
		fprintf(to, "%.*s", (int)length, text);
		text = wrap_next(text, length);
		if (*text)
			fprintf(to, "\n%*s", (int)indent, "");
		start = indent;
	}
	fputs(text, to);
}

/* The last space outside single quotes that leaves room for " \\" in `columns`; 0: there is none.
 */
static size_t command_break(const char *text, size_t columns)
{
	bool quoted = false;
	size_t found = 0;

	for (size_t i = 0; text[i]; i++) {
		quoted ^= text[i] == '\'';
		if (text[i] != ' ' || quoted)
			continue;
		if (utf8_width(text, i) + 2 > columns)
			break;
		found = i;
	}
	return found;
}

void wrap_command(const char *text, size_t start, size_t indent, size_t columns, FILE *to)
{
	while (columns && start + utf8_width(text, strlen(text)) > columns) {
		size_t length = columns > start ? command_break(text, columns - start) : 0;

		if (!length)
			break;
		fprintf(to, "%.*s \\\n%*s", (int)length, text, (int)indent, "");
		text = wrap_next(text, length);
		start = indent;
	}
	fputs(text, to);
}
