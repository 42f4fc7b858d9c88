/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The addresses that this host had at the last change of a filter with machines behind it. At boot
 * the filter is attached before the addresses exist. An own address within a machine's prefix must
 * not count as the machine's, else the machine's rules would decide who may log in to this host.
 */
#ifndef PORTCULLIS_RECIPE_OWN_ADDRESSES_H
#define PORTCULLIS_RECIPE_OWN_ADDRESSES_H

#include "loader/catalog/group.h"
#include "loader/net/link_graph.h"
#include "loader/recipe/state.h"

/* Reads the addresses as whole prefixes, which the caller frees. A missing file has none. */
size_t own_addresses_read(const char *path, struct prefix **address);

/* The text of the file; the caller frees. Loopback and link-local addresses are left out. */
char *own_addresses_text(const struct links *links);

/*
 * Stores the addresses for boot in the file `name`, and makes its folder if it is missing. Only
 * warns if that fails, because the change is already made.
 */
void own_addresses_keep(const char *folder, const char *name, const struct links *links);

#endif
