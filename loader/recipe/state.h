/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What boots: the site file that was confirmed last, whole, with its group files and its profiles;
 * and which site files were applied and not confirmed.
 *
 *	STATE/confirmed -> snapshot-ID	site.yaml, groups/NAME, profiles/NAME.yaml, about.json
 *	STATE/trying -> snapshot-ID	what is being applied, to be confirmed
 *	STATE/pending -> snapshot-ID	the pending change, or one that was reverted
 *	STATE/tried			digests of site files, a line each
 *	STATE/addresses			addresses of this host, a line each (own_addresses.h)
 *
 * A snapshot is written whole before a link leads to it. The lock of pins_lock is held by who
 * writes.
 */
#ifndef PORTCULLIS_RECIPE_STATE_H
#define PORTCULLIS_RECIPE_STATE_H

#include "loader/base/sha256.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/site.h"

#define STATE		"/var/lib/portcullis"
#define STATE_CONFIRMED STATE "/confirmed"
#define STATE_TRYING	STATE "/trying"
#define STATE_PENDING	STATE "/pending"
#define STATE_TRIED	STATE "/tried"
#define STATE_VERSION	1
#define STATE_TRIES	64 /* digests that are kept: the last ones */

/* Only this file is kept for boot; a file that --site names is not. */
bool state_is_of(const char *site_path);

/*
 * The digest of a site file's content: names and patterns of interfaces, recipes with the prefixes
 * of their groups (but not what DNS answers), modes. Comments, the order of keys and `confirm` do
 * not matter.
 */
void site_digest(const struct site *site, char text[SHA256_TEXT]);

struct snapshot {
	bool there;
	struct site site;
	struct catalog catalog; /* a catalog of its own profiles only */
	char digest[SHA256_TEXT];
	char content[SHA256_TEXT]; /* digest of all its files, as they were written */
	struct names interfaces;   /* pending: the interfaces that were applied; empty: all */
};

/*
 * `path`: STATE_CONFIRMED or STATE_PENDING. 0, also if there is none; else -errno with errors in
 * `diag`, and the snapshot cannot be used.
 */
int snapshot_open(const char *path, struct snapshot *snapshot, struct diag *diag);
void snapshot_free(struct snapshot *snapshot);

/* True if the file with this digest was applied and not confirmed: it was reverted, or is
 * pending. */
bool state_tried(const char *digest);

#endif
