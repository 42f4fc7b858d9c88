/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From options and a recipe to what attach and swap put into the kernel, and what they say of it.
 */
#ifndef PORTCULLIS_PLAN_H
#define PORTCULLIS_PLAN_H

#include <jansson.h>

#include "loader/compile.h"
#include "loader/compose.h"
#include "loader/kernel.h"

struct plan {
	struct composition composition;
	struct tables tables;
	json_t *kept; /* {"version", "recipe", "catalog": folders, "profiles": of `show --json`} */
	char *text;   /* the same as text, for filter_prepare */
};

/* `folders`: those given by --catalog, which are kept. Errors in `diag`, -EINVAL. The plan borrows
 * from catalog and recipe. */
int plan_make(struct catalog *catalog, const struct names *folders, const struct recipe *recipe,
	      bool strict, struct plan *plan, struct diag *diag);
void plan_free(struct plan *plan);

/*
 * Adds the folders of the catalog that were kept with a generation. One that others may write to by
 * now, or that is gone: a message and -EPERM, for another profile of the name might be found.
 */
int plan_folders(const char *interface, const json_t *kept, struct names *folders);

/*
 * What was kept with the current generation of an interface's filter. -EINVAL with a message if it
 * is damaged.
 */
int plan_kept(const char *interface, const struct filter *filter, json_t **kept);
/* The same from its text. */
int plan_kept_text(const char *interface, const char *text, json_t **kept);

/*
 * Whether two kept texts are of the same recipe and the same profiles, or two profiles are the
 * same. Where a profile's file was found does not matter: it may be a copy (state.h).
 */
bool plan_same(const json_t *a, const json_t *b);
bool plan_same_profile(const json_t *a, const json_t *b);

/*
 * "eth0: native, enforce, ssh + xeams: 3 open in, 6 closed (4 feature, 2 local)"; `mode` may be
 * NULL.
 */
void plan_summary(const struct plan *plan, const char *interface, const char *mode, FILE *to);

/*
 * Names the features that a bare --enable FEATURE turned on, PROFILE:FEATURE a line; but for those
 * words that `before` (NULL: nothing), what was kept until now, has too.
 */
void plan_features(const struct plan *plan, const json_t *before, FILE *to);

/* Warns of management ports that anyone may reach. */
void plan_warn_open(const struct plan *plan);

#endif
