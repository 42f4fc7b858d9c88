/* SPDX-License-Identifier: GPL-2.0 */
/* Reads a YAML file into a tree; a thin layer on libfyaml's events. */
#ifndef PORTCULLIS_BASE_YAML_H
#define PORTCULLIS_BASE_YAML_H

#include "loader/base/diag.h"
#include "loader/base/yaml_node.h"

/*
 * Reads the one document of `text`, which must outlive `yaml`. Returns 0, or -EINVAL with errors in
 * `diag`; then `root` may hold the part that was read before the error (see `cut`). Bounded:
 * anchors, aliases, tags, directives and deep nesting are errors, and memory is proportional to the
 * text's length. Texts keep their spelling: `no` is "no", 012 is "012".
 */
int yaml_load(const char *path, const char *text, size_t length, struct yaml *yaml,
	      struct diag *diag);
void yaml_free(struct yaml *yaml);

#endif
