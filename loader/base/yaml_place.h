/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the place of a text in a YAML file, for messages. */
#ifndef PORTCULLIS_BASE_YAML_PLACE_H
#define PORTCULLIS_BASE_YAML_PLACE_H

#include "loader/base/diag.h"
#include "loader/base/yaml_node.h"

/* The place of text[start..end); only of its first line, if it has several. */
void yaml_place_at(const struct yaml *yaml, int line, int column, size_t start, size_t end,
		   struct place *place);
/* Finds the place of an offset: counts the lines before it. */
void yaml_place_of(const struct yaml *yaml, size_t start, size_t end, struct place *place);
void yaml_place(const struct yaml *yaml, const struct yaml_node *node, struct place *place);
void yaml_error(const struct yaml *yaml, const struct yaml_node *node, struct diag *diag,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
