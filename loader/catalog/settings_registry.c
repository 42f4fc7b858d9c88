// SPDX-License-Identifier: GPL-2.0
/* Settings of an exported registry of Windows. */
#include "loader/catalog/settings_registry.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <linux/types.h>

#include "loader/base/memory.h"

/* --- UTF-16 --- */

static bool is_utf16(const char *text, size_t length)
{
	return length >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2));
}

static unsigned int unit(const char *text, size_t at, bool big)
{
	__u8 a = (__u8)text[at], b = (__u8)text[at + 1];

	return big ? (unsigned int)a << 8 | b : (unsigned int)b << 8 | a;
}

/* Writes a code point as UTF-8; returns the number of bytes. */
static size_t put_code(char *to, unsigned int code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The text as UTF-8, with a NUL at its end. A surrogate without its other half becomes '?'. The
 * caller frees. */
static char *from_utf16(const char *text, size_t length, size_t *used)
{
	bool big = text[0] == '\xfe';
	char *to = xcalloc(length / 2 * 3 + 1, 1);

	*used = 0;
	for (size_t at = 2; at + 1 < length; at += 2) {
		unsigned int code = unit(text, at, big), low;

		if (code >= 0xd800 && code < 0xdc00 && at + 3 < length) {
			low = unit(text, at + 2, big);
			if (low >= 0xdc00 && low < 0xe000) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				at += 2;
			}
		}
		if (code >= 0xd800 && code < 0xe000)
			code = '?';
		*used += put_code(to + *used, code);
	}
	return to;
}

/* --- lines --- */

struct registry {
	const struct names *wanted;
	struct settings *settings;
	char *key; /* name of the section; NULL: none, or the section removes a key */
	int line;
};

static bool is_wanted(const struct registry *registry, const char *key)
{
	if (!registry->wanted)
		return true;
	for (size_t i = 0; i < registry->wanted->count; i++)
		if (!strcasecmp(registry->wanted->name[i], key))
			return true;
	return false;
}

/* The text between quotes, with its escapes resolved; NULL: no closing quote. `*end`: behind it. */
static char *quoted(const char *from, const char *stop, const char **end)
{
	char *text = xcalloc((size_t)(stop - from) + 1, 1), *to = text;

	for (from++; from < stop && *from != '"'; from++) {
		if (*from == '\\' && from + 1 < stop)
			from++;
		*to++ = *from;
	}
	*end = from + 1;
	if (from < stop)
		return text;
	free(text);
	return NULL;
}

/* The value as text, or NULL if it has another type. */
static char *value_text(const char *from, const char *stop)
{
	static const char dword[] = "dword:";
	const char *end;

	if (from < stop && *from == '"')
		return quoted(from, stop, &end);
	if ((size_t)(stop - from) > sizeof(dword) - 1 &&
	    !strncasecmp(from, dword, sizeof(dword) - 1)) {
		__free_text char *digits = xstrndup(from + sizeof(dword) - 1,
						    (size_t)(stop - from) - sizeof(dword) + 1);
		char *rest;
		unsigned long number = strtoul(digits, &rest, 16);

		return *rest || rest == digits || number > 0xffffffff ? NULL :
									xasprintf("%lu", number);
	}
	return NULL;
}

static int read_value(struct registry *registry, const char *from, const char *stop, char **why)
{
	const char *end = from + 1;
	__free_text char *name = *from == '@' ? xstrdup("") : quoted(from, stop, &end);
	__free_text char *key = NULL, *value = NULL;

	if (!name || end >= stop || *end != '=') {
		*why = xasprintf("line %d: a value without '='", registry->line);
		return -EINVAL;
	}
	if (!registry->key)
		return 0;
	key = xasprintf("%s\\%s", registry->key, name);
	value = is_wanted(registry, key) ? value_text(end + 1, stop) : NULL;
	if (value)
		settings_add(registry->settings, key, strlen(key), value, strlen(value),
			     registry->line);
	return 0;
}

static int read_section(struct registry *registry, const char *from, const char *stop, char **why)
{
	free(registry->key);
	registry->key = NULL;
	if (stop[-1] != ']') {
		*why = xasprintf("line %d: '[' without ']'", registry->line);
		return -EINVAL;
	}
	if (from[1] != '-')
		registry->key = xstrndup(from + 1, (size_t)(stop - from - 2));
	return 0;
}

/* Values of bytes continue in the next lines, which begin with a blank. */
static int read_line(struct registry *registry, const char *from, const char *stop, char **why)
{
	if (from == stop || *from == ';' || *from == ' ' || *from == '\t')
		return 0;
	if (*from == '[')
		return read_section(registry, from, stop, why);
	if (*from == '"' || *from == '@')
		return read_value(registry, from, stop, why);
	*why = xasprintf("line %d: neither a key nor a value", registry->line);
	return -EINVAL;
}

static bool is_head(const char *from, const char *stop)
{
	static const char *const head[] = {"Windows Registry Editor Version 5.00", "REGEDIT4"};

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		if ((size_t)(stop - from) == strlen(head[i]) &&
		    !memcmp(from, head[i], strlen(head[i])))
			return true;
	return false;
}

static int read_lines(struct registry *registry, const char *text, size_t length, char **why)
{
	const char *end = text + length;
	bool began = false;
	int err = 0;

	while (text < end && !err) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ?: end, *next = newline ? newline + 1 : end;

		registry->line++;
		while (stop > text && (stop[-1] == '\r' || stop[-1] == ' '))
			stop--;
		if (began)
			err = read_line(registry, text, stop, why);
		else if (is_head(text, stop))
			began = true;
		else
			break;
		text = next;
	}
	if (began || err)
		return err;
	*why = xstrdup("it does not begin as an exported registry");
	return -EINVAL;
}

int settings_registry(const char *text, size_t length, const struct names *wanted,
		      struct settings *settings, char **why)
{
	struct registry registry = {.wanted = wanted, .settings = settings};
	bool utf16 = is_utf16(text, length);
	size_t used = length;
	__free_text char *converted = utf16 ? from_utf16(text, length, &used) : NULL;
	const char *start = converted ?: text;
	int err;

	if (!utf16 && length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		start += 3;
		used -= 3;
	}
	if (memchr(start, '\0', used)) {
		*why = xstrdup("it has a zero character, and so it is not text");
		return -EINVAL;
	}
	err = read_lines(&registry, start, used, why);
	free(registry.key);
	if (!err && settings->count >= SETTINGS_LIMIT) {
		*why = xasprintf("it has more than %d settings", SETTINGS_LIMIT);
		err = -EINVAL;
	}
	return err;
}
