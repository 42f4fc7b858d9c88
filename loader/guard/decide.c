// SPDX-License-Identifier: GPL-2.0
/*
 * Checks the connections of a network namespace against the new rule sets, and reports those that
 * they would refuse.
 */

#include "loader/guard/decide.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/compile/admit.h"
#include "loader/compile/kept.h"
#include "loader/guard/fix.h"
#include "loader/guard/management.h"
#include "loader/guard/reach.h"

#define PEERS	8 /* peers that a message and its fix consider */
#define WARNING 5 /* ports that the warning of connections names */

enum party {
	PARTY_OWN,   /* the caller's session */
	PARTY_LOGIN, /* a login of another user to a watched port */
	PARTY_OTHER, /* any other connection: a handshake is enough to make one */
};

/* A session that a target would refuse if it began anew. */
struct refused {
	const struct guard_target *target;
	const struct socket_info *session;
	enum party party;
};

/* The sessions of one party to one port that one target would refuse. */
struct refusal {
	const struct guard_target *target;
	__u16 port;
	enum party party;
	size_t sessions;
	struct guard_peer peer[PEERS]; /* peers with different addresses */
	size_t peers;
	bool more; /* there are more addresses */
};

struct decision {
	const struct guard_command *command;
	const struct guard_target *target;
	size_t targets;
	const struct ports *management;
	enum guard_mode mode;
	const struct guard_world *world;
	struct diag *diag;
	__u32 *server_at; /* for each TCP port: 1 + index of the first server; 0: none */
	__u32 *next;	  /* for each server: the next one on the same port */
	bool own;	  /* one of the sessions is the caller's, whether refused or not */
	struct refused *refused;
	size_t count;
	struct refusal *refusal;
	size_t refusals;
	enum guard_found found;
};

/* --- sessions --- */

/* A listener on :: usually accepts IPv4, too. */
static bool accepts(const struct socket_info *listener, const struct socket_info *socket)
{
	if (listener->device && listener->device != socket->device)
		return false;
	if (guard_any_address(listener->local))
		return listener->family == socket->family ||
		       (listener->family == AF_INET6 && !listener->only_ipv6);
	return listener->family == socket->family &&
	       !memcmp(listener->local, socket->local, sizeof(socket->local));
}

/* Servers are indexed by port, because there may be very many sessions and servers. */
static void index_servers(struct decision *decision)
{
	const struct guard_world *world = decision->world;
	size_t i;

	decision->server_at = xcalloc(65536, sizeof(*decision->server_at));
	decision->next = xcalloc(world->servers + 1, sizeof(*decision->next));
	for (i = world->servers; i--;) {
		const struct socket_info *server = &world->server[i];

		if (server->protocol != IPPROTO_TCP)
			continue;
		decision->next[i] = decision->server_at[server->local_port];
		decision->server_at[server->local_port] = i + 1;
	}
}

/* The next server that may have accepted a session, after `server` (NULL: the first), or NULL. */
static const struct socket_info *next_server(const struct decision *decision,
					     const struct socket_info *session,
					     const struct socket_info *server)
{
	const struct socket_info *all = decision->world->server;
	__u32 at = server ? decision->next[server - all] : decision->server_at[session->local_port];

	while (at && !accepts(&all[at - 1], session))
		at = decision->next[at - 1];
	return at ? &all[at - 1] : NULL;
}

/* True if the connection was accepted by a server through which administrators may log in. */
static bool has_login_server(const struct decision *decision, const struct socket_info *session)
{
	const struct socket_info *server = NULL;

	while ((server = next_server(decision, session, server)))
		if (guard_counts(decision->world, server))
			return true;
	return false;
}

static bool holds(const struct ancestor *ancestor, __u32 inode)
{
	size_t i;

	for (i = 0; i < ancestor->count; i++)
		if (ancestor->inode[i] == inode)
			return true;
	return false;
}

/* A process that holds the server's socket, too, may hold sessions of other users. */
static bool is_ancestors(const struct decision *decision, const struct ancestor *ancestor,
			 const struct socket_info *session)
{
	const struct socket_info *server = next_server(decision, session, NULL);

	if (!server || !holds(ancestor, session->inode))
		return false;
	for (; server; server = next_server(decision, session, server))
		if (holds(ancestor, server->inode))
			return false;
	return true;
}

/* The caller's session must be accepted by its server: after a handshake alone it has no inode. */
static bool is_own(const struct decision *decision, const struct socket_info *session)
{
	const struct sessions *own = &decision->world->own;
	size_t i;

	if (!session->inode)
		return false;
	if (sessions_have(own, session))
		return true;
	for (i = 0; i < own->ancestors; i++)
		if (is_ancestors(decision, &own->ancestor[i], session))
			return true;
	return false;
}

/*
 * True if the peer's packets come in by the interface, or possibly do: routes to and from the peer
 * may differ, so the interface with the local address counts, too.
 */
static bool comes_by(const struct guard_world *world, const struct socket_info *socket,
		     unsigned int ifindex)
{
	unsigned int route = world->route(world->context, socket);
	const struct link *back = links_find(&world->links, route), *own;

	if (links_comes_by(&world->links, route, ifindex))
		return true;
	if (back && back->flags & IFF_LOOPBACK)
		return false;
	own = guard_owner(world, socket);
	return own && links_comes_by(&world->links, own->ifindex, ifindex);
}

/* Whether a target would admit the session, if it began anew, by its tables or by a grant. */
static bool admits_session(const struct guard_world *world, const struct tables *tables,
			   const struct socket_info *session)
{
	enum admit admit = tables_admit(tables, session->family, session->remote, PC_TCP,
					session->remote_port, session->local_port);

	if (tables_denied(tables, session->family, session->remote))
		return false;
	return admit == ADMIT_PASS ||
	       (admit == ADMIT_SOURCE && world->grants &&
		tables_granted(tables, 0, world->grants, world->now, session->family,
			       session->remote, PC_TCP, session->remote_port, session->local_port));
}

static void look_at_session(struct decision *decision, const struct socket_info *session)
{
	bool own = is_own(decision, session);
	size_t i;

	decision->own |= own;
	if (!own && !next_server(decision, session, NULL))
		return;
	for (i = 0; i < decision->targets; i++) {
		const struct guard_target *target = &decision->target[i];
		const struct tables *tables = &target->plan->tables;

		if (tables->generation->policy == PC_POLICY_OBSERVE ||
		    admits_session(decision->world, tables, session) ||
		    !comes_by(decision->world, session, target->ifindex))
			continue;
		decision->refused =
			grow(decision->refused, decision->count, sizeof(*decision->refused));
		decision->refused[decision->count++] = (struct refused){
			.target = target,
			.session = session,
			.party = own ? PARTY_OWN : PARTY_OTHER,
		};
	}
}

static bool may_be_login(const struct decision *decision, const struct refused *refused)
{
	const struct socket_info *session = refused->session;

	return refused->party == PARTY_OTHER && session->inode &&
	       management_watched(decision->management, PC_TCP, session->local_port) &&
	       has_login_server(decision, session);
}

/*
 * SSH_CONNECTION may name a session that has ended, for example in a tmux that an earlier session
 * started. Then a session of the same account counts as the caller's.
 */
static bool is_callers(const struct decision *decision, const struct login *login)
{
	const struct guard_world *world = decision->world;

	return !decision->own && world->own.count && world->caller != LOGIN_UID_NONE &&
	       login->uid == world->caller;
}

static void find_logins(struct decision *decision)
{
	const struct guard_world *world = decision->world;
	struct login *login = xcalloc(decision->count, sizeof(*login));
	struct refused **refused = xcalloc(decision->count, sizeof(*refused));
	size_t count = 0, i;

	if (decision->mode == GUARD_CALLER && (decision->own || !world->own.count))
		goto out;
	for (i = 0; i < decision->count; i++) {
		if (!may_be_login(decision, &decision->refused[i]))
			continue;
		login[count].session = decision->refused[i].session;
		refused[count++] = &decision->refused[i];
	}
	if (count)
		world->logins(world, login, count);
	for (i = 0; i < count; i++)
		if (login[i].found)
			refused[i]->party =
				is_callers(decision, &login[i]) ? PARTY_OWN : PARTY_LOGIN;
out:
	free(refused);
	free(login);
}

/* --- by port --- */

static void add_peer(struct refusal *refusal, const struct socket_info *session)
{
	const json_t *kept = refusal->target->kept;
	size_t i;

	for (i = 0; i < refusal->peers; i++)
		if (refusal->peer[i].session->family == session->family &&
		    !memcmp(refusal->peer[i].session->remote, session->remote,
			    sizeof(session->remote)))
			return;
	if (refusal->peers == PEERS) {
		refusal->more = true;
		return;
	}
	refusal->peer[refusal->peers++] = (struct guard_peer){
		.session = session,
		.named = refusal->party == PARTY_OWN ||
			 kept_group_admits(kept, PC_TCP, refusal->port, session->family,
					   session->remote),
	};
}

static void add_refused(struct decision *decision, const struct refused *refused)
{
	struct refusal *refusal = NULL;
	size_t i;

	for (i = 0; i < decision->refusals && !refusal; i++)
		if (decision->refusal[i].target == refused->target &&
		    decision->refusal[i].port == refused->session->local_port &&
		    decision->refusal[i].party == refused->party)
			refusal = &decision->refusal[i];
	if (!refusal) {
		decision->refusal =
			grow(decision->refusal, decision->refusals, sizeof(*decision->refusal));
		refusal = &decision->refusal[decision->refusals++];
		*refusal = (struct refusal){
			.target = refused->target,
			.port = refused->session->local_port,
			.party = refused->party,
		};
	}
	refusal->sessions++;
	if (refused->party != PARTY_OTHER)
		add_peer(refusal, refused->session);
}

/* --- texts --- */

static bool stops(const struct decision *decision, enum party party)
{
	return decision->mode != GUARD_WARN && (party == PARTY_OWN || decision->mode == GUARD_STOP);
}

__attribute__((format(printf, 3, 4))) static void say(struct decision *decision, enum party party,
						      const char *format, ...)
{
	enum guard_found found = party == PARTY_OWN ? GUARD_OWN : GUARD_OTHERS;
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	if (!stops(decision, party)) {
		diag_warning(decision->diag, NULL, "%s", text);
		return;
	}
	diag_error(decision->diag, NULL, "%s", text);
	if (found > decision->found)
		decision->found = found;
}

/* "your own session to 22/tcp (from 192.0.2.2)", "2 logins to 22/tcp (from ..)"; the caller
 * frees. */
static char *sessions_text(const struct refusal *refusal)
{
	char peer[INET6_ADDRSTRLEN];
	__cleanup(names_free) struct names peers = {};
	__free_text char *list = NULL, *logins = NULL;
	size_t i;

	for (i = 0; i < refusal->peers && i < 3; i++)
		names_add(&peers, guard_peer(refusal->peer[i].session, peer));
	if (refusal->peers > peers.count || refusal->more)
		names_add(&peers, "...");
	list = names_join(&peers, ", ");
	if (refusal->party == PARTY_OWN)
		return xasprintf("your own session to %u/tcp (from %s)", refusal->port, list);
	logins = human_count(refusal->sessions, "login", "logins");
	return xasprintf("%s to %u/tcp (from %s)", logins, refusal->port, list);
}

/* A denied source is denied at every port, so no option opens a port to it. */
static bool is_denied(const struct refusal *refusal)
{
	for (size_t i = 0; i < refusal->peers; i++)
		if (tables_denied(&refusal->target->plan->tables, refusal->peer[i].session->family,
				  refusal->peer[i].session->remote))
			return true;
	return false;
}

static void say_refusal(struct decision *decision, const struct refusal *refusal)
{
	struct guard_need need = {.transport = PC_TCP,
				  .port = refusal->port,
				  .peer = refusal->peer,
				  .peers = refusal->peers};
	__free_text char *sessions = sessions_text(refusal);
	__free_text char *fix = NULL;

	if (is_denied(refusal)) {
		say(decision, refusal->party,
		    "%s: %s would be cut off: the source is in a group of deny; take it out of the group, or put it into a group of never-ban",
		    refusal->target->interface, sessions);
		return;
	}
	fix = guard_fix(decision->command, refusal->target, &need);
	say(decision, refusal->party, "%s: %s could not be re-established: %s",
	    refusal->target->interface, sessions, fix);
}

static void say_nobody(struct decision *decision, const struct socket_info *server)
{
	struct guard_need need = {.transport = guard_transport(server), .port = server->local_port};
	const struct guard_target *target = decision->target;
	__free_text char *fix = NULL;
	size_t i;

	for (i = decision->targets; i--;)
		if (!guard_admits_any(decision->target[i].plan->tables.generation, need.transport,
				      need.port))
			target = &decision->target[i];
	fix = guard_fix(decision->command, target, &need);
	say(decision, PARTY_OTHER, "%s: the server on %u/%s would become unreachable: %s",
	    target->interface, need.port, transport_name[need.transport], fix);
}

/* --- decision --- */

static bool is_said(const struct decision *decision, const struct socket_info *server)
{
	size_t i;

	for (i = 0; i < decision->refusals; i++)
		if (decision->refusal[i].party != PARTY_OTHER && server->protocol == IPPROTO_TCP &&
		    decision->refusal[i].port == server->local_port)
			return true;
	return false;
}

static void judge_servers(struct decision *decision)
{
	const struct guard_world *world = decision->world;
	size_t i;

	for (i = 0; i < world->servers; i++) {
		const struct socket_info *server = &world->server[i];

		if (management_watched(decision->management, guard_transport(server),
				       server->local_port) &&
		    !is_said(decision, server) &&
		    guard_cuts_off(world, decision->target, decision->targets, i))
			say_nobody(decision, server);
	}
}

/* A port that is already closed does not change. */
static bool is_news(const struct decision *decision, const struct refusal *refusal)
{
	const struct pc_generation *now =
		guard_judging(decision->world, NULL, 0, refusal->target->ifindex);

	return !now || guard_admits_any(now, PC_TCP, refusal->port);
}

/* Sorts watched ports first, then ports with most connections. */
static bool is_before(const struct decision *decision, const struct refusal *a,
		      const struct refusal *b)
{
	bool first = management_watched(decision->management, PC_TCP, a->port);
	bool second = management_watched(decision->management, PC_TCP, b->port);

	return first != second ? first : a->sessions > b->sessions;
}

/* Prints one line for all connections, because anyone can connect to many ports. */
static void warn_of_others(struct decision *decision)
{
	const struct refusal *shown[WARNING];
	__cleanup(names_free) struct names ports = {};
	__free_text char *list = NULL;
	size_t count = 0, all = 0, i, at;

	for (i = 0; i < decision->refusals; i++) {
		const struct refusal *refusal = &decision->refusal[i];

		if (refusal->party != PARTY_OTHER || !is_news(decision, refusal))
			continue;
		all++;
		for (at = count; at && is_before(decision, refusal, shown[at - 1]); at--)
			if (at < WARNING)
				shown[at] = shown[at - 1];
		if (at == WARNING)
			continue;
		shown[at] = refusal;
		count += count < WARNING;
	}
	for (i = 0; i < count; i++) {
		__free_text char *text = xasprintf("%zu to %u/tcp at %s", shown[i]->sessions,
						   shown[i]->port, shown[i]->target->interface);

		names_add(&ports, text);
	}
	if (all > count) {
		__free_text char *more = human_count(all - count, "more port", "more ports");
		__free_text char *text = xasprintf("some to %s", more);

		names_add(&ports, text);
	}
	list = names_join(&ports, ", ");
	if (all)
		diag_warning(decision->diag, NULL,
			     "open connections continue, but new ones will be refused: %s", list);
}

enum guard_found guard_decide(const struct guard_command *command,
			      const struct guard_target *target, size_t count,
			      const struct ports *management, enum guard_mode mode,
			      const struct guard_world *world, struct diag *diag)
{
	struct decision decision = {.command = command,
				    .target = target,
				    .targets = count,
				    .management = management,
				    .mode = mode,
				    .world = world,
				    .diag = diag};
	size_t i;

	index_servers(&decision);
	for (i = 0; i < world->sessions; i++)
		look_at_session(&decision, &world->session[i]);
	find_logins(&decision);
	for (i = 0; i < decision.count; i++)
		add_refused(&decision, &decision.refused[i]);
	for (i = 0; i < decision.refusals; i++)
		if (decision.refusal[i].party == PARTY_OWN ||
		    (decision.refusal[i].party == PARTY_LOGIN && mode != GUARD_CALLER))
			say_refusal(&decision, &decision.refusal[i]);
	if (mode != GUARD_CALLER) {
		judge_servers(&decision);
		warn_of_others(&decision);
	}
	free(decision.server_at);
	free(decision.next);
	free(decision.refused);
	free(decision.refusal);
	return decision.found;
}
