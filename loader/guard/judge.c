// SPDX-License-Identifier: GPL-2.0
/* Holds the connections of a network namespace against what is to judge, and tells of them. */

#include "loader/guard/judge.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/kept.h"
#include "loader/guard/fix.h"
#include "loader/guard/management.h"
#include "loader/guard/reach.h"

#define PEERS	8 /* that a message and its fix consider */
#define WARNING 5 /* ports that the warning of connections names */

enum party {
	PARTY_OWN,   /* the caller's */
	PARTY_LOGIN, /* of another, to a watched port */
	PARTY_OTHER, /* any connection: a peer makes one by a handshake */
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
	struct guard_peer peer[PEERS]; /* each address once */
	size_t peers;
	bool more; /* addresses than that */
};

struct judgement {
	const struct guard_command *command;
	const struct guard_target *target;
	size_t targets;
	const struct ports *management;
	enum guard_mode mode;
	const struct guard_world *world;
	struct diag *diag;
	__u32 *server_at; /* by port, of TCP: 1 + index of the first server; 0: none */
	__u32 *next;	  /* by server: of the same port */
	bool own;	  /* one of the sessions is the caller's, refused or not */
	struct refused *refused;
	size_t count;
	struct refusal *refusal;
	size_t refusals;
	enum guard_found found;
};

static const char *transport_name(enum pc_transport transport)
{
	return transport == PC_TCP ? "tcp" : "udp";
}

/* --- sessions --- */

/* A listener on :: takes IPv4 too, mostly. */
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

/* There may be very many sessions and servers. */
static void index_servers(struct judgement *judgement)
{
	const struct guard_world *world = judgement->world;
	size_t i;

	judgement->server_at = xcalloc(65536, sizeof(*judgement->server_at));
	judgement->next = xcalloc(world->servers + 1, sizeof(*judgement->next));
	for (i = world->servers; i--;) {
		const struct socket_info *server = &world->server[i];

		if (server->protocol != IPPROTO_TCP)
			continue;
		judgement->next[i] = judgement->server_at[server->local_port];
		judgement->server_at[server->local_port] = i + 1;
	}
}

/* The next server that may have accepted a session, after `server` (NULL: the first), or NULL. */
static const struct socket_info *next_server(const struct judgement *judgement,
					     const struct socket_info *session,
					     const struct socket_info *server)
{
	const struct socket_info *all = judgement->world->server;
	__u32 at =
		server ? judgement->next[server - all] : judgement->server_at[session->local_port];

	while (at && !accepts(&all[at - 1], session))
		at = judgement->next[at - 1];
	return at ? &all[at - 1] : NULL;
}

/* Whether a server accepted it by which an administrator may log in. */
static bool has_login_server(const struct judgement *judgement, const struct socket_info *session)
{
	const struct socket_info *server = NULL;

	while ((server = next_server(judgement, session, server)))
		if (guard_counts(judgement->world, server))
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

/* A process that holds the server's socket, too, may hold the sessions of others. */
static bool is_ancestors(const struct judgement *judgement, const struct ancestor *ancestor,
			 const struct socket_info *session)
{
	const struct socket_info *server = next_server(judgement, session, NULL);

	if (!server || !holds(ancestor, session->inode))
		return false;
	for (; server; server = next_server(judgement, session, server))
		if (holds(ancestor, server->inode))
			return false;
	return true;
}

/* The caller's session was accepted by its server: a mere handshake has no inode. */
static bool is_own(const struct judgement *judgement, const struct socket_info *session)
{
	const struct sessions *own = &judgement->world->own;
	size_t i;

	if (!session->inode)
		return false;
	if (sessions_have(own, session))
		return true;
	for (i = 0; i < own->ancestors; i++)
		if (is_ancestors(judgement, &own->ancestor[i], session))
			return true;
	return false;
}

/*
 * Whether the peer's packets come in by the interface, or may: routes back and forth need not be
 * the same, so that the interface whose address it talks to counts, too.
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

static void look_at_session(struct judgement *judgement, const struct socket_info *session)
{
	bool own = is_own(judgement, session);
	size_t i;

	judgement->own |= own;
	if (!own && !next_server(judgement, session, NULL))
		return;
	for (i = 0; i < judgement->targets; i++) {
		const struct guard_target *target = &judgement->target[i];
		const struct tables *tables = &target->plan->tables;

		if (tables->generation->policy == PC_POLICY_OBSERVE ||
		    tables_admit(tables, session->family, session->remote, PC_TCP,
				 session->remote_port, session->local_port) == ADMIT_PASS ||
		    !comes_by(judgement->world, session, target->ifindex))
			continue;
		judgement->refused =
			grow(judgement->refused, judgement->count, sizeof(*judgement->refused));
		judgement->refused[judgement->count++] = (struct refused){
			.target = target,
			.session = session,
			.party = own ? PARTY_OWN : PARTY_OTHER,
		};
	}
}

static bool may_be_login(const struct judgement *judgement, const struct refused *refused)
{
	const struct socket_info *session = refused->session;

	return refused->party == PARTY_OTHER && session->inode &&
	       management_watched(judgement->management, PC_TCP, session->local_port) &&
	       has_login_server(judgement, session);
}

/*
 * SSH_CONNECTION names a session that is no more, as in a tmux that was begun from another one. The
 * caller's is then among those of the same account.
 */
static bool is_callers(const struct judgement *judgement, const struct login *login)
{
	const struct guard_world *world = judgement->world;

	return !judgement->own && world->own.count && world->caller != LOGIN_UID_NONE &&
	       login->uid == world->caller;
}

static void find_logins(struct judgement *judgement)
{
	const struct guard_world *world = judgement->world;
	struct login *login = xcalloc(judgement->count, sizeof(*login));
	struct refused **refused = xcalloc(judgement->count, sizeof(*refused));
	size_t count = 0, i;

	if (judgement->mode == GUARD_CALLER && (judgement->own || !world->own.count))
		goto out;
	for (i = 0; i < judgement->count; i++) {
		if (!may_be_login(judgement, &judgement->refused[i]))
			continue;
		login[count].session = judgement->refused[i].session;
		refused[count++] = &judgement->refused[i];
	}
	if (count)
		world->logins(world, login, count);
	for (i = 0; i < count; i++)
		if (login[i].found)
			refused[i]->party =
				is_callers(judgement, &login[i]) ? PARTY_OWN : PARTY_LOGIN;
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

static void add_refused(struct judgement *judgement, const struct refused *refused)
{
	struct refusal *refusal = NULL;
	size_t i;

	for (i = 0; i < judgement->refusals && !refusal; i++)
		if (judgement->refusal[i].target == refused->target &&
		    judgement->refusal[i].port == refused->session->local_port &&
		    judgement->refusal[i].party == refused->party)
			refusal = &judgement->refusal[i];
	if (!refusal) {
		judgement->refusal =
			grow(judgement->refusal, judgement->refusals, sizeof(*judgement->refusal));
		refusal = &judgement->refusal[judgement->refusals++];
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

/* --- saying it --- */

static bool stops(const struct judgement *judgement, enum party party)
{
	return judgement->mode != GUARD_WARN &&
	       (party == PARTY_OWN || judgement->mode == GUARD_STOP);
}

__attribute__((format(printf, 3, 4))) static void say(struct judgement *judgement, enum party party,
						      const char *format, ...)
{
	enum guard_found found = party == PARTY_OWN ? GUARD_OWN : GUARD_OTHERS;
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	if (!stops(judgement, party)) {
		diag_warning(judgement->diag, NULL, "%s", text);
		return;
	}
	diag_error(judgement->diag, NULL, "%s", text);
	if (found > judgement->found)
		judgement->found = found;
}

/* "your own session to 22/tcp (from 192.0.2.2)", "2 logins to 22/tcp (from ..)"; caller frees. */
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

static void say_refusal(struct judgement *judgement, const struct refusal *refusal)
{
	struct guard_need need = {.transport = PC_TCP,
				  .port = refusal->port,
				  .peer = refusal->peer,
				  .peers = refusal->peers};
	__free_text char *fix = guard_fix(judgement->command, refusal->target, &need);
	__free_text char *sessions = sessions_text(refusal);

	say(judgement, refusal->party, "%s: %s could not be re-established: %s",
	    refusal->target->interface, sessions, fix);
}

static void say_nobody(struct judgement *judgement, const struct socket_info *server)
{
	struct guard_need need = {.transport = guard_transport(server), .port = server->local_port};
	const struct guard_target *target = judgement->target;
	__free_text char *fix = NULL;
	size_t i;

	for (i = judgement->targets; i--;)
		if (!guard_admits_any(judgement->target[i].plan->tables.generation, need.transport,
				      need.port))
			target = &judgement->target[i];
	fix = guard_fix(judgement->command, target, &need);
	say(judgement, PARTY_OTHER, "%s: the server on %u/%s would become unreachable: %s",
	    target->interface, need.port, transport_name(need.transport), fix);
}

/* --- decision --- */

static bool is_said(const struct judgement *judgement, const struct socket_info *server)
{
	size_t i;

	for (i = 0; i < judgement->refusals; i++)
		if (judgement->refusal[i].party != PARTY_OTHER && server->protocol == IPPROTO_TCP &&
		    judgement->refusal[i].port == server->local_port)
			return true;
	return false;
}

static void judge_servers(struct judgement *judgement)
{
	const struct guard_world *world = judgement->world;
	size_t i;

	for (i = 0; i < world->servers; i++) {
		const struct socket_info *server = &world->server[i];

		if (management_watched(judgement->management, guard_transport(server),
				       server->local_port) &&
		    !is_said(judgement, server) &&
		    guard_cuts_off(world, judgement->target, judgement->targets, i))
			say_nobody(judgement, server);
	}
}

/* Of a port that is closed already, nothing changes. */
static bool is_news(const struct judgement *judgement, const struct refusal *refusal)
{
	const struct pc_generation *now =
		guard_judging(judgement->world, NULL, 0, refusal->target->ifindex);

	return !now || guard_admits_any(now, PC_TCP, refusal->port);
}

/* Watched ports first, then those with most connections. */
static bool is_before(const struct judgement *judgement, const struct refusal *a,
		      const struct refusal *b)
{
	bool first = management_watched(judgement->management, PC_TCP, a->port);
	bool second = management_watched(judgement->management, PC_TCP, b->port);

	return first != second ? first : a->sessions > b->sessions;
}

/* One line, however many there are: anyone can connect to many ports. */
static void warn_of_others(struct judgement *judgement)
{
	const struct refusal *shown[WARNING];
	__cleanup(names_free) struct names ports = {};
	__free_text char *list = NULL;
	size_t count = 0, all = 0, i, at;

	for (i = 0; i < judgement->refusals; i++) {
		const struct refusal *refusal = &judgement->refusal[i];

		if (refusal->party != PARTY_OTHER || !is_news(judgement, refusal))
			continue;
		all++;
		for (at = count; at && is_before(judgement, refusal, shown[at - 1]); at--)
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
		diag_warning(judgement->diag, NULL,
			     "open connections continue, but new ones will be refused: %s", list);
}

enum guard_found guard_judge(const struct guard_command *command, const struct guard_target *target,
			     size_t count, const struct ports *management, enum guard_mode mode,
			     const struct guard_world *world, struct diag *diag)
{
	struct judgement judgement = {.command = command,
				      .target = target,
				      .targets = count,
				      .management = management,
				      .mode = mode,
				      .world = world,
				      .diag = diag};
	size_t i;

	index_servers(&judgement);
	for (i = 0; i < world->sessions; i++)
		look_at_session(&judgement, &world->session[i]);
	find_logins(&judgement);
	for (i = 0; i < judgement.count; i++)
		add_refused(&judgement, &judgement.refused[i]);
	for (i = 0; i < judgement.refusals; i++)
		if (judgement.refusal[i].party == PARTY_OWN ||
		    (judgement.refusal[i].party == PARTY_LOGIN && mode != GUARD_CALLER))
			say_refusal(&judgement, &judgement.refusal[i]);
	if (mode != GUARD_CALLER) {
		judge_servers(&judgement);
		warn_of_others(&judgement);
	}
	free(judgement.server_at);
	free(judgement.next);
	free(judgement.refused);
	free(judgement.refusal);
	return judgement.found;
}
