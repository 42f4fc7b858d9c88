// SPDX-License-Identifier: GPL-2.0
/* Events as entries of the journal. */
#include "loader/report/event_record.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/report/event.h"
#include "loader/report/journal.h"
#include "loader/report/json_forms.h"

/* "PORTCULLIS_SOURCE_PORT" of "source_port". The caller frees. */
static char *field_name(const char *key)
{
	char *name = xasprintf("PORTCULLIS_%s", key);

	for (char *c = name; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return name;
}

/* "mail:smtp=feature, mail:pop=disabled". The caller frees. */
static char *closed_text(const json_t *closed)
{
	__cleanup(names_free) struct names list = {};
	const json_t *one;
	size_t i;

	json_array_foreach (closed, i, one) {
		__free_text char *text =
			xasprintf("%s=%s", json_string_value(json_object_get(one, "service")) ?: "",
				  json_string_value(json_object_get(one, "why_closed")) ?: "");

		names_add(&list, text);
	}
	return names_join(&list, ", ");
}

/* The text of a value. NULL: the value is null or an empty list, so the entry has no such field. */
static char *value_text(const char *key, const json_t *value)
{
	char *text = NULL;

	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	if (json_is_integer(value))
		return xasprintf("%lld", (long long)json_integer_value(value));
	if (json_array_size(value))
		text = strcmp(key, "closed") ? report_joined(value, ", ") : closed_text(value);
	return text;
}

char *event_record_fields(const json_t *event, size_t *length)
{
	__free_text char *summary = event_summary(event), *message = NULL;
	char *text = NULL;
	FILE *to = open_memstream(&text, length);
	const json_t *value;
	const char *key;

	if (!to)
		return NULL;
	message = xasprintf("%s: %s", json_string_value(json_object_get(event, "interface")) ?: "",
			    summary);
	journal_field(to, "MESSAGE", message);
	fprintf(to, "MESSAGE_ID=" EVENT_RECORD_ID "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=portcullis\n",
		LOG_INFO);
	json_object_foreach ((json_t *)event, key, value) {
		__free_text char *name = field_name(key);
		__free_text char *shown = value_text(key, value);

		if (strcmp(key, "version") != 0)
			journal_field(to, name, shown);
	}
	return fclose(to) ? (free(text), NULL) : text;
}

int event_record(const json_t *event)
{
	size_t length;
	__free_text char *fields = event_record_fields(event, &length);

	return fields ? journal_send(fields, length, true) : -ENOMEM;
}
