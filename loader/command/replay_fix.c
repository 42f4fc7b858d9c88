// SPDX-License-Identifier: GPL-2.0
/* The commands that would open what a filter dropped in a capture. */
#include "loader/command/replay_fix.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/command/explain.h"
#include "loader/guard/fix.h"

#define PORTS	  16	/* ports that get a fix: each is tried, which takes some ms */
/* sources of a port that a fix names; with more, the fix opens it to anyone */
#define SOURCES	  16
#define EPHEMERAL 50000 /* source port of the packets that are tried, as in explain */

/* The rows of one port. */
struct closed {
	struct socket_info source[SOURCES];
	size_t sources;
	bool many;
};

static bool is_known(const struct closed *closed, const struct socket_info *source)
{
	for (size_t i = 0; i < closed->sources; i++)
		if (closed->source[i].family == source->family &&
		    !memcmp(closed->source[i].remote, source->remote, sizeof(source->remote)))
			return true;
	return false;
}

static void add_source(struct closed *closed, const struct drops_row *row)
{
	struct socket_info source = {
		.family = row->family == 4 ? AF_INET : AF_INET6,
		.protocol = row->protocol,
		.local_port = row->out ? 0 : row->port,
		.remote_port = row->out ? row->port : EPHEMERAL,
	};

	memcpy(source.remote, row->address, sizeof(source.remote));
	if (is_known(closed, &source))
		return;
	if (closed->sources == SOURCES)
		closed->many = true;
	else
		closed->source[closed->sources++] = source;
}

static bool has_port(const struct drops_row *row)
{
	return !row->machine && (row->protocol == IPPROTO_TCP || row->protocol == IPPROTO_UDP) &&
	       row->port &&
	       (row->reason == PC_REASON_UNLISTED || row->reason == PC_REASON_SOURCE ||
		row->reason == PC_REASON_OUTBOUND);
}

static bool same_port(const struct drops_row *a, const struct drops_row *b)
{
	return a->out == b->out && a->protocol == b->protocol && a->port == b->port;
}

static bool open_by(const struct guard_command *command, const struct explain_target *target,
		    const struct drops_row *row, const struct closed *closed,
		    struct guard_opening *opening)
{
	struct guard_peer peer[SOURCES];
	struct guard_need need = {
		.transport = row->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP,
		.port = row->port,
		.peer = peer,
		/* Names the sources if the service is open to some others. */
		.peers = closed->many && row->reason != PC_REASON_SOURCE ? 0 : closed->sources,
		.out = row->out,
	};
	const struct guard_target of = {
		.interface = target->name,
		.ifindex = target->ifindex,
		.plan = &target->planned->plan,
		.catalog = &target->planned->catalog,
		.kept = target->kept,
	};

	for (size_t i = 0; i < closed->sources; i++)
		peer[i] = (struct guard_peer){&closed->source[i], true};
	return guard_open(command, &of, &need, opening);
}

/* A command, or lines for a site file; NULL: nothing opens the port. The caller frees. */
static char *fix_of(const struct explain_target *target, const struct drops_row *row,
		    const struct closed *closed)
{
	__cleanup(guard_opening_free) struct guard_opening opening = {};
	const struct guard_command *command = target->of   ? &guard_explain_site :
					      target->hook ? &guard_explain :
							     &guard_explain_new;

	if (!open_by(command, target, row, closed, &opening) || !*opening.words)
		return NULL;
	return target->of ? xstrdup(opening.words) : explain_fix(target, &opening);
}

static void add_fix(json_t *fixes, const char *fix)
{
	if (fix && !json_list_has(fixes, fix))
		json_array_append_new(fixes, text_json(fix));
}

static void add_ports(json_t *fixes, const struct explain_target *target, const struct drops *drops)
{
	size_t tried = 0, i, j;

	for (i = 0; i < drops->count && tried < PORTS; i++) {
		struct closed closed = {};
		__free_text char *fix = NULL;

		if (!has_port(&drops->row[i]))
			continue;
		for (j = 0; j < i && !(has_port(&drops->row[j]) &&
				       same_port(&drops->row[j], &drops->row[i]));)
			j++;
		if (j < i)
			continue;
		for (j = i; j < drops->count; j++)
			if (has_port(&drops->row[j]) && same_port(&drops->row[j], &drops->row[i]))
				add_source(&closed, &drops->row[j]);
		tried++;
		fix = fix_of(target, &drops->row[i], &closed);
		add_fix(fixes, fix);
	}
}

/* Removes the limits of the services at the port of a row. */
static void add_limit(json_t *fixes, const struct explain_target *target,
		      const struct drops_row *row)
{
	struct pc_event event = {.cell = PC_CELL_REASON + PC_REASON_LIMIT,
				 .how = PC_EVENT_DROP | PC_EVENT_PORTS,
				 .family = row->family,
				 .protocol = row->protocol,
				 .local_port = row->port,
				 .remote_port = EPHEMERAL};
	__free_text char *fix = NULL;
	json_t *verdict;

	if (row->machine)
		return;
	memcpy(event.remote, row->address, sizeof(event.remote));
	verdict = event_json(&event, target->name, 0, target->services);
	fix = explain_limit_fix(target, verdict);
	add_fix(fixes, fix);
	json_decref(verdict);
}

/* Lifts the bans that contain the source of a row. */
static void add_unban(json_t *fixes, const struct replay_bans *bans, const struct drops_row *row)
{
	__cleanup(names_free) struct names prefixes = {};
	__free_text char *all = NULL, *fix = NULL;

	replay_bans_find(bans, row->family, row->address, &prefixes);
	if (!prefixes.count)
		return;
	all = names_join(&prefixes, " ");
	fix = xasprintf("portcullis unban %s", all);
	add_fix(fixes, fix);
}

json_t *replay_fixes(const struct explain_target *target, const struct replay *replay,
		     const struct replay_bans *bans)
{
	__cleanup(drops_free) struct drops drops = {};
	json_t *fixes = json_array();
	size_t limits = 0, banned = 0, i;

	replay_drops(replay, &drops);
	if (target->planned)
		add_ports(fixes, target, &drops);
	for (i = 0; i < drops.count; i++)
		if (drops.row[i].reason == PC_REASON_LIMIT && limits++ < PORTS)
			add_limit(fixes, target, &drops.row[i]);
	for (i = 0; i < drops.count; i++)
		if (drops.row[i].reason == PC_REASON_BANNED && banned++ < SOURCES)
			add_unban(fixes, bans, &drops.row[i]);
	return fixes;
}
