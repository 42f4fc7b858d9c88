/* SPDX-License-Identifier: GPL-2.0 */
/* Checks the mappings of a site file whose keys are names. */
#ifndef PORTCULLIS_RECIPE_SITE_KEYS_H
#define PORTCULLIS_RECIPE_SITE_KEYS_H

#include "loader/catalog/values.h"

/* Reports keys that appear twice. `what` is for messages: "group". */
void site_keys_check(struct reader *reader, const struct yaml_node *mapping, const char *what);

/* True if another key of the mapping has the same name. */
bool site_key_twice(const struct yaml_node *mapping, const struct yaml_node *key);

/* Reports a mapping with more than `most` keys. `what`: "groups". */
bool site_keys_too_many(struct reader *reader, const struct yaml_node *mapping, const char *what,
			size_t most);

#endif
