/* SPDX-License-Identifier: GPL-2.0 */
/* Removes words from a recipe that earlier options gave. */
#ifndef PORTCULLIS_RECIPE_TAKE_BACK_H
#define PORTCULLIS_RECIPE_TAKE_BACK_H

#include "loader/base/diag.h"
#include "loader/recipe/recipe.h"

/*
 * Each function removes the word of one option: "587/tcp" (with the words of --from, --limit and
 * --disable on it), a feature or service in the form in which it was given,
 * "PROFILE:SERVICE[:in|:out]", "PROFILE:SERVICE", a group. Return 0, or -EINVAL with an error in
 * `diag` that names the nearest word of the recipe.
 */
int recipe_no_open(struct recipe *recipe, const char *ports, struct diag *diag);
int recipe_no_enable(struct recipe *recipe, const char *feature, struct diag *diag);
int recipe_no_disable(struct recipe *recipe, const char *service, struct diag *diag);
int recipe_no_set(struct recipe *recipe, const char *service, struct diag *diag);
int recipe_no_from(struct recipe *recipe, const char *service, struct diag *diag);
int recipe_no_limit(struct recipe *recipe, const char *service, struct diag *diag);
int recipe_no_machine(struct recipe *recipe, const char *name, struct diag *diag);
int recipe_no_group(struct recipe *recipe, const char *group, struct diag *diag);

#endif
