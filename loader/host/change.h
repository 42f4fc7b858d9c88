/* SPDX-License-Identifier: GPL-2.0 */
/* Attaches, swaps and detaches the filters of several interfaces together: all of them or none. */
#ifndef PORTCULLIS_HOST_CHANGE_H
#define PORTCULLIS_HOST_CHANGE_H

#include <jansson.h>

#include "loader/compile/plan.h"
#include "loader/filter/change_log.h"
#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/guard/world.h"
#include "loader/report/answer.h"

enum change_kind {
	CHANGE_ATTACH,
	CHANGE_SWAP,
	CHANGE_DETACH,
};

/* A change of one interface. The caller owns what it points to. */
struct change {
	enum change_kind kind;
	const char *name; /* as the user gave it */
	struct hook hook;
	struct filter filter; /* swap: opened; detach: id and ifindex alone; else FILTER_NONE */
	const struct plan *plan;
	struct catalog *catalog; /* of the plan */
	const json_t *kept;	 /* swap: the recipe and services of the active generation */
	const char *kept_text;	 /* swap: the same, as it is pinned; NULL: not at hand */
	const json_t *was;	 /* detach: likewise, of what goes; NULL: it cannot be read */
	enum hook_mode mode;	 /* attach: the mode asked for, then the one it got */
	enum pc_frame frame;	 /* attach: the header that its frames begin with */
	__u32 flows; /* attach: size of the flow maps, 0: not given; detach: that of what goes */
	unsigned int confirm; /* seconds until it is undone unless confirmed, 0: it is final */
	bool talks;	      /* attach: this host has unconnected UDP sockets */
	bool seeded;	      /* attach: conntrack knew all live connections */
	bool held; /* attach: all packets are dropped until the filter is there (hold.h) */
	const char
		*refusal; /* attach: why native mode does not hold it; NULL: it does, or no hold */
	bool denies_otherwise; /* it begins or ends to deny prefixes, or never to ban them */
	__u8 forwarded;	       /* swap: PC_FORWARD_*, what was learned until now */
};

struct changes {
	const struct guard_command *command;
	const char *done;		/* "attached": for the message of a failure */
	const struct ports *management; /* NULL: the built-in list of guard.h */
	bool force;			/* even if it locks connected users out */
	bool each; /* after a failure the caller tries each change alone: no message about the
		      others */
	bool dry_run;
	bool boot;		/* addresses of this host may not be there yet */
	bool refresh;		/* the prefixes of groups change alone, by DNS or by a file */
	struct change_log *log; /* of the command: each run is a part of its entry */
	const char *expect;	/* the digest that the difference must have; NULL: any */
	struct answer *answer;
	struct hooks *hooks; /* the filters that are there; read again after an attach or detach */
	/* Called before the first deadline begins, unless NULL. */
	void (*before_deadline)(void *context);
	void *context;
	struct change *change;
	size_t count;
};

/*
 * Prints the changes, asks the guard, and carries them out: first everything is prepared, hooked
 * and pinned, then each interface is switched, and a detached one lets everything pass. If anything
 * fails, all interfaces are put back. The lock must be held, unless it is a dry run. Returns 0 or
 * -errno with a message. The caller closes the filters.
 */
int changes_run(const struct changes *changes);

/*
 * Finds the interface of an attach. 0, or -errno with a message: it is missing, another program is
 * attached to it, or it cannot be filtered.
 */
int change_find_free(const struct hooks *hooks, struct change *change);

#endif
