/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The input of the lockout guard: the network namespace, and the new rule sets of its interfaces.
 */
#ifndef PORTCULLIS_GUARD_WORLD_H
#define PORTCULLIS_GUARD_WORLD_H

#include <jansson.h>

#include "loader/compile/plan.h"
#include "loader/net/link_graph.h"
#include "loader/net/login.h"
#include "loader/net/session.h"
#include "loader/net/sockets.h"
#include "loader/recipe/ban_set.h"

/* The place for which a fix is written. */
enum guard_words {
	GUARD_OPTIONS,	    /* behind the command */
	GUARD_OPTIONS_KEPT, /* likewise, added to those that are kept until --fresh: swap */
	GUARD_SITE_FILE,    /* as keys of the site file */
	GUARD_NO_OPTIONS,   /* nowhere: behind a swap afterwards */
};

/* The command for which the guard looks. */
struct guard_command {
	const char *name;
	enum guard_words words;
	/*
	 * The words make a whole command, which can be pasted. Else they are for an administrator
	 * who has just typed one: a port that no profile has is a login's, and moves ssh:ssh.
	 */
	bool whole;
};

extern const struct guard_command guard_attach, guard_swap, guard_apply, guard_confirm,
	guard_refresh, guard_rollback;
/* `explain`: for a filter that is there, for one that is not, and for the site file. */
extern const struct guard_command guard_explain, guard_explain_new, guard_explain_site;

/* The plan for an interface. */
struct guard_target {
	const char *interface;
	unsigned int ifindex;
	const struct plan *plan;
	struct catalog *catalog;
	const json_t *kept; /* recipe and services of the active generation; NULL: not known */
	const struct pc_generation *active; /* that generation; NULL: not open */
};

enum guard_mode {
	GUARD_STOP,
	GUARD_CONFIRM, /* to be confirmed: stops for the caller's own session alone */
	GUARD_CALLER,  /* asks about the caller's own session alone: `confirm` */
	GUARD_WARN,    /* never stops: --force, --boot */
};

/* An active generation. */
struct guard_filter {
	unsigned int ifindex;
	const struct pc_generation *generation;
};

/* The facts about the network namespace that the guard uses. */
struct guard_world {
	struct socket_info *session; /* established, of TCP */
	size_t sessions;
	struct socket_info *server; /* TCP listeners; UDP sockets that are not connected */
	size_t servers;
	struct sessions own; /* the caller's, by its word */
	__u32 caller;	     /* the account it was logged in with, LOGIN_UID_NONE: unknown */
	struct links links;
	struct guard_filter *filter;
	size_t filters;
	const struct ban_set *grants; /* of groups, by list; NULL: none are known */
	__u32 now;		      /* CLOCK_BOOTTIME second: which of them hold */
	/* The interface to the peer of a socket; 0: none is known. */
	unsigned int (*route)(void *context, const struct socket_info *socket);
	/* Which of these sessions are logins; asked only where it matters. */
	void (*logins)(const struct guard_world *world, struct login *login, size_t count);
	void *context;
};

/* A peer to admit. Messages show its address only if it is `named`, else PREFIX. */
struct guard_peer {
	const struct socket_info *session;
	bool named;
};

/* A port, and the peers that it should be open to. */
struct guard_need {
	enum pc_transport transport;
	__u16 port;		       /* of this host; `out`: of the peers */
	const struct guard_peer *peer; /* each from another address */
	size_t peers;		       /* 0: any peer */
	bool out;		       /* this host sends to the peers */
	const char *group; /* that a service gets, if it admits several; NULL: the first */
};

#endif
