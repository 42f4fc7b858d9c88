/* SPDX-License-Identifier: GPL-2.0 */
/* Applies the words of a recipe to the services of the catalog. */
#ifndef PORTCULLIS_RECIPE_OVERLAY_APPLY_H
#define PORTCULLIS_RECIPE_OVERLAY_APPLY_H

#include "loader/recipe/overlay.h"

/*
 * Applies the words of the recipe to the overlays. Reports all errors in `diag`, not only the
 * first.
 */
void overlays_apply(struct overlays *overlays);

#endif
