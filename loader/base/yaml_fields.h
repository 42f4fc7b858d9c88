/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of a YAML mapping, checked against those that it may have. */
#ifndef PORTCULLIS_BASE_YAML_FIELDS_H
#define PORTCULLIS_BASE_YAML_FIELDS_H

#include <stdbool.h>

#include "loader/base/diag.h"
#include "loader/base/yaml_node.h"

/* A key that a mapping may have. */
struct yaml_key {
	const char *name;
	bool required;
	unsigned int kinds;  /* the kinds that its value may have, of enum yaml_kind */
	const char *expects; /* the kinds in words, for messages: "a port or a list of ports" */
	const char *aliases; /* words that other formats use for this key: "prot port proto" */
};

/* The value that a mapping gives to such a key. */
struct yaml_field {
	const struct yaml_node *key;   /* NULL: the key is absent */
	const struct yaml_node *value; /* NULL: absent, or unusable and reported */
};

/*
 * Fills `field`, one member for each key. Errors: unknown keys (with the key that was probably
 * meant), repeated and missing ones, values of a wrong kind, empty values and lists.
 */
void yaml_fields(const struct yaml *yaml, const struct yaml_node *mapping,
		 const struct yaml_key *key, size_t keys, struct yaml_field *field,
		 struct diag *diag);

/* True if a value has the right kind and is not empty. Reports an error if not. */
bool yaml_usable(const struct yaml *yaml, const struct yaml_node *value, const struct yaml_key *key,
		 struct diag *diag);

/* `true` or `false`, and no other spelling. Leaves `*value` alone after an error. */
void yaml_bool(const struct yaml *yaml, const struct yaml_node *node, bool *value,
	       struct diag *diag);

#endif
