// SPDX-License-Identifier: GPL-2.0
/* UTF-8 (RFC 3629), and the characters that must not reach a terminal. */
#include "loader/base/utf8.h"

#include <string.h>

#include "loader/base/memory.h"

size_t utf8_decode(const char *text, size_t length, unsigned int *code)
{
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)text;
	size_t bytes;

	if (!length)
		return 0;
	if (byte[0] < 0x80) {
		*code = byte[0];
		return 1;
	}
	bytes = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc0 || byte[0] > 0xf4 || bytes > length)
		return 0;
	*code = byte[0] & (0xff >> (bytes + 1));
	for (size_t i = 1; i < bytes; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (byte[i] & 0x3f);
	}
	/* Overlong forms, surrogates and code points beyond Unicode are not UTF-8 (RFC 3629). */
	if (*code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return bytes;
}

size_t utf8_length(const char *text, size_t length)
{
	size_t characters = 0;
	unsigned int code;

	while (length) {
		size_t bytes = utf8_decode(text, length, &code);

		if (!bytes)
			bytes = 1;
		text += bytes;
		length -= bytes;
		characters++;
	}
	return characters;
}

/*
 * C0, DEL, C1; direction marks (U+061C, U+200E, U+200F) and overrides (U+202A-202E, U+2066-2069);
 * separators; the BOM.
 */
bool utf8_control(unsigned int code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

struct range {
	unsigned int first, last;
};

static bool is_in(const struct range *range, size_t count, unsigned int code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= range[i].first && code <= range[i].last)
			return true;
	return false;
}

/* Blocks by Unicode's East Asian Width and General Category (UAX #11, #44). */
unsigned int utf8_columns(unsigned int code)
{
	static const struct range combining[] = {
		{0x300, 0x36f},	  {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
		{0x64b, 0x65f},	  {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
		{0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
	};
	static const struct range wide[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0xa4cf},   {0xa960, 0xa97f},
		{0xac00, 0xd7a3},   {0xf900, 0xfaff},	{0xfe30, 0xfe6f},   {0xff00, 0xff60},
		{0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
		{0x20000, 0x3fffd},
	};

	if (code < 0x300)
		return 1;
	if (is_in(combining, ARRAY_SIZE(combining), code))
		return 0;
	return is_in(wide, ARRAY_SIZE(wide), code) ? 2 : 1;
}

size_t utf8_width(const char *text, size_t length)
{
	size_t width = 0;
	unsigned int code;

	while (length) {
		size_t bytes = utf8_decode(text, length, &code);

		width += bytes ? utf8_columns(code) : 1;
		text += bytes ? bytes : 1;
		length -= bytes ? bytes : 1;
	}
	return width;
}

bool comment_valid(const char *text)
{
	size_t length = strlen(text), bytes;
	unsigned int code;

	if (!length || length > COMMENT_LIMIT)
		return false;
	for (; length; text += bytes, length -= bytes) {
		bytes = utf8_decode(text, length, &code);
		if (!bytes || utf8_control(code))
			return false;
	}
	return true;
}

char *text_printable(const char *text)
{
	size_t length = strlen(text);
	char *copy = xcalloc(length + 1, 1), *end = copy;
	unsigned int code;

	while (length) {
		size_t bytes = utf8_decode(text, length, &code);

		if (bytes && !utf8_control(code))
			end = mempcpy(end, text, bytes);
		else
			*end++ = '?';
		text += bytes ? bytes : 1;
		length -= bytes ? bytes : 1;
	}
	return copy;
}
