/* SPDX-License-Identifier: GPL-2.0 */
/* The machines behind an interface, as part of its recipe. */
#ifndef PORTCULLIS_RECIPE_MACHINES_H
#define PORTCULLIS_RECIPE_MACHINES_H

#include "loader/base/diag.h"
#include "loader/recipe/recipe.h"

/*
 * The machine of "NAME=PREFIX[,PREFIX]", which gets these prefixes instead of former ones; or of
 * "NAME", which must exist. NULL with an error in `diag`. The pointer is valid until a machine is
 * added or removed.
 */
struct machine *machines_word(struct recipe *recipe, const char *word, const struct place *place,
			      struct diag *diag);

/* Adds a machine, and takes over the prefixes. No other machine may have the name. */
struct machine *machines_add(struct recipe *recipe, const char *name, struct prefix *address,
			     size_t addresses);

/* If there is no machine of that name, machines_find returns NULL and machines_remove false. */
struct machine *machines_find(const struct recipe *recipe, const char *name);
bool machines_remove(struct recipe *recipe, const char *name);

/* Returns -EINVAL with errors for a machine without a profile, and for a prefix that two machines
 * have. */
int machines_check(const struct recipe *recipe, const struct place *place, struct diag *diag);

/* Gives machines the interface's settings where they have none of their own. */
void machines_inherit(struct recipe *recipe);

/*
 * The machine with the longest prefix that contains an address; NULL: none, so the interface's own
 * profiles decide.
 */
const struct machine *machines_of_address(const struct recipe *recipe, __u8 family,
					  const __u8 *address);

/*
 * Checks whether a machine can have the prefix: -EINVAL, and in `*why` (the caller frees) the
 * reason, for a prefix of all addresses, and of multicast, loopback or unspecified addresses.
 */
int machine_check_prefix(const struct prefix *prefix, char **why);

/* The addresses of a machine: "192.0.2.1, 2001:db8::/64"; the caller frees. */
char *machine_addresses(const struct machine *machine, const char *separator);

#endif
