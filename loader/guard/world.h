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

/* Where the words of a fix are written. */
enum guard_words {
	GUARD_OPTIONS,	    /* as options of the command */
	GUARD_OPTIONS_KEPT, /* as options of swap, which are added to those kept until --fresh */
	GUARD_SITE_FILE,    /* as keys of the site file */
	GUARD_NO_OPTIONS,   /* not in this command: as options of a later swap */
};

/* The command that uses the guard. */
struct guard_command {
	const char *name;
	enum guard_words words;
	/*
	 * The fix is a whole command, which can be pasted. Otherwise it is for an administrator who
	 * has just typed the command; a port that no profile has is then taken for the login port,
	 * and the fix moves ssh:ssh to it.
	 */
	bool whole;
};

extern const struct guard_command guard_attach, guard_swap, guard_apply, guard_confirm,
	guard_refresh, guard_rollback;
/* explain: for a filter that exists, for one that does not, and for the site file. */
extern const struct guard_command guard_explain, guard_explain_new, guard_explain_site;

/* The plan for an interface. */
struct guard_target {
	const char *interface;
	unsigned int ifindex;
	const struct plan *plan;
	struct catalog *catalog;
	const json_t *kept; /* recipe and services of the active generation; NULL: unknown */
	const struct pc_generation *active; /* the active generation; NULL: not open */
};

enum guard_mode {
	GUARD_STOP,
	GUARD_CONFIRM, /* to be confirmed: refused only for the caller's own session */
	GUARD_CALLER,  /* asks only about the caller's own session: `confirm` */
	GUARD_WARN,    /* never refused: --force, --boot */
};

/* An active generation. */
struct guard_filter {
	unsigned int ifindex;
	const struct pc_generation *generation;
};

/* The facts about the network namespace that the guard uses. */
struct guard_world {
	struct socket_info *session; /* established TCP connections */
	size_t sessions;
	struct socket_info *server; /* TCP listeners; UDP sockets that are not connected */
	size_t servers;
	struct sessions own; /* the caller's sessions, as the environment says */
	/* the account that the caller logged in with; LOGIN_UID_NONE: unknown */
	__u32 caller;
	struct links links;
	struct guard_filter *filter;
	size_t filters;
	const struct ban_set *grants; /* a list is a group; NULL: no grants are known */
	__u32 now;		      /* CLOCK_BOOTTIME second at which grants must hold */
	/* The interface to the peer of a socket; 0: unknown. */
	unsigned int (*route)(void *context, const struct socket_info *socket);
	/* Finds out which of these sessions are logins. Called only if it matters. */
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
	__u16 port;		       /* local port; with `out`: port of the peers */
	const struct guard_peer *peer; /* peers with different addresses */
	size_t peers;		       /* 0: any peer */
	bool out;		       /* this host sends to the peers */
	/* the group to add the peers to, if the service admits several; NULL: the first */
	const char *group;
};

#endif
