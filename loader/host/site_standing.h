/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the site file with the snapshots and with the attached filters. */
#ifndef PORTCULLIS_HOST_SITE_STANDING_H
#define PORTCULLIS_HOST_SITE_STANDING_H

#include <jansson.h>

#include "loader/recipe/site.h"

enum site_standing {
	SITE_NONE,	/* there is no file */
	SITE_UNKNOWN,	/* only root can read the snapshots */
	SITE_WRONG,	/* apply would refuse the file */
	SITE_NEW,	/* no site file was ever confirmed */
	SITE_CONFIRMED, /* the file is the one that was confirmed last */
	/* the file differs from the one that was confirmed last, and was not applied */
	SITE_CHANGED,
	SITE_WAITING,	/* the file was applied, and is pending */
	SITE_REVERTED,	/* the file was applied, and was not confirmed */
};

struct standing {
	enum site_standing state;
	struct site site;
};

void standing_read(struct standing *standing);
void standing_free(struct standing *standing);

/*
 * Tells what `apply` would change at this interface, whose filter was made from `kept`: "SITE_FILE
 * changed since it was applied: opens 22/tcp", or as state_waits. NULL: no change, or it cannot be
 * read. The caller frees.
 */
char *standing_waits(const struct standing *standing, const char *interface, unsigned int ifindex,
		     const json_t *kept);

/* The file's entry for the interface, which may be under an alternative name; NULL: none. */
const struct site_interface *standing_interface(const struct site *site, unsigned int ifindex);

#endif
