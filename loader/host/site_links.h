/* SPDX-License-Identifier: GPL-2.0 */
/* The interfaces of this host that the patterns of a site file take. */
#ifndef PORTCULLIS_HOST_SITE_LINKS_H
#define PORTCULLIS_HOST_SITE_LINKS_H

#include "loader/recipe/site.h"

/*
 * site_expand with the interfaces of the caller's network namespace, but for the loopback interface
 * and those that a key names by an alternative name; and with `more`, which may be NULL: names that
 * interfaces are about to have.
 */
void site_take_links(struct site *site, const struct names *more, struct diag *diag);

#endif
