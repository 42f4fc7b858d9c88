/* SPDX-License-Identifier: GPL-2.0 */
/* The machines behind an interface, as part of its recipe. */
#ifndef PORTCULLIS_RECIPE_MACHINES_H
#define PORTCULLIS_RECIPE_MACHINES_H

#include "loader/base/diag.h"
#include "loader/recipe/recipe.h"

/*
 * The machine of "NAME=PREFIX[,PREFIX]", which gets these prefixes in place of those it had, or of
 * "NAME", which must be there. NULL with an error in `diag`. Valid until the next one is added or
 * removed.
 */
struct machine *machines_word(struct recipe *recipe, const char *word, const struct place *place,
			      struct diag *diag);

/* Adds a machine, and takes the prefixes. There must be none of that name. */
struct machine *machines_add(struct recipe *recipe, const char *name, struct prefix *address,
			     size_t addresses);

/* NULL if there is no machine of that name; machines_remove: false. */
struct machine *machines_find(const struct recipe *recipe, const char *name);
bool machines_remove(struct recipe *recipe, const char *name);

/* Reports a machine without a profile, and a prefix that two machines have: -EINVAL. */
int machines_check(const struct recipe *recipe, const struct place *place, struct diag *diag);

/* Gives the machines those settings of the interface that they have none of their own for. */
void machines_inherit(struct recipe *recipe);

/*
 * The machine whose prefix of an address is the longest, or NULL: then the interface's own profiles
 * decide.
 */
const struct machine *machines_of_address(const struct recipe *recipe, __u8 family,
					  const __u8 *address);

/*
 * -EINVAL, and in `*why` (the caller frees) what is wrong, for a prefix that no machine can have:
 * of all addresses, of multicast, loopback or unspecified ones.
 */
int machine_check_prefix(const struct prefix *prefix, char **why);

/* "192.0.2.1, 2001:db8::/64"; the caller frees. */
char *machine_addresses(const struct machine *machine, const char *separator);

#endif
