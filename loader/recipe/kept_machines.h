/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machines of a kept text: "machines": [{"name", "address": [PREFIX..], "profiles": in the form
 * of the interface's}], and in its recipe "machines" with their words (recipe_json.h).
 */
#ifndef PORTCULLIS_RECIPE_KEPT_MACHINES_H
#define PORTCULLIS_RECIPE_KEPT_MACHINES_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/recipe/compose.h"

/* Makes "machines" of a composition. Equal profiles are one object. */
json_t *kept_machines_json(const struct composition *composition);

/*
 * Gives profiles what profiles_contract took, machines with "like" the profiles of that machine, and
 * the profiles with "like" that of the same name of that machine. False if a part is missing.
 */
bool kept_expand(json_t *kept);

/*
 * The kept text as it was before kept_expand, a new reference: expanded, 256 machines have their
 * profiles in its dump as often. Machines and profiles that an earlier machine has, too, have its
 * name in "like": many machines are of few products.
 */
json_t *kept_contract(const json_t *kept);

/* Adds the empty parts to the recipes of machines, which are not kept, for JSON output. */
void kept_machines_fill(json_t *kept);

/* An object for each machine, in order. `kept` may be NULL. */
size_t kept_machines(const json_t *kept);
const char *kept_machine_name(const json_t *kept, size_t at);
/* The index of the machine of that name, or kept_machines(kept) if there is none. */
size_t kept_machine_find(const json_t *kept, const char *name);
/* As kept_machine_find, but tries the machine at `first` and those after it first. */
size_t kept_machine_find_near(const json_t *kept, const char *name, size_t first);

/* The index of the machine with the longest prefix that contains an address; as
 * kept_machine_find. */
size_t kept_machine_of(const json_t *kept, __u8 family, const __u8 *address);

/*
 * A machine's kept text: {"recipe", "profiles"}, as if it were an interface, with the groups, the
 * policy and the outbound setting in force for it. A new reference.
 */
json_t *kept_machine(const json_t *kept, size_t at);

/* A machine's profiles. */
const json_t *kept_machine_profiles(const json_t *kept, size_t at);

/* The addresses of a machine: "192.0.2.10, 2001:db8::10"; the caller frees. */
char *kept_machine_address(const json_t *kept, size_t at);

/* True if the machine has the profiles of an earlier one. */
bool kept_machine_repeats(const json_t *kept, size_t at);

#endif
