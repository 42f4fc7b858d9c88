// SPDX-License-Identifier: GPL-2.0
/* The tree that a YAML file is read into; each node knows its place. */
#include "loader/base/yaml_node.h"

const char *yaml_what(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_TEXT: return "a text";
	case YAML_LIST: return node->children ? "a list" : "an empty list";
	case YAML_MAPPING: return "a mapping";
	default: return "empty";
	}
}

const struct yaml_node *yaml_first(const struct yaml_node *node)
{
	return node->kind == YAML_LIST ? node->child : node;
}
