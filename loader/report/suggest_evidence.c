// SPDX-License-Identifier: GPL-2.0
/* The sources and the ports that they used, and what a recipe should open for them. */
#include "loader/report/suggest_evidence.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/compose.h"
#include "loader/report/json_forms.h"

/* ports without a listener; a source that uses so many of them is a scanner */
#define DEAD_PORTS    3
/* a port with more sources is for anyone: nobody would write such a group */
#define GROUP_SOURCES 32
#define SHOWN	      5	 /* addresses that a comment names */
#define REMARKS	      20 /* closed ports that comments name; JSON has all */
#define SECOND	      1000000000ULL

static const char *const protocol_name[PC_TRANSPORTS] = {[PC_TCP] = "tcp", [PC_UDP] = "udp"};

struct looking {
	const struct suggest_evidence *evidence;
	struct catalog *catalog;
	const struct suggest_host *host;
	struct suggestion *to;
	struct diag *diag;
	struct composition composition;
	size_t remarks;
	size_t unshown; /* closed ports that no comment names */
};

char *suggest_span(__u64 seconds)
{
	return seconds >= 172800 ? xasprintf("%llu d", (unsigned long long)seconds / 86400) :
	       seconds >= 7200	 ? xasprintf("%llu h", (unsigned long long)seconds / 3600) :
				   xasprintf("%llu min", (unsigned long long)seconds / 60);
}

/* --- scanners --- */

static int by_source(const void *a, const void *b)
{
	const struct suggest_knock *x = a, *y = b;
	int order = x->family - y->family;

	return order ? order : memcmp(x->address, y->address, sizeof(x->address));
}

static int by_port(const void *a, const void *b)
{
	const struct suggest_knock *x = a, *y = b;
	int order = x->port - y->port;

	if (!order)
		order = (int)x->transport - (int)y->transport;
	return order ? order : by_source(a, b);
}

/* True if the port has a receiver: it answered, or a socket listens. */
static bool is_alive(const struct looking *looking, const struct suggest_knock *knock)
{
	return looking->evidence->counters ?
		       suggest_listener(looking->host, knock->transport, knock->port) != NULL :
		       knock->answered;
}

static void mark_scanners(struct looking *looking)
{
	const struct suggest_evidence *evidence = looking->evidence;

	if (evidence->count)
		qsort(evidence->knock, evidence->count, sizeof(*evidence->knock), by_source);
	for (size_t from = 0, to; from < evidence->count; from = to) {
		size_t dead = 0, alive = 0;

		for (to = from; to < evidence->count &&
				!by_source(&evidence->knock[from], &evidence->knock[to]);
		     to++) {
			if (is_alive(looking, &evidence->knock[to]))
				alive++;
			else
				dead++;
		}
		for (size_t i = from; i < to; i++) {
			evidence->knock[i].scans = dead >= DEAD_PORTS || (dead && !alive);
			evidence->knock[i].roams = evidence->knock[i].scans && to - from > 1;
		}
	}
}

/* --- a port --- */

/* The knocks on one port. */
struct knocked {
	const struct suggest_knock *knock;
	size_t count;
	size_t customers, scanners, roamers;
	__u64 packets, first, last;
};

/* One packet may come from a passing stranger; a connection that was made, or a second packet, is
 * use. */
static bool is_customer(const struct looking *looking, const struct suggest_knock *knock)
{
	return !knock->scans && is_alive(looking, knock) &&
	       (!looking->evidence->counters || knock->packets > 1);
}

static void sum_up(const struct looking *looking, struct knocked *knocked)
{
	knocked->first = knocked->knock->first;
	for (size_t i = 0; i < knocked->count; i++) {
		const struct suggest_knock *knock = &knocked->knock[i];

		knocked->customers += is_customer(looking, knock);
		knocked->scanners += knock->scans;
		knocked->roamers += knock->roams;
		knocked->packets += knock->packets;
		if (knock->first < knocked->first)
			knocked->first = knock->first;
		if (knock->last > knocked->last)
			knocked->last = knock->last;
	}
}

static void set_counts(json_t *json, const struct knocked *knocked)
{
	char text[TIME_TEXT];

	json_object_set_new(json, "packets", json_integer((json_int_t)knocked->packets));
	json_object_set_new(json, "sources", json_integer((json_int_t)knocked->count));
	json_object_set_new(json, "first", json_string(report_time(knocked->first * SECOND, text)));
	json_object_set_new(json, "last", json_string(report_time(knocked->last * SECOND, text)));
}

static struct prefix prefix_of(const struct suggest_knock *knock)
{
	struct prefix prefix = {.family = knock->family,
				.length = knock->family == AF_INET ? 32 : 128};

	memcpy(prefix.address, knock->address, knock->family == AF_INET ? 4 : 16);
	return prefix;
}

/* "198.51.100.7, 198.51.100.8 and 3 more", of scanners or of customers. */
static char *sources_text(const struct looking *looking, const struct knocked *knocked,
			  bool customers)
{
	__cleanup(names_free) struct names shown = {};
	__free_text char *list = NULL;
	size_t more = 0;

	for (size_t i = 0; i < knocked->count; i++) {
		const struct prefix prefix = prefix_of(&knocked->knock[i]);
		char text[PREFIX_TEXT];

		if (is_customer(looking, &knocked->knock[i]) != customers)
			continue;
		prefix_format(&prefix, text);
		text[strcspn(text, "/")] = '\0';
		if (shown.count < SHOWN)
			names_add(&shown, text);
		else
			more++;
	}
	list = names_join(&shown, ", ");
	return more ? xasprintf("%s and %zu more", list, more) : xstrdup(list);
}

static json_t *leave_closed(struct looking *looking, const struct knocked *knocked, const char *why)
{
	const struct suggest_knock *one = knocked->knock;
	bool shown = looking->remarks < REMARKS;
	json_t *closed = suggest_closed(looking->to, shown, one->transport, one->port, "%s", why);

	looking->remarks += shown;
	looking->unshown += !shown;
	set_counts(closed, knocked);
	return closed;
}

static void close_unanswered(struct looking *looking, const struct knocked *knocked)
{
	__free_text char *sources = sources_text(looking, knocked, false);
	__free_text char *packets = human_count(knocked->packets, "packet", "packets");
	__free_text char *why = xasprintf(
		"nothing %s; %s from %s%s", looking->evidence->counters ? "listens" : "answers",
		packets, sources, knocked->roamers ? ", which tried other ports too" : "");

	leave_closed(looking, knocked, why);
}

static void close_unused(struct looking *looking, const struct knocked *knocked)
{
	const struct suggest_knock *one = knocked->knock;
	const struct audit_listener *listener =
		suggest_listener(looking->host, one->transport, one->port);
	__free_text char *sources = sources_text(looking, knocked, false);
	__free_text char *listens =
		listener ? suggest_listens(listener) : xstrdup("something listens");
	__free_text char *packets = human_count(knocked->packets, "packet", "packets");
	__free_text char *why =
		xasprintf("%s, but only strangers came: %s from %s%s", listens, packets, sources,
			  knocked->scanners == knocked->count ? ", which scan" :
			  knocked->scanners		      ? ", some of which scan" :
								", once each");
	json_t *closed = leave_closed(looking, knocked, why);

	if (listener) {
		json_object_set_new(closed, "process", text_json(listener->process));
		json_object_set_new(closed, "unit", text_json(listener->unit));
	}
}

/* --- what is opened --- */

static const struct composed *service_with(const struct looking *looking,
					   const struct suggest_knock *knock, enum why_closed why)
{
	const struct composition *composition = &looking->composition;

	for (size_t i = 0; i < composition->services; i++)
		if (composition->service[i].why == why &&
		    composition->service[i].direction & DIRECTION_IN &&
		    ports_have(&composition->service[i].ports, knock->transport, knock->port))
			return &composition->service[i];
	return NULL;
}

/* The service that has the port open, but only to a group; NULL: none. */
static const struct composed *restricted(const struct looking *looking,
					 const struct suggest_knock *knock)
{
	const struct composed *service = service_with(looking, knock, WHY_GROUP);

	return service ?: service_with(looking, knock, WHY_OPEN);
}

static void note_use(struct looking *looking, const struct knocked *knocked, json_t *line)
{
	const struct audit_listener *listener =
		suggest_listener(looking->host, knocked->knock->transport, knocked->knock->port);

	set_counts(line, knocked);
	if (listener)
		json_object_set_new(line, "process", text_json(listener->process));
}

static void define_group(struct looking *looking, const struct knocked *knocked, const char *name)
{
	struct groups *groups = &looking->to->recipe.groups;
	const struct group *group = groups_find(groups, name);
	__cleanup(names_free) struct names members = {};
	char text[PREFIX_TEXT];

	for (size_t i = 0; group && i < group->prefixes; i++)
		names_add(&members, prefix_format(&group->prefix[i], text));
	for (size_t i = 0; i < knocked->count; i++) {
		const struct prefix prefix = prefix_of(&knocked->knock[i]);

		if (is_customer(looking, &knocked->knock[i]))
			names_add_once(&members, prefix_format(&prefix, text));
	}
	groups_define_list(groups, name, &members, NULL, looking->diag);
	suggest_line(looking->to, "groups", name, "those that used %u/%s; others may be missing",
		     knocked->knock->port, protocol_name[knocked->knock->transport]);
}

static void open_port(struct looking *looking, const struct knocked *knocked)
{
	const struct suggest_knock *one = knocked->knock;
	const struct audit_listener *listener =
		suggest_listener(looking->host, one->transport, one->port);
	__free_text char *listens =
		listener ? suggest_listens(listener) : xstrdup("something listens");
	__free_text char *sources = sources_text(looking, knocked, true);
	__free_text char *port = xasprintf("%u/%s", one->port, protocol_name[one->transport]);
	__free_text char *group = xasprintf("seen-%u-%s", one->port, protocol_name[one->transport]);
	bool anyone = knocked->customers > GROUP_SOURCES;
	__free_text char *word = xasprintf("%s%s%s", port, anyone ? "" : "=", anyone ? "" : group);
	__free_text char *packets = human_count(knocked->packets, "packet", "packets");
	json_t *line;

	if (!anyone)
		define_group(looking, knocked, group);
	recipe_open(&looking->to->recipe, word, looking->diag);
	line = suggest_line(looking->to, "open", port, "%s; %s from %zu: %s", listens, packets,
			    knocked->customers, sources);
	note_use(looking, knocked, line);
}

static void enable(struct looking *looking, const struct knocked *knocked,
		   const struct composed *service)
{
	__free_text char *name =
		xasprintf("%s:%s", service->profile->name, service->service->feature);
	__free_text char *sources = sources_text(looking, knocked, true);
	json_t *line;

	recipe_enable(&looking->to->recipe, name, looking->diag);
	line = suggest_line(looking->to, "enable", name, "%u/%s was used by %s",
			    knocked->knock->port, protocol_name[knocked->knock->transport],
			    sources);
	note_use(looking, knocked, line);
}

static void leave_restricted(struct looking *looking, const struct knocked *knocked,
			     const struct composed *service)
{
	__free_text char *sources = sources_text(looking, knocked, knocked->customers);
	__free_text char *groups = names_join(&service->from, ", ");
	__free_text char *why =
		xasprintf("%s:%s admits only %s, and %s came, too: add to the group those that need the service",
			  service->profile->name, service->service->name, groups, sources);

	leave_closed(looking, knocked, why);
}

static int compose_again(struct looking *looking)
{
	__cleanup(diag_free) struct diag quiet = {};

	composition_free(&looking->composition);
	looking->composition = (struct composition){};
	return compose(looking->catalog, &looking->to->recipe, false, &looking->composition,
		       &quiet);
}

/* True if an open service has the port for anyone. */
static bool is_open(const struct looking *looking, const struct suggest_knock *knock)
{
	for (size_t i = 0; i < looking->composition.services; i++) {
		const struct composed *service = &looking->composition.service[i];

		if (service->why == WHY_OPEN && service->direction & DIRECTION_IN &&
		    !service->from.count && !service->from_port.count &&
		    ports_have(&service->ports, knock->transport, knock->port))
			return true;
	}
	return false;
}

/* Returns true if the recipe has changed. */
static bool decide(struct looking *looking, const struct knocked *knocked)
{
	const struct suggest_knock *one = knocked->knock;
	const struct composed *service;
	bool alive = false;

	if (is_open(looking, one))
		return false;
	for (size_t i = 0; i < knocked->count; i++)
		alive |= is_alive(looking, &knocked->knock[i]);
	service = restricted(looking, one);
	if (!alive) {
		close_unanswered(looking, knocked);
		return false;
	}
	if (service) {
		leave_restricted(looking, knocked, service);
		return false;
	}
	if (!knocked->customers) {
		close_unused(looking, knocked);
		return false;
	}
	service = service_with(looking, one, WHY_FEATURE);
	if (service)
		enable(looking, knocked, service);
	else
		open_port(looking, knocked);
	return true;
}

static int decide_all(struct looking *looking)
{
	const struct suggest_evidence *evidence = looking->evidence;
	int err = 0;

	if (evidence->count)
		qsort(evidence->knock, evidence->count, sizeof(*evidence->knock), by_port);
	for (size_t from = 0, to; from < evidence->count && !err; from = to) {
		const struct suggest_knock *first = &evidence->knock[from];
		struct knocked knocked = {.knock = first};

		for (to = from; to < evidence->count && evidence->knock[to].port == first->port &&
				evidence->knock[to].transport == first->transport;
		     to++)
			;
		knocked.count = to - from;
		sum_up(looking, &knocked);
		if (decide(looking, &knocked))
			err = compose_again(looking);
	}
	return err;
}

/* --- open services without packets --- */

static __u64 passed_range(const struct looking *looking, enum pc_transport transport, __u32 first,
			  __u32 last)
{
	const struct suggest_evidence *evidence = looking->evidence;
	__u64 packets = 0;

	for (__u32 port = first; port <= last && evidence->counters; port++)
		packets += counters_port(evidence->counters, PC_PORT(transport, port)).pass.packets;
	for (size_t i = 0; i < evidence->count; i++) {
		const struct suggest_knock *knock = &evidence->knock[i];

		if (knock->transport == transport && knock->port >= first && knock->port <= last &&
		    (evidence->counters ? is_customer(looking, knock) : knock->answered))
			packets += knock->packets;
	}
	return packets;
}

static __u64 passed_service(const struct looking *looking, const struct composed *service)
{
	__u64 packets = 0;

	for (size_t i = 0; i < service->ports.count; i++)
		for (enum pc_transport transport = 0; transport < PC_TRANSPORTS; transport++)
			if (service->ports.range[i].transports & 1 << transport)
				packets += passed_range(looking, transport,
							service->ports.range[i].first,
							service->ports.range[i].last);
	return packets;
}

/* The lines of a word say how much it was used. */
static void note_packets(struct looking *looking, const char *key, const char *word, __u64 packets)
{
	json_t *line;
	size_t i;

	json_array_foreach (looking->to->lines, i, line) {
		json_t *had = json_object_get(line, "packets");
		const char *of = json_string_value(json_object_get(line, "word"));

		if (!of || strcmp(of, word) != 0 ||
		    strcmp(json_string_value(json_object_get(line, "key")), key) != 0 ||
		    json_object_get(line, "first") != json_null())
			continue;
		json_object_set_new(line, "packets",
				    json_integer(json_integer_value(had) + (json_int_t)packets));
	}
}

static void note_service(struct looking *looking, const struct composed *service, __u64 packets,
			 struct names *unseen)
{
	__free_text char *name = xasprintf("%s:%s", service->profile->name, service->service->name);
	__free_text char *feature =
		service->service->feature ?
			xasprintf("%s:%s", service->profile->name, service->service->feature) :
			NULL;
	__free_text char *in = xasprintf("%s:in", name);

	note_packets(looking, "profiles", service->profile->name, packets);
	note_packets(looking, "set", name, packets);
	note_packets(looking, "set", in, packets);
	if (feature)
		note_packets(looking, "enable", feature, packets);
	if (!packets)
		names_add(unseen, name);
}

static void tell_packets(struct looking *looking)
{
	json_t *line;
	size_t i;

	json_array_foreach (looking->to->lines, i, line) {
		json_t *packets = json_object_get(line, "packets");
		const char *why = json_string_value(json_object_get(line, "why"));

		if (!json_is_integer(packets) || json_object_get(line, "first") != json_null())
			continue;
		json_object_set_new(line, "why",
				    json_sprintf("%s; %lld packets in", why,
						 (long long)json_integer_value(packets)));
	}
}

static void tell_unseen(struct looking *looking)
{
	const struct suggest_evidence *evidence = looking->evidence;
	__free_text char *span = suggest_span(evidence->until - evidence->since);
	__cleanup(names_free) struct names unseen = {};

	for (size_t i = 0; i < looking->composition.services; i++) {
		const struct composed *service = &looking->composition.service[i];

		if (service->why == WHY_OPEN && service->direction & DIRECTION_IN &&
		    !service->from_port.count)
			note_service(looking, service, passed_service(looking, service), &unseen);
	}
	tell_packets(looking);
	for (size_t i = 0; i < unseen.count; i++) {
		__free_text char *remark = xasprintf(
			"not seen in %s: %s; it stays open, since a monthly job would not have been seen",
			span, unseen.name[i]);

		names_add(&looking->to->remarks, remark);
	}
}

static bool was_knocked(const struct suggest_evidence *evidence,
			const struct audit_listener *listener)
{
	for (size_t i = 0; i < evidence->count; i++)
		if (evidence->knock[i].transport == listener->transport &&
		    evidence->knock[i].port == listener->port)
			return true;
	return false;
}

/* Ports that listen, are closed, and got no packet. */
static void tell_silent(struct looking *looking)
{
	const struct suggest_evidence *evidence = looking->evidence;
	__free_text char *span = suggest_span(evidence->until - evidence->since);

	for (size_t i = 0; i < looking->host->listeners; i++) {
		const struct audit_listener *listener = &looking->host->listener[i];
		const struct suggest_knock as = {.transport = listener->transport,
						 .port = listener->port};
		__free_text char *listens = suggest_listens(listener);
		json_t *closed;

		if (suggest_listener(looking->host, listener->transport, listener->port) !=
			    listener ||
		    service_with(looking, &as, WHY_OPEN) || was_knocked(evidence, listener))
			continue;
		closed = suggest_closed(
			looking->to, true, listener->transport, listener->port,
			"%s, and nothing came in %s; a monthly job would not have been seen",
			listens, span);
		json_object_set_new(closed, "packets", json_integer(0));
		json_object_set_new(closed, "sources", json_integer(0));
		json_object_set_new(closed, "process", text_json(listener->process));
		json_object_set_new(closed, "unit", text_json(listener->unit));
	}
}

void suggest_evidence(const struct suggest_evidence *evidence, struct catalog *catalog,
		      const struct suggest_host *host, struct suggestion *suggestion,
		      struct diag *diag)
{
	struct looking looking = {evidence, catalog, host, suggestion, diag, {}, 0, 0};

	mark_scanners(&looking);
	if (!compose_again(&looking) && !decide_all(&looking)) {
		tell_unseen(&looking);
		tell_silent(&looking);
	}
	if (looking.unshown) {
		__free_text char *more =
			xasprintf("closed: %zu more ports to which packets came; --json has them",
				  looking.unshown);

		names_add(&suggestion->remarks, more);
	}
	if (evidence->sampled)
		names_add(
			&suggestion->remarks,
			"there was a flood, of which only a sample was recorded: sources may be missing");
	composition_free(&looking.composition);
}
