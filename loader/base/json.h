/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Texts and lists of names in JSON, and printing JSON, which is UTF-8: names of interfaces and
 * paths need not be.
 */
#ifndef PORTCULLIS_BASE_JSON_H
#define PORTCULLIS_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/base/names.h"

/*
 * The text as a new JSON string; NULL gives null. If it is not valid UTF-8, every byte that is not
 * ASCII becomes '?'.
 */
json_t *text_json(const char *text);

/* An array of the names, each as text_json. */
json_t *names_json(const struct names *names);

/*
 * Prints a document to stdout, with flags of jansson. Characters that a terminal may obey
 * (utf8_control) are escaped: json_dumpf escapes only C0.
 */
void json_print(const json_t *json, size_t flags);

/* True if an array of strings has the text as a member. */
bool json_list_has(const json_t *list, const char *text);

#endif
