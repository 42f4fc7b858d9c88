/* SPDX-License-Identifier: GPL-2.0 */
/* The machines behind an interface of the site file. */
#ifndef PORTCULLIS_RECIPE_SITE_MACHINES_H
#define PORTCULLIS_RECIPE_SITE_MACHINES_H

#include "loader/catalog/values.h"
#include "loader/recipe/site_groups.h"
#include "loader/recipe/site_interface.h"

/* Reads `machines` into the interface's entries and into its recipe. */
void site_read_machines(struct reader *reader, const struct yaml_node *mapping,
			const struct site_files *files, struct site_interface *interface);

#endif
