/* SPDX-License-Identifier: GPL-2.0 */
/* The filters that `explain` asks: those that are attached, or one that is not there yet. */
#ifndef PORTCULLIS_COMMAND_EXPLAIN_TARGET_H
#define PORTCULLIS_COMMAND_EXPLAIN_TARGET_H

#include <net/if.h>

#include "loader/command/swap_plan.h"
#include "loader/filter/question.h"
#include "loader/host/attached.h"
#include "loader/recipe/site.h"
#include "loader/report/event.h"

struct explain_target {
	char name[IF_NAMESIZE];	 /* empty: no interface was named, and none has a filter */
	unsigned int ifindex;	 /* 0: likewise */
	const struct live *live; /* the filter that is asked as it is; NULL: it is not there yet */
	const struct hook *hook; /* of the interface's filter that a swap would change, or NULL */
	const struct site *of;	 /* the filter is the one of this site file; NULL: of options */
	struct swap_plan *planned; /* the recipe, for a fix; NULL: it cannot be made again */
	const json_t *kept;	   /* of the generation that answers */
	struct question question;
	struct event_services *services;
};

struct explain_targets {
	struct live *live;
	size_t lives;
	struct site site;
	struct explain_target *target;
	size_t count;
	bool left_out;	     /* a filter of another version */
	const char *command; /* set by the caller: for messages */
	bool told;	     /* set by the caller: question_tell asks them, else question_ask */
	bool of_host;	     /* this host's bans, and told its grants, count for what is planned */
};

/*
 * Opens the filter of an interface (NULL: each of the network namespace), or what the options make
 * of it. Attaches nothing. -errno with a message, or with errors in `diag`; explain_targets_close
 * is due in both cases.
 */
int explain_targets_open(const struct options *options, const char *interface,
			 struct explain_targets *targets, struct diag *diag);
void explain_targets_close(struct explain_targets *targets);

#endif
