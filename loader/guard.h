/* SPDX-License-Identifier: GPL-2.0 */
/* The lockout guard: who could not come in any more. */
#ifndef PORTCULLIS_GUARD_H
#define PORTCULLIS_GUARD_H

#include <jansson.h>

#include "loader/net/link_graph.h"
#include "loader/net/login.h"
#include "loader/net/session.h"
#include "loader/net/sockets.h"
#include "loader/plan.h"

/* What an interface is to be given. */
struct guard_target {
	const char *interface;
	unsigned int ifindex;
	const struct plan *plan;
	struct catalog *catalog;
	const json_t *kept; /* what its filter was made from until now; NULL: nothing is known */
};

enum guard_mode {
	GUARD_STOP,
	GUARD_CONFIRM, /* to be confirmed: stops for the caller's own session alone */
	GUARD_CALLER,  /* asks about the caller's own session alone: `confirm` */
	GUARD_WARN,    /* never stops: --force, --boot */
};

/*
 * Before attach, swap, apply and confirm: whether the caller's own session, on any port, and
 * others' logins to a watched port could be made again, and each watched port with a server of
 * root's, of the system's or of the caller's be reached by somebody. Connections that are no login
 * are only warned of: anyone can make one. `management`: the ports to watch, NULL: those of
 * management.h by which administrators log in. 0; or -EACCES after messages that say what would
 * open it. What cannot be found out is warned of.
 */
int guard_hold(const char *command, const struct guard_target *target, size_t count,
	       const struct ports *management, enum guard_mode mode);

/* --- guard.c, guard_reach.c, guard_fix.c, which are pure --- */

/* A generation that judges now. */
struct guard_filter {
	unsigned int ifindex;
	const struct pc_generation *generation;
};

/* What is known of the network namespace. */
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
	/* The interface to the peer of a socket; 0: none is known. */
	unsigned int (*route)(void *context, const struct socket_info *socket);
	/* Which of these sessions are logins; asked only where it matters. */
	void (*logins)(const struct guard_world *world, struct login *login, size_t count);
	void *context;
};

/* What a command is to stop for. */
enum guard_found {
	GUARD_NOTHING,
	GUARD_OTHERS, /* logins, or a server */
	GUARD_OWN,    /* the caller's own session, whatever else */
};

/* Judges. What is to stop for is an error in `diag`, what else will be refused is a warning. */
enum guard_found guard_judge(const char *command, const struct guard_target *target, size_t count,
			     const struct ports *management, enum guard_mode mode,
			     const struct guard_world *world, struct diag *diag);

/* Who should be admitted. The address is told only if it is `named`: else it is PREFIX. */
struct guard_peer {
	const struct socket_info *session;
	bool named;
};

/* What a port should be open to. */
struct guard_need {
	enum pc_transport transport;
	__u16 port;
	const struct guard_peer *peer; /* each from another address */
	size_t peers;		       /* 0: somebody */
};

/*
 * "WHY; to open it: FIX" for a port that the target's plan closes to them. Each fix was composed,
 * compiled and seen to open the port. The caller frees.
 */
char *guard_fix(const char *command, const struct guard_target *target,
		const struct guard_need *need);

/* Whether a server is root's, the system's or the caller's: any other is nobody's way in. */
bool guard_counts(const struct guard_world *world, const struct socket_info *server);

/*
 * Whether nobody at all could reach any more what listens on the port of a server, which somebody
 * can reach now. Only for the first of the servers on a port that count.
 */
bool guard_cuts_off(const struct guard_world *world, const struct guard_target *target,
		    size_t count, size_t server);

/* What will judge at an interface, of no targets what judges now; NULL: nothing. */
const struct pc_generation *guard_judging(const struct guard_world *world,
					  const struct guard_target *target, size_t count,
					  unsigned int ifindex);

/* Whether it admits somebody to a port; under observe, anybody. */
bool guard_admits_any(const struct pc_generation *generation, enum pc_transport transport,
		      __u16 port);

/* The interface that has the local address of a socket, or NULL. */
const struct link *guard_owner(const struct guard_world *world, const struct socket_info *socket);

enum pc_transport guard_transport(const struct socket_info *socket);
bool guard_any_address(const __u8 address[16]); /* 0.0.0.0 or :: */

/* "192.0.2.1"; `text` has room for INET6_ADDRSTRLEN. */
const char *guard_peer(const struct socket_info *socket, char *text);

#endif
