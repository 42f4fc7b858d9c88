/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the outgoing and forwarded traffic that an interface's settings cut off for its
 * profiles. */
#ifndef PORTCULLIS_RECIPE_SENDS_H
#define PORTCULLIS_RECIPE_SENDS_H

#include <jansson.h>

#include "loader/recipe/compose.h"

/* True if one of the profiles has `outbound: any`, so that outbound enforcement drops nothing. */
bool composition_sends_any(const struct composition *composition);

/*
 * Names what outbound enforcement cuts off: profiles that listen and have no open `out` service; or
 * everything, if no profile has one. NULL: nothing, or outbound is not enforced. `recipe` and
 * `profiles`: from recipe_json and composition_json. The caller frees.
 */
char *sends_nothing(const json_t *recipe, const json_t *profiles);
char *composition_sends_nothing(const struct composition *composition);

/* The fix for that. */
#define SENDS_FIX "set outbound to track, or list `out` ports in a copy of the profile"

/*
 * Names the profiles whose products run in containers, if forwarded traffic is not learned, so that
 * replies to the containers' own connections are dropped. NULL: nothing is cut off. The caller
 * frees.
 */
char *composition_needs_forward(const struct composition *composition);
#define FORWARD_FIX "give --forward; in the site file: forward: true"

/* Adds the profiles because of which everything may go out although outbound is enforced. */
void sends_any(const json_t *recipe, const json_t *profiles, struct names *any);
/* The names of these profiles: "communigate-pro". NULL: there is none. The caller frees. */
char *sends_any_text(const json_t *recipe, const json_t *profiles);

#endif
