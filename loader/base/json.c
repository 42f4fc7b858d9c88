// SPDX-License-Identifier: GPL-2.0
/* Texts of others in JSON. */
#include "loader/base/json.h"

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
