/* SPDX-License-Identifier: GPL-2.0 */
/* Services with the words of a recipe applied, for compose.c and prune.c. */
#ifndef PORTCULLIS_RECIPE_OVERLAY_H
#define PORTCULLIS_RECIPE_OVERLAY_H

#include "loader/base/diag.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/recipe.h"

/* A service: the words of the recipe replace those of the catalog. All pointers are borrowed. */
struct overlay {
	const struct profile *profile;
	const struct service *service;
	const struct ports *in;
	const struct ports *out;
	const struct names *from;
	const struct limit *limit; /* NULL: no limit */
	bool enabled;		   /* its feature is enabled */
	bool disabled;		   /* disabled by --disable */
	bool restricted;	   /* restricted by --from, which may name anyone */
};

/* The services of a recipe's profiles. Catalog, recipe and diag belong to the caller. */
struct overlays {
	struct catalog *catalog;
	const struct recipe *recipe;
	const struct recipe *interface; /* recipe whose groups count, too; NULL: none */
	const struct profile **profile; /* chosen first, then included, then `site` */
	size_t profiles;
	struct profile *site;	 /* the profile of the ports that --open opens; NULL: none */
	struct overlay *overlay; /* ordered by profile */
	size_t count;
	struct names group;    /* all groups of catalog and recipe, read at the first use */
	struct names features; /* features that the recipe enables, as PROFILE:FEATURE */
	struct diag *diag;
};

/*
 * Fills profiles and overlays from the catalog, by the profiles of the recipe, without its other
 * words. Returns 0, or -EINVAL with the error in `diag`. Call overlays_free in both cases.
 */
int overlays_start(struct overlays *overlays);
void overlays_free(struct overlays *overlays);

/* The chosen or included profile of that name, or NULL. */
const struct profile *overlays_profile(const struct overlays *overlays, const char *name);

/* The service of that name or former name; NULL if there is none. */
struct overlay *overlays_service(struct overlays *overlays, const struct profile *profile,
				 const char *name);

/* The present name of `feature` in the profile, or NULL. Present names are tried before former
 * ones. */
const char *overlay_feature_name(const struct profile *profile, const char *feature);

/*
 * Splits "FEATURE" or "PROFILE:FEATURE". Returns the feature, which is a part of `word`. The caller
 * frees `*profile`, which is NULL for the first form.
 */
const char *overlay_cut_feature(const char *word, char **profile);

#endif
