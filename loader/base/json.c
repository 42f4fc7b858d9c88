// SPDX-License-Identifier: GPL-2.0
/* Texts and lists of names in JSON. */
#include "loader/base/json.h"

#include <string.h>

#include "loader/base/memory.h"

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

bool json_list_has(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), text))
			return true;
	return false;
}
