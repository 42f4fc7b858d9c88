/* SPDX-License-Identifier: GPL-2.0 */
/* The filters that `explain` asks: attached ones, or a planned one. */
#ifndef PORTCULLIS_COMMAND_EXPLAIN_TARGET_H
#define PORTCULLIS_COMMAND_EXPLAIN_TARGET_H

#include <net/if.h>

#include "loader/command/swap_plan.h"
#include "loader/filter/question.h"
#include "loader/host/attached.h"
#include "loader/recipe/site.h"
#include "loader/report/event.h"

struct explain_target {
	char name[IF_NAMESIZE];	 /* empty: no interface was named, and there is no filter */
	unsigned int ifindex;	 /* 0: likewise */
	const struct live *live; /* the attached filter that is asked; NULL: it is a planned one */
	const struct hook *hook; /* the present filter that a swap would replace, or NULL */
	/* the site file that the planned filter is from; NULL: it is from options */
	const struct site *of;
	struct swap_plan *planned; /* the recipe, for a fix; NULL: it cannot be composed again */
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
	bool left_out;	     /* attached by another version */
	const char *command; /* set by the caller: its name, for messages */
	bool told;	     /* set by the caller: ask with question_tell, else with question_ask */
	/* this host's bans, and with `told` its grants, apply to a planned filter */
	bool of_host;
};

/*
 * Opens the filter of an interface (NULL: of each in the network namespace), or the one that the
 * options plan. Attaches nothing. -errno with a message, or with errors in `diag`. Call
 * explain_targets_close in each case.
 */
int explain_targets_open(const struct options *options, const char *interface,
			 struct explain_targets *targets, struct diag *diag);
void explain_targets_close(struct explain_targets *targets);

#endif
