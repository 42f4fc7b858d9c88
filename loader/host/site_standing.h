/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the site file with the snapshots and with the attached filters. */
#ifndef PORTCULLIS_HOST_SITE_STANDING_H
#define PORTCULLIS_HOST_SITE_STANDING_H

#include <jansson.h>

#include "loader/recipe/site.h"

enum site_standing {
	SITE_NONE,	/* there is no file */
	SITE_UNKNOWN,	/* only root can read the snapshots */
	SITE_WRONG,	/* apply refuses it */
	SITE_NEW,	/* nothing was ever confirmed */
	SITE_CONFIRMED, /* it is what was confirmed last */
	SITE_CHANGED,	/* it differs from what was confirmed last, and was not applied */
	SITE_WAITING,	/* it was applied, and is pending */
	SITE_REVERTED,	/* it was applied, and not confirmed */
};

struct standing {
	enum site_standing state;
	struct site site;
};

void standing_read(struct standing *standing);
void standing_free(struct standing *standing);

/*
 * Tells what `apply` would change at this interface, whose filter was made from `kept`: "SITE_FILE
 * changed since it was applied: opens 22/tcp", or as state_waits. NULL: nothing, or it cannot be
 * read. The caller frees.
 */
char *standing_waits(const struct standing *standing, const char *interface, unsigned int ifindex,
		     const json_t *kept);

/* The file's part for the interface, which may have an alternative name there; NULL: none. */
const struct site_interface *standing_interface(const struct site *site, unsigned int ifindex);

#endif
