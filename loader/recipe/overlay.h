/* SPDX-License-Identifier: GPL-2.0 */
/* Services under the words of a recipe, for compose.c and prune.c. */
#ifndef PORTCULLIS_RECIPE_OVERLAY_H
#define PORTCULLIS_RECIPE_OVERLAY_H

#include "loader/base/diag.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/recipe.h"

/* A service: the words of the recipe replace those of the catalog. All is borrowed. */
struct overlay {
	const struct profile *profile;
	const struct service *service;
	const struct ports *in;
	const struct ports *out;
	const struct names *from;
	const struct limit *limit; /* NULL: none */
	bool enabled;		   /* its feature is */
	bool disabled;		   /* by --disable */
	bool restricted;	   /* by --from, which may name anyone */
};

/* Catalog, recipe and diag are given by the caller, and borrowed. */
struct overlays {
	struct catalog *catalog;
	const struct recipe *recipe;
	const struct recipe *interface; /* whose groups count, too; NULL: none */
	const struct profile **profile; /* chosen first, then included, then `site` */
	size_t profiles;
	struct profile *site;	 /* of the ports that --open opens; NULL: none */
	struct overlay *overlay; /* profile by profile */
	size_t count;
	struct names group;    /* all of catalog and recipe, read at the first use */
	struct names features; /* those that the recipe enables, as PROFILE:FEATURE */
	struct diag *diag;
};

/*
 * Fills profiles and overlays from the catalog, as the recipe chooses and before its other words.
 * Returns 0, or -EINVAL with the error in `diag`. overlays_free is due in both cases.
 */
int overlays_start(struct overlays *overlays);
void overlays_free(struct overlays *overlays);

/* The chosen or included profile of that name, or NULL. */
const struct profile *overlays_profile(const struct overlays *overlays, const char *name);

/* The service of that name, or the one that had it once; NULL if there is none. */
struct overlay *overlays_service(struct overlays *overlays, const struct profile *profile,
				 const char *name);

/* The name that `feature` has in the profile now, or NULL: today's names go before former ones. */
const char *overlay_feature_name(const struct profile *profile, const char *feature);

/*
 * "FEATURE" or "PROFILE:FEATURE" cut in two: returns the feature, which is part of `word`. The
 * caller frees `*profile`, NULL for the first form.
 */
const char *overlay_cut_feature(const char *word, char **profile);

#endif
