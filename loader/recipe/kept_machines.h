/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machines of a kept text: "machines": [{"name", "address": [PREFIX..], "profiles": as of the
 * interface}], and its recipe's "machines" with their words (recipe_json.h).
 */
#ifndef PORTCULLIS_RECIPE_KEPT_MACHINES_H
#define PORTCULLIS_RECIPE_KEPT_MACHINES_H

#include <jansson.h>
#include <stdbool.h>

#include "loader/recipe/compose.h"

/* "machines" of a composition. Profiles that are equal are one object. */
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

/* Gives the recipes of machines the parts that are not kept because they are empty: for JSON. */
void kept_machines_fill(json_t *kept);

/* One for each machine, in order. `kept` may be NULL. */
size_t kept_machines(const json_t *kept);
const char *kept_machine_name(const json_t *kept, size_t at);
/* The index of a machine, or kept_machines(kept) if there is none of that name. */
size_t kept_machine_find(const json_t *kept, const char *name);
/* As kept_machine_find; the machine at `first` and those behind it are tried first. */
size_t kept_machine_find_near(const json_t *kept, const char *name, size_t first);

/* The index of the machine whose prefix of an address is the longest; as kept_machine_find. */
size_t kept_machine_of(const json_t *kept, __u8 family, const __u8 *address);

/*
 * A machine's own kept text: {"recipe", "profiles"}, as if it were an interface. Its groups are
 * those that count for it, its policy and outbound are there. A new reference.
 */
json_t *kept_machine(const json_t *kept, size_t at);

/* A machine's profiles. */
const json_t *kept_machine_profiles(const json_t *kept, size_t at);

/* "192.0.2.10, 2001:db8::10" of a machine; the caller frees. */
char *kept_machine_address(const json_t *kept, size_t at);

/* True if a machine's profiles are those of an earlier one. */
bool kept_machine_repeats(const json_t *kept, size_t at);

#endif
