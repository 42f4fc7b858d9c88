/* SPDX-License-Identifier: GPL-2.0 */
/* Values in an XML file, by XPath. libxml2 is loaded when it is needed, because few commands use
 * it. */
#ifndef PORTCULLIS_CATALOG_XML_H
#define PORTCULLIS_CATALOG_XML_H

#include <stddef.h>

#include "loader/catalog/settings.h"

#define XML_VALUES 64 /* values that one expression may find */

struct xml; /* a parsed file */

/*
 * Parses a text. It reads no other file, and bounds nesting and the work of an expression. Returns
 * 0; -EINVAL with `*why` (the caller frees) for a text that is not well-formed ("line 7: ..."), or
 * declares entities; -ENOENT where libxml2 is not installed, and how to install it.
 */
int xml_parse(const char *text, size_t length, struct xml **xml, char **why);
void xml_free(struct xml **xml);

/*
 * Appends the values of the nodes that an XPath 1.0 expression selects, or the text that it gives;
 * the key is the expression. To find none is not an error. A name without a prefix in the
 * expression matches elements without a namespace. -EINVAL with `*why`.
 */
int xml_find(struct xml *xml, const char *xpath, struct settings *found, char **why);

#endif
