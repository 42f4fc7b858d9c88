// SPDX-License-Identifier: GPL-2.0
/* Administrators' sessions through this host to machines behind it. */
#include "loader/guard/through.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/kept.h"
#include "loader/guard/management.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/machines.h"

/* Sessions to one port of one machine that a target would refuse if they began anew. */
struct refusal {
	const char *machine; /* NULL: the address belongs to no machine */
	__u16 port;
	bool named; /* a group admits them */
	size_t sessions;
	char peer[INET6_ADDRSTRLEN]; /* address of the first one */
};

struct refusals {
	struct refusal *refusal;
	size_t count;
};

static bool observes(const struct tables *tables, __u16 class)
{
	__u8 policy =
		class ? tables->generation->class[class - 1].policy : tables->generation->policy;

	return policy == PC_POLICY_OBSERVE;
}

static bool is_refused(const struct guard_target *target, const struct guard_world *world,
		       const struct socket_info *session)
{
	const struct tables *tables = &target->plan->tables;
	__u16 class = tables_class(tables, session->family, session->local);

	if (!observes(tables, 0) && tables_denied(tables, session->family, session->remote))
		return true;
	return !observes(tables, class) &&
	       tables_admit_class(tables, class, session->family, session->remote, PC_TCP,
				  session->remote_port, session->local_port) != ADMIT_PASS &&
	       !(world->grants && tables_granted(tables, class, world->grants, world->now,
						 session->family, session->remote, PC_TCP,
						 session->remote_port, session->local_port));
}

bool guard_through_named(const json_t *kept, const struct socket_info *session)
{
	size_t at = kept_machine_of(kept, session->family, session->local);
	json_t *own = at < kept_machines(kept) ? kept_machine(kept, at) : NULL;
	bool named = kept_group_admits(own ?: kept, PC_TCP, session->local_port, session->family,
				       session->remote);

	json_decref(own);
	return named;
}

static void add(struct refusals *refusals, const struct guard_target *target,
		const struct socket_info *session)
{
	const struct machine *machine = machines_of_address(target->plan->composition.recipe,
							    session->family, session->local);
	const char *name = machine ? machine->name : NULL;
	bool named = guard_through_named(target->kept, session);
	struct refusal *refusal = NULL;
	size_t i;

	for (i = 0; i < refusals->count && !refusal; i++)
		if (refusals->refusal[i].machine == name &&
		    refusals->refusal[i].port == session->local_port &&
		    refusals->refusal[i].named == named)
			refusal = &refusals->refusal[i];
	if (!refusal) {
		refusals->refusal =
			grow(refusals->refusal, refusals->count, sizeof(*refusals->refusal));
		refusal = &refusals->refusal[refusals->count++];
		*refusal = (struct refusal){
			.machine = name, .port = session->local_port, .named = named};
		inet_ntop(session->family, session->remote, refusal->peer, sizeof(refusal->peer));
	}
	refusal->sessions++;
}

/* Asks for the interface to the peer without the machine's address: with it, no route would be
 * found. */
static bool comes_by(const struct guard_world *world, const struct socket_info *session,
		     unsigned int ifindex)
{
	struct socket_info from_any = *session;

	memset(from_any.local, 0, sizeof(from_any.local));
	return links_comes_by(&world->links, world->route(world->context, &from_any), ifindex);
}

/* The fix that opens the port, as options or as keys of the site file. */
static char *opening_of(const struct guard_command *command, const struct refusal *refusal)
{
	const char *machine = refusal->machine;

	if (command->words == GUARD_SITE_FILE)
		return xasprintf("%s%s%sopen: {%u/tcp: GROUP}%s in the site file",
				 machine ? "machines: {" : "", machine ?: "", machine ? ": {" : "",
				 refusal->port, machine ? "}}" : "");
	return xasprintf("%s%s%s--open %u/tcp=GROUP", machine ? "--machine " : "", machine ?: "",
			 machine ? " " : "", refusal->port);
}

static void say(const struct guard_command *command, const struct guard_target *target,
		const struct refusal *refusal, bool stops, struct diag *diag)
{
	__free_text char *sessions = human_count(refusal->sessions, "session", "sessions");
	__free_text char *opening = opening_of(command, refusal);
	__free_text char *text = xasprintf(
		"%s: %s through this host to %u/tcp%s%s (from %s%s) could not be re-established; %s opens the port",
		target->interface, sessions, refusal->port, refusal->machine ? " of machine " : "",
		refusal->machine ?: "", refusal->peer, refusal->sessions > 1 ? ", ..." : "",
		opening);

	if (stops)
		diag_error(diag, NULL, "%s", text);
	else
		diag_warning(diag, NULL, "%s", text);
}

/* Without connection tracking the sessions are unknown. */
static void say_unknown(const struct guard_target *target, struct diag *diag)
{
	if (target->plan->composition.machines)
		diag_warning(
			diag, NULL,
			"%s: sessions through this host to its machines are not known: the kernel tracks no connections here",
			target->interface);
}

enum guard_found guard_through(const struct guard_command *command,
			       const struct guard_target *target, size_t count,
			       const struct ports *management, enum guard_mode mode,
			       const struct through *through, const struct guard_world *world,
			       struct diag *diag)
{
	enum guard_found found = GUARD_NOTHING;

	for (size_t i = 0; i < count; i++) {
		struct refusals refusals = {};

		if (!through->known)
			say_unknown(&target[i], diag);
		for (size_t j = 0; j < through->sessions; j++) {
			const struct socket_info *session = &through->session[j];

			if (management_watched(management, PC_TCP, session->local_port) &&
			    is_refused(&target[i], world, session) &&
			    comes_by(world, session, target[i].ifindex))
				add(&refusals, &target[i], session);
		}
		for (size_t j = 0; j < refusals.count; j++) {
			bool stops = refusals.refusal[j].named && mode == GUARD_STOP;

			say(command, &target[i], &refusals.refusal[j], stops, diag);
			found = stops ? GUARD_OTHERS : found;
		}
		text_free(&refusals.refusal);
	}
	return found;
}
