// SPDX-License-Identifier: GPL-2.0
/* Settings of CommuniGate Pro: dictionaries, arrays, strings, numbers and blocks of data. */
#include "loader/catalog/settings_communigate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define KEY_LIMIT 512 /* bytes of a key */

struct reading {
	const char *at, *end;
	int line;
	unsigned int depth;
	char key[KEY_LIMIT]; /* the key of the value that is read */
	struct settings *settings;
	char **why;
};

static int wrong(struct reading *reading, const char *what)
{
	*reading->why = xasprintf("line %d: %s", reading->line, what);
	return -EINVAL;
}

static void skip(struct reading *reading)
{
	for (; reading->at < reading->end && strchr(" \t\r\n", *reading->at); reading->at++)
		reading->line += *reading->at == '\n';
}

static bool take(struct reading *reading, char c)
{
	skip(reading);
	if (reading->at == reading->end || *reading->at != c)
		return false;
	reading->at++;
	return true;
}

/* Reads a quoted string, whose escapes are kept, or a word of letters, digits and the like. */
static int read_word(struct reading *reading, const char **from, size_t *length)
{
	const char *start;

	skip(reading);
	start = reading->at;
	if (take(reading, '"')) {
		*from = reading->at;
		for (; reading->at < reading->end && *reading->at != '"'; reading->at++) {
			reading->line += *reading->at == '\n';
			if (*reading->at == '\\' && reading->at + 1 < reading->end)
				reading->at++;
		}
		*length = (size_t)(reading->at - *from);
		return reading->at++ < reading->end ? 0 : wrong(reading, "a string without end");
	}
	while (reading->at < reading->end && !strchr("{}()=;,\" \t\r\n", *reading->at))
		reading->at++;
	*from = start;
	*length = (size_t)(reading->at - start);
	return *length ? 0 : wrong(reading, "neither a string nor a list");
}

static int read_value(struct reading *reading);

/* Reads the value whose key has one more part, `step`. */
static int read_below(struct reading *reading, const char *step, size_t length)
{
	size_t used = strlen(reading->key);
	int err;

	if (used + length + 2 > sizeof(reading->key))
		return wrong(reading, "a key is too long");
	snprintf(reading->key + used, sizeof(reading->key) - used, "%s%.*s", used ? "/" : "",
		 (int)length, step);
	err = read_value(reading);
	reading->key[used] = '\0';
	return err;
}

/* Reads members up to `close`; '\0' stands for the end of the file. */
static int read_dictionary(struct reading *reading, char close)
{
	const char *key;
	size_t length;

	while (close ? !take(reading, close) : (skip(reading), reading->at < reading->end)) {
		int err = read_word(reading, &key, &length);

		if (!err && !take(reading, '='))
			err = wrong(reading, "a key without '='");
		if (!err)
			err = read_below(reading, key, length);
		if (!err && !take(reading, ';'))
			err = wrong(reading, "a value without ';'");
		if (err)
			return err;
	}
	return 0;
}

static int read_array(struct reading *reading)
{
	for (unsigned int i = 0; !take(reading, ')'); i++) {
		char number[16];
		int length = snprintf(number, sizeof(number), "%u", i), err;

		if (i && !take(reading, ','))
			return wrong(reading, "a list without ','");
		err = read_below(reading, number, (size_t)length);
		if (err)
			return err;
	}
	return 0;
}

static int read_value(struct reading *reading)
{
	const char *from;
	size_t length;
	int err;

	if (reading->depth == SETTINGS_DEPTH)
		return wrong(reading, "too many lists in each other");
	reading->depth++;
	if (take(reading, '{')) {
		err = read_dictionary(reading, '}');
	} else if (take(reading, '(')) {
		err = read_array(reading);
	} else {
		err = read_word(reading, &from, &length);
		if (!err && length && *from == '#') /* a number; the '#' is not a part of it */
			from++, length--;
		if (!err)
			settings_add(reading->settings, reading->key, strlen(reading->key), from,
				     length, reading->line);
	}
	reading->depth--;
	return err;
}

int settings_communigate(const char *text, size_t length, struct settings *settings, char **why)
{
	struct reading reading = {
		.at = text, .end = text + length, .line = 1, .settings = settings, .why = why};
	int err;

	if (memchr(text, '\0', length)) {
		*why = xstrdup("it has a zero byte, and so it is not text");
		return -EINVAL;
	}
	skip(&reading);
	if (reading.at < reading.end && *reading.at == '(')
		err = read_value(&reading);
	else
		err = take(&reading, '{') ? read_dictionary(&reading, '}') :
					    read_dictionary(&reading, '\0');
	skip(&reading);
	if (!err && reading.at < reading.end)
		err = wrong(&reading, "text behind the end");
	if (!err && settings->count >= SETTINGS_LIMIT) {
		*why = xasprintf("it has more than %d settings", SETTINGS_LIMIT);
		err = -EINVAL;
	}
	return err;
}
