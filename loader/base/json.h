/* SPDX-License-Identifier: GPL-2.0 */
/* Texts of others in JSON: names of interfaces and paths need not be UTF-8, which JSON is. */
#ifndef PORTCULLIS_BASE_JSON_H
#define PORTCULLIS_BASE_JSON_H

#include <jansson.h>

/* The text as a new JSON string; what is not ASCII becomes '?' if it is no UTF-8. NULL gives null.
 */
json_t *text_json(const char *text);

#endif
