/* SPDX-License-Identifier: GPL-2.0 */
/* Checks the words of a site file against the catalog. */
#ifndef PORTCULLIS_RECIPE_SITE_CHECK_H
#define PORTCULLIS_RECIPE_SITE_CHECK_H

#include "loader/catalog/catalog.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/site.h"

/*
 * Checks every word against the catalog; errors have the place of the word. A warning names an
 * interface's services that are closed because a group is undefined. 0, or -EINVAL with errors in
 * `diag`.
 */
int site_check(struct catalog *catalog, const struct site *site, struct diag *diag);

/*
 * Checks one interface of the file. Returns false if it has an error, even one that was reported
 * earlier. `*composition`: its services, for a plan; `recipe` in it is NULL if they could not be
 * composed. The caller frees.
 */
bool site_check_interface(struct catalog *catalog, const struct site *site,
			  const struct site_interface *interface, struct composition *composition,
			  struct diag *diag);

#endif
