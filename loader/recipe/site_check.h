/* SPDX-License-Identifier: GPL-2.0 */
/* The words of a site file held against the catalog. */
#ifndef PORTCULLIS_RECIPE_SITE_CHECK_H
#define PORTCULLIS_RECIPE_SITE_CHECK_H

#include "loader/catalog/catalog.h"
#include "loader/recipe/site.h"

/*
 * Holds every word against the catalog: errors stand at the words. A warning at an interface tells
 * what is closed there for want of a group. Returns 0, or -EINVAL with errors in `diag`.
 */
int site_check(struct catalog *catalog, const struct site *site, struct diag *diag);

/* Checks one interface of the file: true if it has no error, reported now or before. */
bool site_check_interface(struct catalog *catalog, const struct site *site,
			  const struct site_interface *interface, struct diag *diag);

#endif
