/* SPDX-License-Identifier: GPL-2.0 */
/* A YAML file as a tree in which each node knows its place; a thin layer on libfyaml's events. */
#ifndef PORTCULLIS_YAML_H
#define PORTCULLIS_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/diag.h"

#define YAML_DEPTH_LIMIT 32 /* lists and mappings in each other; the languages need 4 */

enum yaml_kind {
	YAML_TEXT = 1,
	YAML_LIST = 2,
	YAML_MAPPING = 4,
	YAML_EMPTY = 8, /* nothing, `null` or `~` */
	YAML_BAD = 16,	/* its error is reported already: an alias */
};

struct yaml_node {
	enum yaml_kind kind;
	bool plain; /* text without quotes */
	bool cut;   /* a list or mapping in which the file broke off: what follows is not known */
	const char
		*text; /* of YAML_TEXT, NUL-ended and without control characters but line breaks */
	size_t children;
	struct yaml_node *child; /* items, or key, value, key, value .. */
	struct yaml_node *last;
	struct yaml_node *next;
	size_t start, end; /* in bytes from the file's start */
	int line, column;  /* of the start, from 1; 0: stands nowhere */
};

struct yaml {
	const char *path;
	const char *text;
	size_t length;
	const struct yaml_node *root;
	struct yaml_chunk *chunk; /* memory of the nodes and their text */
};

/*
 * Reads the one document of `text`, which must outlive `yaml`. Returns 0, or -EINVAL with errors in
 * `diag`; then, too, `root` may be set, to what could be read before the error (see `cut`).
 * Bounded: anchors, aliases, tags, directives and deep nesting are errors, and memory is
 * proportional to the text's length. Texts keep their spelling: `no` is "no", 012 is "012".
 */
int yaml_load(const char *path, const char *text, size_t length, struct yaml *yaml,
	      struct diag *diag);
void yaml_free(struct yaml *yaml);

void yaml_place(const struct yaml *yaml, const struct yaml_node *node, struct place *place);
void yaml_error(const struct yaml *yaml, const struct yaml_node *node, struct diag *diag,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "a list", "a mapping" ..., for messages. */
const char *yaml_what(const struct yaml_node *node);

/* The items of a list; of anything else, that itself. */
#define yaml_for_each(item, node) \
	for (item = yaml_first(node); item; item = (node)->kind == YAML_LIST ? item->next : NULL)
const struct yaml_node *yaml_first(const struct yaml_node *node);

/* A key that a mapping may have. */
struct yaml_key {
	const char *name;
	bool required;
	unsigned int kinds;  /* what its value may be, of enum yaml_kind */
	const char *expects; /* the same for messages: "a port or a list of ports" */
	const char *aliases; /* words that stand for this key elsewhere: "prot port proto" */
};

/* What a mapping has for such a key. */
struct yaml_field {
	const struct yaml_node *key;   /* NULL: the key is absent */
	const struct yaml_node *value; /* NULL: absent, or unusable and reported */
};

/*
 * Fills `field`, one for each key. Errors: unknown keys (with the key that was probably meant),
 * repeated and missing ones, values of a wrong kind, empty values and lists.
 */
void yaml_fields(const struct yaml *yaml, const struct yaml_node *mapping,
		 const struct yaml_key *key, size_t keys, struct yaml_field *field,
		 struct diag *diag);

/* Whether a value can be used: of the right kind, and with something in it. Reports if not. */
bool yaml_usable(const struct yaml *yaml, const struct yaml_node *value, const struct yaml_key *key,
		 struct diag *diag);

/* `true` or `false`, and no other spelling. Leaves `*value` alone after an error. */
void yaml_bool(const struct yaml *yaml, const struct yaml_node *node, bool *value,
	       struct diag *diag);

#endif
