/* SPDX-License-Identifier: GPL-2.0 */
/* Reads quoted YAML scalars; yaml_text.c says why libfyaml does not. */
#ifndef PORTCULLIS_BASE_YAML_QUOTED_H
#define PORTCULLIS_BASE_YAML_QUOTED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text between the quotes `from`, with its escapes and folded lines read. `to` has room for
 * 2 * length + 1 bytes, and is NUL-ended. Returns its length. What is no valid escape (libfyaml has
 * refused it before) gives bytes that are no UTF-8.
 */
size_t yaml_text_quoted(const char *from, size_t length, bool double_quoted, char *to);

#endif
