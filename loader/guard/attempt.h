/* SPDX-License-Identifier: GPL-2.0 */
/* Tries a recipe with some more words, before a message suggests them. */
#ifndef PORTCULLIS_GUARD_ATTEMPT_H
#define PORTCULLIS_GUARD_ATTEMPT_H

#include "loader/guard/world.h"

/* A recipe with some more words, and its tables. */
struct attempt {
	struct catalog *catalog;
	const struct guard_need *need;
	enum guard_words kind; /* of the words */
	bool whole;	       /* as in struct guard_command */
	struct recipe recipe;
	struct composition composition;
	struct tables tables;
	struct names words;
	char *left_out; /* a service that was disabled */
	char *why;	/* the service is closed at first */
};

/* The target's own recipe; false: it cannot be made again. attempt_free is due in both cases. */
bool attempt_start(struct attempt *attempt, const struct guard_command *command,
		   const struct guard_target *target, const struct guard_need *need);
void attempt_free(struct attempt *attempt);

/* Composes and compiles the recipe as it is now. */
bool attempt_make(struct attempt *attempt);
/* True if the tables that were made admit all that the need names. */
bool attempt_opens(const struct attempt *attempt);

/* Notes an option, or a key of the site file, with its value. */
void attempt_word(struct attempt *attempt, const char *option, const char *key, const char *value);

/* These add to the recipe, and note the words; false: it does not take them. */
bool attempt_give(struct attempt *attempt, const char *option, const char *key,
		  int (*add)(struct recipe *, const char *, struct diag *), const char *value);
/* Adds the peers that are not admitted yet to a group, which may be new. */
bool attempt_give_group(struct attempt *attempt, const char *name);
/* Admits the peers by a group of the guard's own, beside those of the service if `keep`. */
bool attempt_give_from(struct attempt *attempt, const struct composed *service, bool keep);
bool attempt_leave_out(struct attempt *attempt, const char *disabled);
/* Lets everything go out. */
bool attempt_give_track(struct attempt *attempt);
/* True if a line would be too long with all members of the group in it. */
bool attempt_group_is_long(const struct attempt *attempt, const char *name);

#endif
