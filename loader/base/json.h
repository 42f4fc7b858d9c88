/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Texts and lists of names in JSON, and printing it: names of interfaces and paths need not be
 * UTF-8, which JSON is.
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

/* An array of them, each as text_json. */
json_t *names_json(const struct names *names);

/*
 * Prints a document to stdout, with flags of jansson. Characters that a terminal may obey
 * (utf8_control) are escaped: json_dumpf escapes C0 alone.
 */
void json_print(const json_t *json, size_t flags);

/* True if an array of strings has this one. */
bool json_list_has(const json_t *list, const char *text);

#endif
