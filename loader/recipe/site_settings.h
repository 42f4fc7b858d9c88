/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of an interface of the site file. */
#ifndef PORTCULLIS_RECIPE_SITE_SETTINGS_H
#define PORTCULLIS_RECIPE_SITE_SETTINGS_H

#include "loader/catalog/values.h"
#include "loader/recipe/site_groups.h"
#include "loader/recipe/site_interface.h"

/* Reads the keys of one interface, whose name is already set. */
void site_read_interface(struct reader *reader, const struct yaml_node *mapping,
			 const struct site_files *files, struct site_interface *interface);

#endif
