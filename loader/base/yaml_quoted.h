/* SPDX-License-Identifier: GPL-2.0 */
/* Reads quoted YAML scalars; yaml_text.c says why libfyaml does not. */
#ifndef PORTCULLIS_BASE_YAML_QUOTED_H
#define PORTCULLIS_BASE_YAML_QUOTED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The text between the quotes `from`, with its escapes and folded lines read. `to` has room for
 * 2 * length + 1 bytes, and is NUL-ended. Returns its length. An invalid escape gives bytes that
 * are not UTF-8; libfyaml refuses those before.
 */
size_t yaml_text_quoted(const char *from, size_t length, bool double_quoted, char *to);

#endif
