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
	struct filter filter; /* swap: opened; detach: only id and ifindex; else FILTER_NONE */
	const struct plan *plan;
	struct catalog *catalog; /* catalog of the plan */
	const json_t *kept;	 /* swap: the recipe and services of the active generation */
	const char *kept_text;	 /* swap: `kept` as it is pinned; NULL: not available */
	/* detach: recipe and services that are removed; NULL: they cannot be read */
	const json_t *was;
	enum hook_mode mode;	 /* attach: the wanted mode, then the actual one */
	enum pc_frame frame;	 /* attach: the header that the interface's frames begin with */
	/* size of the flow maps: attach: the wanted one, 0: not given; detach: that of the removed
	 * filter */
	__u32 flows;
	/* seconds until the change is undone unless confirmed; 0: it is final */
	unsigned int confirm;
	bool talks;	      /* attach: this host has unconnected UDP sockets */
	bool seeded;	      /* attach: conntrack had all live connections */
	bool held; /* attach: all packets are dropped until the filter is there (hold.h) */
	const char
		/* attach: why there is no native hold; NULL: there is one, or no hold is wanted */
		*refusal;
	/* the filter begins or stops to deny prefixes or never to ban them */
	bool denies_otherwise;
	__u8 forwarded;	       /* swap: PC_FORWARD_*, the former setting */
};

struct changes {
	const struct guard_command *command;
	const char *done;		/* "attached": the word for the message of a failure */
	const struct ports *management; /* NULL: the built-in list of management.h */
	bool force;			/* make the change even if it locks connected users out */
	bool each; /* after a failure the caller tries each change alone: no message about the
		      others */
	bool dry_run;
	bool boot;		/* this host's addresses may appear later */
	bool refresh;		/* only the prefixes of groups change, by DNS or by a file */
	struct change_log *log; /* the entry of the command, of which each run writes a part */
	const char *expect;	/* the digest that the difference must have; NULL: any */
	struct answer *answer;
	struct hooks *hooks; /* the present filters; read again after an attach or detach */
	/* Called before the first deadline begins, unless NULL. */
	void (*before_deadline)(void *context);
	void *context;
	struct change *change;
	size_t count;
};

/*
 * Prints the changes, asks the guard, and carries them out: first everything is prepared, hooked
 * and pinned, then each interface is switched, and a detached one lets everything pass. If a step
 * fails, all interfaces are restored. The caller must hold the lock, unless it is a dry run.
 * Returns 0 or -errno with a message. The caller closes the filters.
 */
int changes_run(const struct changes *changes);

/*
 * Finds the interface of an attach. 0, or -errno with a message: it is missing, another program is
 * attached to it, or it cannot be filtered.
 */
int change_find_free(const struct hooks *hooks, struct change *change);

#endif
