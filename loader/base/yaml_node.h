/* SPDX-License-Identifier: GPL-2.0 */
/* The tree that a YAML file is read into; each node knows its place. */
#ifndef PORTCULLIS_BASE_YAML_NODE_H
#define PORTCULLIS_BASE_YAML_NODE_H

#include <stdbool.h>
#include <stddef.h>

#define YAML_DEPTH_LIMIT 32 /* depth of nested lists and mappings; the languages need 4 */

enum yaml_kind {
	YAML_TEXT = 1,
	YAML_LIST = 2,
	YAML_MAPPING = 4,
	YAML_EMPTY = 8, /* nothing, `null` or `~` */
	YAML_BAD = 16,	/* an alias: its error is already reported */
};

struct yaml_node {
	enum yaml_kind kind;
	bool plain; /* text without quotes */
	bool cut;   /* a list or mapping that the file does not end: its remainder is unknown */
	/* of YAML_TEXT, NUL-ended and without control characters but line breaks */
	const char *text;
	size_t children;
	struct yaml_node *child; /* items, or key, value, key, value .. */
	struct yaml_node *last;
	struct yaml_node *next;
	size_t start, end; /* in bytes from the file's start */
	int line, column;  /* of the start, from 1; 0: it has no place in the file */
};

struct yaml {
	const char *path;
	const char *text;
	size_t length;
	const struct yaml_node *root;
	struct yaml_chunk *chunk; /* memory of the nodes and their text */
};

/* "a list", "a mapping" ..., for messages. */
const char *yaml_what(const struct yaml_node *node);

/* The items of a list; any other node is its own only item. */
#define yaml_for_each(item, node) \
	for (item = yaml_first(node); item; item = (node)->kind == YAML_LIST ? item->next : NULL)
const struct yaml_node *yaml_first(const struct yaml_node *node);

#define YAML_ITEMS (YAML_TEXT | YAML_LIST)

/* For each key of a mapping whose keys are names that the site chooses. */
#define yaml_for_each_key(key, mapping) \
	for (key = (mapping)->child; key && key->next; key = key->next->next)

static inline bool yaml_is_break(char c)
{
	return c == '\n' || c == '\r';
}

static inline bool yaml_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

#endif
