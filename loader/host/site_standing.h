/* SPDX-License-Identifier: GPL-2.0 */
/* The site file as it is, against what is kept of it and what filters now. */
#ifndef PORTCULLIS_HOST_SITE_STANDING_H
#define PORTCULLIS_HOST_SITE_STANDING_H

#include <jansson.h>

#include "loader/recipe/site.h"

enum site_standing {
	SITE_NONE,	/* there is no file */
	SITE_UNKNOWN,	/* what is kept cannot be read: only root may */
	SITE_WRONG,	/* apply refuses it */
	SITE_NEW,	/* nothing was ever confirmed */
	SITE_CONFIRMED, /* it is what was confirmed last */
	SITE_CHANGED,	/* since then, and it was not applied */
	SITE_WAITING,	/* to be confirmed */
	SITE_REVERTED,	/* it was applied, and not confirmed */
};

struct standing {
	enum site_standing state;
	struct site site;
};

void standing_read(struct standing *standing);
void standing_free(struct standing *standing);

/*
 * "SITE_FILE changed since it was applied: opens 22/tcp", or as state_waits: what `apply` would
 * change of this interface, whose filter was made from `kept`. NULL: nothing, or it cannot be told.
 * The caller frees.
 */
char *standing_waits(const struct standing *standing, const char *interface, unsigned int ifindex,
		     const json_t *kept);

/* What the file says of the interface, which it may call by an alternative name; NULL: nothing. */
const struct site_interface *standing_interface(const struct site *site, unsigned int ifindex);

#endif
