/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the site file's reader share. */
#ifndef PORTCULLIS_SITE_READER_H
#define PORTCULLIS_SITE_READER_H

#include "loader/reader.h"
#include "loader/site.h"

#define YAML_ITEMS (YAML_TEXT | YAML_LIST)

/* Each key of a mapping whose keys are names that the site gives. */
#define yaml_for_each_key(key, mapping) \
	for (key = (mapping)->child; key && key->next; key = key->next->next)

/* Reads the keys of one interface; name and groups are set already. */
void site_read_interface(struct reader *reader, const struct yaml_node *mapping,
			 struct site_interface *interface);

#endif
