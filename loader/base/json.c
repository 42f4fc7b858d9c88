// SPDX-License-Identifier: GPL-2.0
/* Texts and lists of names in JSON, and printing it. */
#include "loader/base/json.h"

#include <stdio.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"

json_t *text_json(const char *text)
{
	__free_text char *ascii = NULL;
	json_t *json = text ? json_string(text) : json_null();

	if (json)
		return json;
	ascii = xstrdup(text);
	for (char *c = ascii; *c; c++) {
		if (*c & 0x80)
			*c = '?';
	}
	return json_string(ascii);
}

json_t *names_json(const struct names *names)
{
	json_t *array = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(array, text_json(names->name[i]));
	return array;
}

/* The line breaks are those of jansson, between the strings. */
static int print_safely(const char *text, size_t length, void *to)
{
	const char *from = text, *end = text + length;

	while (text < end) {
		unsigned int code = 0;
		size_t bytes = utf8_decode(text, (size_t)(end - text), &code);

		if (bytes && code >= ' ' && utf8_control(code)) {
			fwrite(from, 1, (size_t)(text - from), to);
			fprintf(to, "\\u%04X", code);
			from = text + bytes;
		}
		text += bytes ?: 1;
	}
	fwrite(from, 1, (size_t)(end - from), to);
	return 0;
}

void json_print(const json_t *json, size_t flags)
{
	json_dump_callback(json, print_safely, stdout, flags);
}

bool json_list_has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), text))
			return true;
	return false;
}
