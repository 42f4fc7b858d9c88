/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the interfaces of this host that match the patterns of a site file. */
#ifndef PORTCULLIS_HOST_SITE_LINKS_H
#define PORTCULLIS_HOST_SITE_LINKS_H

#include "loader/recipe/site.h"

/*
 * Calls site_expand with the interfaces of the caller's network namespace, except the loopback
 * interface and those that a key names by an alternative name; and with `more` (or NULL), names
 * that interfaces are about to have.
 */
void site_take_links(struct site *site, const struct names *more, struct diag *diag);

#endif
