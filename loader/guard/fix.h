/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the options that would open a port that a plan closes. */
#ifndef PORTCULLIS_GUARD_FIX_H
#define PORTCULLIS_GUARD_FIX_H

#include <jansson.h>

#include "loader/guard/world.h"

/* The words that open a port, as options or keys of the site file. */
struct guard_opening {
	char *why;	/* "xeams:imap-ssl is off: feature imap-ssl is not enabled" */
	char *words;	/* "--enable xeams:imap-ssl"; empty: the recipe without changes opens it */
	json_t *recipe; /* the recipe with these words */
};

/* Searches for such words; each fix was composed, compiled and seen to open the port. False: there
 * are none. */
bool guard_open(const struct guard_command *command, const struct guard_target *target,
		const struct guard_need *need, struct guard_opening *opening);
void guard_opening_free(struct guard_opening *opening);

/*
 * "WHY; to open it: FIX" for a port that the target's plan closes to them. Each fix was composed,
 * compiled and seen to open the port. The caller frees.
 */
char *guard_fix(const struct guard_command *command, const struct guard_target *target,
		const struct guard_need *need);

#endif
