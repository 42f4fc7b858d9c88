/* SPDX-License-Identifier: GPL-2.0 */
/* A recipe as JSON, the form in which it is kept with a generation. */
#ifndef PORTCULLIS_RECIPE_RECIPE_JSON_H
#define PORTCULLIS_RECIPE_RECIPE_JSON_H

#include <jansson.h>

#include "loader/base/diag.h"
#include "loader/recipe/recipe.h"

/*
 * {"profiles": [..], "policy": "enforce", "outbound": "track", "forward": false, "echo_limit": 100,
 *  "features": [..], "groups": {NAME: [PREFIX..]},
 *  "overrides": {"open": ["587/tcp=mgmt"], "set": ["P:S:in=25/tcp"], "from": ["P:S=trusted"],
 * "disable": ["P:S"]}, "parked": ["--enable P:F"],
 *  "machines": [{"name", "address": [PREFIX..], "recipe": the same, of its own words}]}
 *
 * Without machines there is no "machines". A machine's recipe has "policy" and "outbound" only if
 * they were given for it, and no part but "profiles" that is empty: 256 machines have few words.
 */
json_t *recipe_json(const struct recipe *recipe);
/* Two parts of that JSON: everything except "machines", and "machines". */
json_t *recipe_without_machines_json(const struct recipe *recipe);
json_t *recipe_machines_json(const struct recipe *recipe);
/*
 * Reads such JSON into an empty recipe, which stays empty if the JSON is wrong (-EINVAL).
 * "profiles" and "policy" are required, other keys may be absent. Unknown keys are ignored.
 */
int recipe_from_json(struct recipe *recipe, const json_t *json, struct diag *diag);

/*
 * A text that is equal for two machines with the same words and settings. `json`: the machine's
 * part of recipe_machines_json. The caller frees.
 */
char *machine_recipe_text(const struct machine *machine, const json_t *json);

/*
 * The groups that have names of hosts: {"partners": {"names": ["mail.example.org"], "fixed":
 * ["192.0.2.0/24"]}}, in the form of "dns" of a recipe; NULL: there are none.
 */
json_t *recipe_dns_json(const struct groups *groups);

/*
 * Removes DNS answers from a recipe's groups, so that two recipes that differ only in these are
 * equal.
 */
void recipe_json_forget_answers(json_t *json);

#endif
