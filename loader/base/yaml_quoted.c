// SPDX-License-Identifier: GPL-2.0
/*
 * Reads quoted YAML scalars. libfyaml 0.7.12 finds the end of such a text and refuses invalid ones,
 * but its result lacks the end of '''''a' and of a text with an escaped line break after an escaped
 * backslash, and it leaks memory there.
 */
#include "loader/base/yaml_quoted.h"

#include <string.h>

#include "loader/base/yaml_node.h"

struct cursor {
	const char *from;
	size_t length;
	size_t at;
	char *to;
	size_t used;
	/* in `to`: blanks before this were escaped: they stay, even at the end of a line */
	size_t hard;
};

static void put(struct cursor *cursor, char c)
{
	cursor->to[cursor->used++] = c;
}

/*
 * Folds the line breaks here with the blanks around them: one line break becomes a blank, n become
 * n - 1 line breaks. If the first is escaped, it is removed, and the blanks before it stay.
 */
static void fold(struct cursor *cursor, bool escaped)
{
	const char *from = cursor->from;
	size_t breaks = 0;

	while (!escaped && cursor->used > cursor->hard &&
	       yaml_is_blank(cursor->to[cursor->used - 1]))
		cursor->used--;
	for (; cursor->at < cursor->length; cursor->at++) {
		char c = from[cursor->at];

		if (!yaml_is_blank(c) && !yaml_is_break(c))
			break;
		/* CR LF is one */
		if (c == '\r' || (c == '\n' && (!cursor->at || from[cursor->at - 1] != '\r')))
			breaks++;
	}
	if (breaks == 1 && !escaped)
		put(cursor, ' ');
	for (; breaks > 1; breaks--)
		put(cursor, '\n');
}

static void put_code(struct cursor *cursor, unsigned long code)
{
	if (code < 0x80) {
		put(cursor, (char)code);
	} else if (code < 0x800) {
		put(cursor, (char)(0xc0 | code >> 6));
		put(cursor, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		put(cursor, (char)(0xe0 | code >> 12));
		put(cursor, (char)(0x80 | (code >> 6 & 0x3f)));
		put(cursor, (char)(0x80 | (code & 0x3f)));
	} else if (code < 0x110000) {
		put(cursor, (char)(0xf0 | code >> 18));
		put(cursor, (char)(0x80 | (code >> 12 & 0x3f)));
		put(cursor, (char)(0x80 | (code >> 6 & 0x3f)));
		put(cursor, (char)(0x80 | (code & 0x3f)));
	} else {
		put(cursor, (char)0xff);
	}
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static void put_hex(struct cursor *cursor, size_t digits)
{
	unsigned long code = 0;

	for (size_t i = 0; i < digits; i++, cursor->at++) {
		int value = cursor->at < cursor->length ? hex_value(cursor->from[cursor->at]) : -1;

		if (value < 0) {
			put(cursor, (char)0xff);
			return;
		}
		code = code << 4 | (unsigned int)value;
	}
	put_code(cursor, code);
}

/* Escapes of YAML 1.2.2, 5.7. The cursor is behind the backslash. */
static void put_escape(struct cursor *cursor)
{
	static const char letter[] = "0abt\tnvfre \"/\\N_LP";
	static const unsigned short meant[] = {0,   7,	  8,	'\t', '\t',   '\n',
					       0xb, 0xc,  '\r', 0x1b, ' ',    '"',
					       '/', '\\', 0x85, 0xa0, 0x2028, 0x2029};
	const char *found;
	char c;

	_Static_assert(sizeof(letter) - 1 == sizeof(meant) / sizeof(meant[0]), "escapes");
	if (cursor->at == cursor->length) {
		put(cursor, (char)0xff);
		return;
	}
	c = cursor->from[cursor->at];
	if (yaml_is_break(c)) {
		fold(cursor, true);
		cursor->hard = cursor->used;
		return;
	}
	cursor->at++;
	found = c ? strchr(letter, c) : NULL;
	if (found)
		put_code(cursor, meant[found - letter]);
	else if (c == 'x' || c == 'u' || c == 'U')
		put_hex(cursor, c == 'x' ? 2 : c == 'u' ? 4 : 8);
	else
		put(cursor, (char)0xff);
	cursor->hard = cursor->used;
}

size_t yaml_text_quoted(const char *from, size_t length, bool double_quoted, char *to)
{
	struct cursor cursor = {.from = from, .length = length, .to = to};

	while (cursor.at < length) {
		char c = from[cursor.at];

		if (yaml_is_break(c)) {
			fold(&cursor, false);
			continue;
		}
		cursor.at++;
		if (double_quoted && c == '\\') {
			put_escape(&cursor);
			continue;
		}
		put(&cursor, c);
		if (!double_quoted && c == '\'')
			cursor.at++; /* a quote is written twice */
	}
	to[cursor.used] = '\0';
	return cursor.used;
}
