/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The addresses that this host had at the last change of a filter with machines behind it. At boot
 * a filter is there before the addresses: inside a machine's prefix they must not count as the
 * machine's, else the machine's rules decide who may log in to this host.
 */
#ifndef PORTCULLIS_RECIPE_OWN_ADDRESSES_H
#define PORTCULLIS_RECIPE_OWN_ADDRESSES_H

#include "loader/catalog/group.h"
#include "loader/net/link_graph.h"
#include "loader/recipe/state.h"

/* Reads them as whole prefixes, which the caller frees. Without a file there are none. */
size_t own_addresses_read(const char *path, struct prefix **address);

/* The text of the file; the caller frees. Loopback and link-local addresses are left out. */
char *own_addresses_text(const struct links *links);

/*
 * Keeps the addresses for boot, in the file `name` of a folder that is made if it is not there.
 * Warns if that fails: the change is made.
 */
void own_addresses_keep(const char *folder, const char *name, const struct links *links);

#endif
