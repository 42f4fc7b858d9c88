/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports syntax errors of a YAML file: input that libfyaml must not see, and libfyaml's own
 * errors.
 */
#ifndef PORTCULLIS_BASE_YAML_SYNTAX_H
#define PORTCULLIS_BASE_YAML_SYNTAX_H

#include <libfyaml.h>
#include <stddef.h>

#include "loader/base/diag.h"
#include "loader/base/yaml_node.h"

/*
 * Looks for input that libfyaml must not see, or that is better explained here: bytes that are not
 * text; directives; and long tags and runs of white space, for which 0.7.12 takes quadratic time
 * (30 s for a megabyte). Returns the message and sets the offending bytes, or NULL if there are
 * none.
 */
const char *yaml_bad_text(const char *text, size_t length, size_t *start, size_t *end);

/*
 * Reports what libfyaml has collected in `log`: with its words and places, except those that
 * mislead. `open` is the innermost list or mapping that has not ended, or NULL.
 */
void yaml_report_errors(const struct yaml *yaml, const struct yaml_node *open, struct fy_diag *log,
			struct diag *diag);

#endif
