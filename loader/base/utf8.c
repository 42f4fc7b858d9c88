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
	/* Overlong forms, surrogates and what is beyond Unicode are not UTF-8 (RFC 3629). */
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
