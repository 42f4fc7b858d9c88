/* SPDX-License-Identifier: GPL-2.0 */
/* Tries a recipe with additional words before a message suggests them. */
#ifndef PORTCULLIS_GUARD_ATTEMPT_H
#define PORTCULLIS_GUARD_ATTEMPT_H

#include "loader/guard/world.h"

/* A recipe with additional words, and its tables. */
struct attempt {
	struct catalog *catalog;
	const struct guard_need *need;
	enum guard_words kind; /* form of the words */
	bool whole;	       /* as in struct guard_command */
	struct recipe recipe;
	struct composition composition;
	struct tables tables;
	struct names words;
	char *left_out; /* a service that was disabled at first */
	char *why;	/* why the service is closed at first */
};

/* Starts with the target's present recipe; false: that cannot be composed. Call attempt_free in
 * both cases. */
bool attempt_start(struct attempt *attempt, const struct guard_command *command,
		   const struct guard_target *target, const struct guard_need *need);
void attempt_free(struct attempt *attempt);

/* Composes and compiles the recipe with its present words. */
bool attempt_make(struct attempt *attempt);
/* True if the compiled tables admit everything that `need` names. */
bool attempt_opens(const struct attempt *attempt);

/* Notes an option, or a key of the site file, with its value. */
void attempt_word(struct attempt *attempt, const char *option, const char *key, const char *value);

/* These functions add to the recipe, and note the words. False: the recipe does not accept them. */
bool attempt_give(struct attempt *attempt, const char *option, const char *key,
		  int (*add)(struct recipe *, const char *, struct diag *), const char *value);
/* Adds the peers that are not admitted yet to a group, which may be new. */
bool attempt_give_group(struct attempt *attempt, const char *name);
/* Admits the peers by a group of the guard's own; with `keep` in addition to those of the
 * service. */
bool attempt_give_from(struct attempt *attempt, const struct composed *service, bool keep);
bool attempt_leave_out(struct attempt *attempt, const char *disabled);
/* Lets all outgoing traffic pass. */
bool attempt_give_track(struct attempt *attempt);
/* True if a line with all members of the group would be too long. */
bool attempt_group_is_long(const struct attempt *attempt, const char *name);

#endif
