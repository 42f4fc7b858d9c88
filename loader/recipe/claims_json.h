/* SPDX-License-Identifier: GPL-2.0 */
/* Claims as JSON: the process that reads untrusted files passes them on in this form. */
#ifndef PORTCULLIS_RECIPE_CLAIMS_JSON_H
#define PORTCULLIS_RECIPE_CLAIMS_JSON_H

#include <jansson.h>

#include "loader/recipe/claims.h"

json_t *claims_json(const struct claims *claims);
/* Entries that do not have the form of claims_json are left out. */
void claims_from_json(const json_t *json, struct claims *claims);

#endif
