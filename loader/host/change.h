/* SPDX-License-Identifier: GPL-2.0 */
/* A change of the host: filters attached, swapped and detached together, all of it or nothing. */
#ifndef PORTCULLIS_HOST_CHANGE_H
#define PORTCULLIS_HOST_CHANGE_H

#include <jansson.h>

#include "loader/compile/plan.h"
#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/guard/world.h"
#include "loader/report/answer.h"

enum change_kind {
	CHANGE_ATTACH,
	CHANGE_SWAP,
	CHANGE_DETACH,
};

/* A change of one interface. All it points to is the caller's. */
struct change {
	enum change_kind kind;
	const char *name; /* as the user gave it */
	struct hook hook;
	struct filter filter; /* swap: opened; detach: its id; else FILTER_NONE */
	const struct plan *plan;
	struct catalog *catalog; /* of the plan */
	const json_t *kept;	 /* swap: what it was made from */
	enum hook_mode mode;	 /* attach: as asked, then as it became */
	enum pc_frame frame;	 /* attach: what its frames begin with */
	__u32 flows;		 /* attach: size of the flow map, 0: not given */
	unsigned int confirm;	 /* seconds in which it is to be confirmed, 0: it is final */
	bool talks;		 /* attach: UDP sockets are there that are not connected */
	bool seeded;		 /* attach: conntrack knows all that goes on */
	bool held;		 /* attach: nothing gets in until the filter is there (hold.h) */
	const char *refusal; /* attach: why it is not held in native mode; NULL: it is not held, or
				is */
	bool forwarded;	     /* swap: it was, before */
};

struct changes {
	const struct guard_command *command;
	const char *done;		/* "attached": what did not happen if it fails */
	const struct ports *management; /* NULL: the built-in list of guard.h */
	bool force;			/* even if it locks connected users out */
	bool each; /* what fails is tried one by one: nothing is said of the others */
	bool dry_run;
	const char *comment; /* of --comment, for the record; NULL: none */
	const char *expect;  /* the digest that the difference must have; NULL: any */
	struct answer *answer;
	/* Called before the first deadline begins, unless NULL. */
	void (*before_deadline)(void *context);
	void *context;
	struct change *change;
	size_t count;
};

/*
 * Says what changes, asks the guard, and does it: what is attached and swapped is prepared, hooked,
 * pinned and switched, what is detached lets everything pass. All is put back if anything fails;
 * what follows frees what is no more used. The lock must be held, unless it is a dry run. Returns 0
 * or -errno with a message. The caller closes the filters.
 */
int changes_run(const struct changes *changes);

/* One that attaches needs its interface there, free, and one that can be filtered: 0, or -errno
 * with a message. */
int change_find_free(struct change *change);

#endif
