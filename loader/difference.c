// SPDX-License-Identifier: GPL-2.0
/* Compares what two generations admit. */
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"
#include "loader/difference.h"
#include "loader/recipe.h"
#include "loader/report.h"
#include "loader/util.h"

#define ANYONE "anyone"

/* What one generation lists at each port of one direction, by all its open services. */
struct side {
	struct names *who[PC_PORTS];   /* "trusted", "anyone, source port 67/udp"; NULL: closed */
	const char *service[PC_PORTS]; /* the first that opens the port, in `names` */
	struct names names;
	bool out;    /* the direction */
	bool blocks; /* what is not listed; else the list is for counting */
};

/* The parties of one service, as texts. Source ports are of what comes in. */
static void list_parties(const json_t *service, bool out, struct names *parties)
{
	const json_t *ports = out ? NULL : json_object_get(service, "from_ports");
	__free_text char *source = report_joined(ports, ", ");
	const json_t *groups = json_object_get(service, out ? "to" : "from"), *group;
	const char *middle = *source ? ", source port " : "";
	size_t i;

	json_array_foreach (groups, i, group) {
		__free_text char *party =
			xasprintf("%s%s%s", json_string_value(group), middle, source);

		names_add(parties, party);
	}
	if (!parties->count) {
		__free_text char *party = xasprintf(ANYONE "%s%s", middle, source);

		names_add(parties, party);
	}
}

static void add_port(struct side *side, __u32 port, const struct names *parties, const char *name)
{
	size_t i;

	if (!side->who[port]) {
		side->who[port] = xcalloc(1, sizeof(struct names));
		side->service[port] = name;
	}
	for (i = 0; i < parties->count; i++)
		names_add_once(side->who[port], parties->name[i]);
}

static void add_service(struct side *side, const char *profile, const json_t *service)
{
	__cleanup(ports_free) struct ports ports = {};
	__cleanup(names_free) struct names parties = {};
	__free_text char *full =
		xasprintf("%s:%s", profile, json_string_value(json_object_get(service, "name")));
	size_t i;
	__u32 n;

	names_add(&side->names, full);
	list_parties(service, side->out, &parties);
	report_ports(service, &ports);
	for (i = 0; i < ports.count; i++) {
		const struct port_range *range = &ports.range[i];
		/* What is kept has one protocol in each text. */
		enum pc_transport transport = range->transports == 1 << PC_TCP ? PC_TCP : PC_UDP;

		for (n = range->first; n <= range->last; n++)
			add_port(side, PC_PORT(transport, n), &parties,
				 side->names.name[side->names.count - 1]);
	}
}

static struct side *side_make(const json_t *kept, bool out)
{
	const json_t *profiles = json_object_get(kept, "profiles"), *profile, *service;
	const char *outbound =
		json_string_value(json_object_get(json_object_get(kept, "recipe"), "outbound"));
	struct side *side = xcalloc(1, sizeof(*side));
	size_t i, j;

	side->out = out;
	side->blocks = !out || (outbound && !strcmp(outbound, outbound_name[PC_OUTBOUND_ENFORCE]));
	json_array_foreach (profiles, i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (report_open(service, out))
				add_service(side, name, service);
	}
	return side;
}

static void side_free(struct side *side)
{
	__u32 port;

	for (port = 0; port < PC_PORTS; port++) {
		if (!side->who[port])
			continue;
		names_free(side->who[port]);
		free(side->who[port]);
	}
	names_free(&side->names);
	free(side);
}

static bool same_names(const struct names *a, const struct names *b)
{
	size_t i;

	if (!a || !b)
		return a == b;
	/* Whom anyone includes, does not matter. */
	if (names_have(a, ANYONE) || names_have(b, ANYONE))
		return names_have(a, ANYONE) == names_have(b, ANYONE);
	for (i = 0; i < a->count; i++)
		if (!names_have(b, a->name[i]))
			return false;
	return a->count == b->count;
}

/* "trusted, cluster"; "anyone" where that says it all. */
static char *who_text(const struct names *who)
{
	return names_have(who, ANYONE) ? xstrdup(ANYONE) : names_join(who, "; ");
}

/* Ports first..last (indices of one transport) have the same before and the same after. */
static void print_range(const struct side *old, const struct side *new, __u32 first, __u32 last,
			FILE *to)
{
	const struct names *before = old->who[first], *after = new->who[first];
	__free_text char *was = before ? who_text(before) : NULL;
	__free_text char *is = after ? who_text(after) : NULL;
	const char *transport = first >> 16 == PC_TCP ? "tcp" : "udp";
	const char *way = new->out ? "out " : "", *party = new->out ? "to" : "from";
	__free_text char *range =
		first == last ?
			xasprintf("%s%u/%s", way, first & 0xffff, transport) :
			xasprintf("%s%u-%u/%s", way, first & 0xffff, last & 0xffff, transport);

	if (was && is)
		fprintf(to, "  changes %s from %s to %s (%s)\n", range, was, is,
			new->service[first]);
	else if (is)
		fprintf(to, "  %s %s %s %s (%s)\n", new->blocks ? "opens  " : "lists  ", range,
			party, is, new->service[first]);
	else
		fprintf(to, "  %s %s %s %s (%s)\n", new->blocks ? "closes " : "unlists", range,
			party, was, old->service[first]);
}

static bool same_service(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool continues(const struct side *old, const struct side *new, __u32 first, __u32 port)
{
	return port < PC_PORTS && port >> 16 == first >> 16 &&
	       same_names(old->who[first], old->who[port]) &&
	       same_names(new->who[first], new->who[port]) &&
	       same_service(old->service[first], old->service[port]) &&
	       same_service(new->service[first], new->service[port]);
}

static size_t print_ports(const json_t *before, const json_t *after, bool out, FILE *to)
{
	struct side *old = side_make(before, out), *new = side_make(after, out);
	size_t printed = 0;
	__u32 first, next;

	for (first = 0; first < PC_PORTS; first = next) {
		next = first + 1;
		if (same_names(old->who[first], new->who[first]))
			continue;
		while (continues(old, new, first, next))
			next++;
		print_range(old, new, first, next - 1, to);
		printed++;
	}
	side_free(old);
	side_free(new);
	return printed;
}

/* Groups of both whose prefixes are not the same any more. */
static size_t print_groups(const json_t *before, const json_t *after, FILE *to)
{
	const json_t *old = json_object_get(json_object_get(before, "recipe"), "groups");
	const json_t *new = json_object_get(json_object_get(after, "recipe"), "groups"), *list;
	const char *name;
	size_t printed = 0;

	json_object_foreach ((json_t *)new, name, list) {
		const json_t *was = json_object_get(old, name);

		if (!was || json_equal(was, list))
			continue;
		fprintf(to, "  changes group %s: %zu prefixes before, %zu after\n", name,
			json_array_size(was), json_array_size(list));
		printed++;
	}
	return printed;
}

static void list_protocols(const json_t *kept, struct names *names)
{
	const json_t *profile, *protocol;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "protocols"), j, protocol)
			names_add_once(names, json_string_value(protocol));
}

static size_t print_missing(const char *word, const struct names *of, const struct names *in,
			    FILE *to)
{
	size_t printed = 0, i;

	for (i = 0; i < of->count; i++) {
		if (names_have(in, of->name[i]))
			continue;
		fprintf(to, "  %s IP protocol %s\n", word, of->name[i]);
		printed++;
	}
	return printed;
}

static size_t print_protocols(const json_t *before, const json_t *after, FILE *to)
{
	struct names old = {}, new = {};
	size_t printed;

	list_protocols(before, &old);
	list_protocols(after, &new);
	printed =
		print_missing("opens  ", &new, &old, to) + print_missing("closes ", &old, &new, to);
	names_free(&old);
	names_free(&new);
	return printed;
}

/* A setting of a recipe as text; the caller frees. An older recipe has not all of them. */
static char *setting_text(const json_t *recipe, const char *key)
{
	const json_t *value = json_object_get(recipe, key);

	if (!strcmp(key, "forward"))
		return xstrdup(json_is_true(value) ? "yes" : "no");
	if (!strcmp(key, "outbound"))
		return xstrdup(json_is_string(value) ? json_string_value(value) :
						       outbound_name[PC_OUTBOUND_TRACK]);
	if (!strcmp(key, "echo_limit") && json_is_integer(value) && !json_integer_value(value))
		return xstrdup("none");
	if (!strcmp(key, "echo_limit"))
		return xasprintf("%lld", json_is_integer(value) ?
						 (long long)json_integer_value(value) :
						 ECHO_LIMIT_DEFAULT);
	return xstrdup(json_is_string(value) ? json_string_value(value) : "");
}

/* Nothing is said of what was attached to nothing before. */
static size_t print_settings(const json_t *before, const json_t *after, FILE *to)
{
	static const struct {
		const char *key, *name;
	} setting[] = {
		{"policy", "the policy"},
		{"outbound", "outbound"},
		{"forward", "forward"},
		{"echo_limit", "the echo limit"},
	};
	const json_t *old = json_object_get(before, "recipe");
	const json_t *new = json_object_get(after, "recipe");
	size_t printed = 0, i;

	for (i = 0; old && new &&i < ARRAY_SIZE(setting); i++) {
		__free_text char *was = setting_text(old, setting[i].key);
		__free_text char *is = setting_text(new, setting[i].key);

		if (!strcmp(was, is))
			continue;
		fprintf(to, "  changes %s from %s to %s\n", setting[i].name, was, is);
		printed++;
	}
	return printed;
}

size_t difference_print(const json_t *before, const json_t *after, FILE *to)
{
	size_t printed = print_ports(before, after, false, to);

	printed += print_ports(before, after, true, to);
	printed += print_protocols(before, after, to);
	printed += print_groups(before, after, to);
	printed += print_settings(before, after, to);
	if (!printed)
		fputs("  no port opens or closes\n", to);
	return printed;
}
