/* SPDX-License-Identifier: GPL-2.0 */
/* Catalog and recipe composed: each service in its effective form, open or closed, and why. */
#ifndef PORTCULLIS_RECIPE_COMPOSE_H
#define PORTCULLIS_RECIPE_COMPOSE_H

#include <jansson.h>

#include "loader/base/diag.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/recipe.h"

/* Why a service is closed, in the order of precedence. */
enum why_closed {
	WHY_OPEN,
	WHY_DISABLED,
	WHY_NO_PORTS,
	WHY_DYNAMIC,
	WHY_FEATURE,
	WHY_LOCAL,
	WHY_GROUP,
	WHYS,
};

/* Name ("no-ports") and explanation of each; NULL for WHY_OPEN. */
extern const char *const why_closed_name[WHYS];
extern const char *const why_closed_text[WHYS];

/*
 * A service in one direction, or in both where its ports are the same in both. It is open or closed
 * whole. Ports and groups are the effective ones, after overrides.
 */
struct composed {
	const struct profile *profile;
	const struct service *service;
	enum direction direction;
	struct ports ports;
	struct ports from_port;
	struct names from;	   /* used for `in` */
	struct names to;	   /* used for `out` */
	const struct limit *limit; /* limit for each source at `in`; NULL: none */
	enum why_closed why;
};

struct composed_machine;

struct composition {
	const struct recipe *recipe;
	/* The recipe of the interface that the machine is behind; NULL: this is the interface. */
	const struct recipe *interface;
	const struct profile **profile; /* chosen first, then included, then `site` */
	size_t profiles;
	/* the profile of the ports that --open opens, owned; NULL: none */
	struct profile *site;
	struct composed *service; /* ordered by profile, then as in its file */
	size_t services;
	struct names features; /* enabled features as PROFILE:FEATURE; a bare FEATURE is listed with
	 * each profile that has it */
	struct composed_machine *machine; /* for each machine of the recipe, in its order */
	size_t machines;
	json_t *machines_json; /* their words (recipe_machines_json), owned; NULL: no machines */
};

struct composed_machine {
	const struct machine *machine;
	/*
	 * The index of the first machine whose recipe has the same words, which has the same
	 * composition, too. It may be this machine's own index.
	 */
	size_t like;
	struct composition composition; /* of a machine; so it has no machines */
};

/*
 * Errors in `diag` (and -EINVAL): unknown profile, feature (with the nearest name), service, --set
 * of a fixed port or of a direction the service lacks, --from of a service without `in`, --from
 * with a group that is neither defined nor named anywhere in the catalog. Warnings: one line a
 * profile for services closed because no group of theirs is defined, with the fix; an error instead
 * when `strict`. The composition borrows from catalog and recipe.
 */
int compose(struct catalog *catalog, const struct recipe *recipe, bool strict,
	    struct composition *composition, struct diag *diag);
void composition_free(struct composition *composition);

/* The group of a name that these services use: a machine's own group hides its interface's. */
const struct group *composition_group(const struct composition *composition, const char *name);

/* Adds the services of a profile that are closed because a group is undefined, and those groups. */
void composition_wants(const struct composition *composition, const struct profile *profile,
		       struct names *closed, struct names *undefined);

#endif
