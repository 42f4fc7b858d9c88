/* SPDX-License-Identifier: GPL-2.0 */
/* A composition as JSON, for `show` and for the kept text; and reading it back. */
#ifndef PORTCULLIS_RECIPE_COMPOSE_JSON_H
#define PORTCULLIS_RECIPE_COMPOSE_JSON_H

#include <jansson.h>

#include "loader/recipe/compose.h"

/* Makes the "profiles" array of `show --json`. */
json_t *composition_json(const struct composition *composition);

/*
 * The profiles without what is null, false or empty in them and their services: most of it is, and
 * a kept text is read and written by every command. A new reference; those with "like" stay.
 */
json_t *profiles_contract(const json_t *profiles);
/* Gives profiles back what profiles_contract took. */
void profiles_expand(json_t *profiles);

/* True if a service of `show --json` is open in a direction (or both). */
bool service_open(const json_t *service, bool out);
/* Appends the ports of a service; skips a text that is not a port. */
void service_ports(const json_t *service, struct ports *ports);

#endif
