// SPDX-License-Identifier: GPL-2.0
/* Compares the ports and sources that two generations admit. */
#include "loader/report/difference.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/abi.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/sends.h"
#include "loader/report/difference_groups.h"
#include "loader/report/difference_machines.h"
#include "loader/report/json_forms.h"

#define ANYONE "anyone"
#define SOURCE ", source port "

#define PAGE_PORTS 256 /* ports that are skipped together if neither side lists any of them */

/* The services that a generation lists at each port of one direction. */
struct side {
	bool listed[PC_PORTS / PAGE_PORTS]; /* a service lists a port of this page */
	/* sources, "trusted", "anyone, source port 67/udp"; NULL: closed */
	struct names *who[PC_PORTS];
	/* index in `names` of the first service that opens the port */
	const char *service[PC_PORTS];
	struct names names;
	const json_t *kept;
	struct names group, text; /* groups that were looked up, and their texts */
	bool out;		  /* the direction */
	bool blocks;		  /* unlisted ports are closed; else the list only counts */
};

/* The sources or destinations of one service as texts. Source ports are only for `in`. */
static void list_parties(const json_t *service, bool out, struct names *parties)
{
	const json_t *ports = out ? NULL : json_object_get(service, "from_ports");
	__free_text char *source = report_joined(ports, ", ");
	const json_t *groups = json_object_get(service, out ? "to" : "from"), *group;
	const char *middle = *source ? SOURCE : "";
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
		side->listed[port / PAGE_PORTS] = true;
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
	service_ports(service, &ports);
	for (i = 0; i < ports.count; i++) {
		const struct port_range *range = &ports.range[i];
		/* Each port in a kept text has one protocol. */
		enum pc_transport transport = range->transports == 1 << PC_TCP ? PC_TCP : PC_UDP;

		for (n = range->first; n <= range->last; n++)
			add_port(side, PC_PORT(transport, n), &parties,
				 side->names.name[side->names.count - 1]);
	}
}

static struct side *side_make(const json_t *kept, bool out)
{
	const json_t *profiles = json_object_get(kept, "profiles"), *profile, *service;
	const json_t *recipe = json_object_get(kept, "recipe");
	const char *outbound = json_string_value(json_object_get(recipe, "outbound"));
	__free_text char *any = sends_any_text(recipe, profiles);
	struct side *side = xcalloc(1, sizeof(*side));
	size_t i, j;

	side->kept = kept;
	side->out = out;
	side->blocks =
		!out || (outbound && !any && !strcmp(outbound, outbound_name[PC_OUTBOUND_ENFORCE]));
	json_array_foreach (profiles, i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (service_open(service, out))
				add_service(side, name, service);
	}
	return side;
}

static void side_free(struct side *side)
{
	__u32 port;

	for (port = 0; port < PC_PORTS; port++) {
		if (port % PAGE_PORTS == 0 && !side->listed[port / PAGE_PORTS]) {
			port += PAGE_PORTS - 1;
			continue;
		}
		if (!side->who[port])
			continue;
		names_free(side->who[port]);
		free(side->who[port]);
	}
	names_free(&side->names);
	names_free(&side->group);
	names_free(&side->text);
	free(side);
}

static bool same_names(const struct names *a, const struct names *b)
{
	size_t i;

	if (!a || !b)
		return a == b;
	/* If anyone is admitted, other sources do not matter. */
	if (names_have(a, ANYONE) || names_have(b, ANYONE))
		return names_have(a, ANYONE) == names_have(b, ANYONE);
	for (i = 0; i < a->count; i++)
		if (!names_have(b, a->name[i]))
			return false;
	return a->count == b->count;
}

/* "trusted", "mgmt (anyone)". */
static const char *group_text(struct side *side, const char *group)
{
	__free_text char *text = NULL;
	size_t i;

	for (i = 0; i < side->group.count; i++)
		if (!strcmp(side->group.name[i], group))
			return side->text.name[i];
	text = difference_group_text(side->kept, group);
	names_add(&side->group, group);
	names_add(&side->text, text);
	return side->text.name[i];
}

/* "trusted; cluster"; only "anyone" if that includes all. The caller frees. */
static char *who_text(struct side *side, const struct names *who)
{
	__cleanup(names_free) struct names list = {};
	size_t i;

	if (names_have(who, ANYONE))
		return xstrdup(ANYONE);
	for (i = 0; i < who->count; i++) {
		const char *source = strstr(who->name[i], SOURCE);
		size_t length = source ? (size_t)(source - who->name[i]) : strlen(who->name[i]);
		__free_text char *group = xstrndup(who->name[i], length), *text = NULL;

		text = xasprintf("%s%s", group_text(side, group), source ?: "");
		names_add(&list, text);
	}
	return names_join(&list, "; ");
}

/* The callback for each line, and their number. */
struct telling {
	difference_tell *tell;
	void *context;
	size_t count;
};

__attribute__((format(printf, 4, 5))) static void tell(struct telling *telling, const char *word,
						       const char *what, const char *format, ...)
{
	__free_text char *how = NULL;
	va_list args;

	va_start(args, format);
	how = xvasprintf(format, args);
	va_end(args);
	telling->tell(telling->context, word, what, how);
	telling->count++;
}

/* Ports first..last (indices of one transport) with one state before and one state after. */
static void tell_range(struct side *old, struct side *now, __u32 first, __u32 last,
		       struct telling *telling)
{
	const struct names *before = old->who[first], *after = now->who[first];
	__free_text char *was = before ? who_text(old, before) : NULL;
	__free_text char *is = after ? who_text(now, after) : NULL;
	const char *transport = transport_name[pc_port_transport(first)];
	const char *way = now->out ? "out " : "", *party = now->out ? "to" : "from";
	__free_text char *ports =
		port_range_text(pc_port_number(first), pc_port_number(last), transport);
	__free_text char *range = xasprintf("%s%s", way, ports);

	if (was && is)
		tell(telling, "changes", range, " from %s to %s (%s)", was, is,
		     now->service[first]);
	else if (is)
		tell(telling, now->blocks ? "opens" : "counts", range, " %s %s (%s)", party, is,
		     now->service[first]);
	else
		tell(telling, now->blocks ? "closes" : "stops counting", range, " %s %s (%s)",
		     party, was, old->service[first]);
}

static bool same_service(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool continues(const struct side *old, const struct side *now, __u32 first, __u32 port)
{
	return port < PC_PORTS && pc_port_transport(port) == pc_port_transport(first) &&
	       same_names(old->who[first], old->who[port]) &&
	       same_names(now->who[first], now->who[port]) &&
	       same_service(old->service[first], old->service[port]) &&
	       same_service(now->service[first], now->service[port]);
}

static void tell_ports(const json_t *before, const json_t *after, bool out, struct telling *telling)
{
	struct side *old, *now;
	__u32 first, next;

	if (json_equal(json_object_get(before, "profiles"), json_object_get(after, "profiles")))
		return;
	old = side_make(before, out);
	now = side_make(after, out);
	for (first = 0; first < PC_PORTS; first = next) {
		if (first % PAGE_PORTS == 0 && !old->listed[first / PAGE_PORTS] &&
		    !now->listed[first / PAGE_PORTS]) {
			next = first + PAGE_PORTS;
			continue;
		}
		next = first + 1;
		if (same_names(old->who[first], now->who[first]))
			continue;
		while (continues(old, now, first, next))
			next++;
		tell_range(old, now, first, next - 1, telling);
	}
	side_free(old);
	side_free(now);
}

static void list_protocols(const json_t *kept, struct names *names)
{
	const json_t *profile, *protocol;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "protocols"), j, protocol)
			names_add_once(names, json_string_value(protocol));
}

static void tell_missing(const char *word, const struct names *of, const struct names *in,
			 struct telling *telling)
{
	size_t i;

	for (i = 0; i < of->count; i++) {
		__free_text char *protocol = xasprintf("IP protocol %s", of->name[i]);

		if (!names_have(in, of->name[i]))
			tell(telling, word, protocol, "%s", "");
	}
}

static void tell_protocols(const json_t *before, const json_t *after, struct telling *telling)
{
	struct names old = {}, now = {};

	list_protocols(before, &old);
	list_protocols(after, &now);
	tell_missing("opens", &now, &old, telling);
	tell_missing("closes", &old, &now, telling);
	names_free(&old);
	names_free(&now);
}

/* "track", "enforce", "enforce (everything may go out: outbound any of communigate-pro)". */
static char *outbound_text(const json_t *kept)
{
	const json_t *recipe = json_object_get(kept, "recipe");
	const json_t *value = json_object_get(recipe, "outbound");
	__free_text char *any = sends_any_text(recipe, json_object_get(kept, "profiles"));

	if (any)
		return xasprintf("%s (everything may go out: outbound any of %s)",
				 json_string_value(value), any);
	return xstrdup(json_is_string(value) ? json_string_value(value) :
					       outbound_name[PC_OUTBOUND_TRACK]);
}

/* A setting of a recipe as text; the caller frees. An older recipe lacks some settings. */
static char *setting_text(const json_t *kept, const char *key)
{
	const json_t *value = json_object_get(json_object_get(kept, "recipe"), key);

	if (!strcmp(key, "forward"))
		return xstrdup(json_is_true(value) ? "yes" : "no");
	if (!strcmp(key, "outbound"))
		return outbound_text(kept);
	if (!strcmp(key, "echo_limit") && json_is_integer(value) && !json_integer_value(value))
		return xstrdup("none");
	if (!strcmp(key, "echo_limit"))
		return xasprintf("%lld", json_is_integer(value) ?
						 (long long)json_integer_value(value) :
						 ECHO_LIMIT_DEFAULT);
	if (!strcmp(key, "deny") || !strcmp(key, "never_ban"))
		return json_array_size(value) ? report_joined(value, ", ") : xstrdup("no group");
	return xstrdup(json_is_string(value) ? json_string_value(value) : "");
}

/* For a filter that is only now attached there is nothing to compare. */
static void tell_settings(const json_t *before, const json_t *after, struct telling *telling)
{
	static const struct {
		const char *key, *name;
	} setting[] = {
		{"policy", "the policy"}, {"outbound", "outbound"},
		{"forward", "forward"},	  {"echo_limit", "the echo limit"},
		{"deny", "deny"},	  {"never_ban", "never-ban"},
	};
	const json_t *old = json_object_get(before, "recipe");
	const json_t *now = json_object_get(after, "recipe");
	size_t i;

	for (i = 0; old && now && i < ARRAY_SIZE(setting); i++) {
		__free_text char *was = setting_text(before, setting[i].key);
		__free_text char *is = setting_text(after, setting[i].key);

		if (strcmp(was, is))
			tell(telling, "changes", setting[i].name, " from %s to %s", was, is);
	}
}

/* The limits of a recipe, "PROFILE:SERVICE=RATE". NULL: it has none. */
static const json_t *limits_of(const json_t *kept)
{
	const json_t *recipe = json_object_get(kept, "recipe");

	return json_object_get(json_object_get(recipe, "overrides"), "limit");
}

/* The rate of a service in a list of limits, or NULL. `length`: that of the name before '='. */
static const char *rate_in(const json_t *limits, const char *service, size_t length)
{
	const json_t *one;
	size_t i;

	json_array_foreach (limits, i, one) {
		const char *text = json_string_value(one);

		if (!strncmp(text, service, length) && text[length] == '=')
			return text + length + 1;
	}
	return NULL;
}

/* The limits of `of` that `in` lacks, or has with another rate. `is`: `of` is the new recipe. */
static void tell_limits_of(const json_t *of, const json_t *in, bool is, struct telling *telling)
{
	const json_t *one;
	size_t i;

	json_array_foreach (of, i, one) {
		const char *text = json_string_value(one);
		size_t length = strcspn(text, "=");
		const char *rate = text + length + !!text[length];
		const char *other = rate_in(in, text, length);
		__free_text char *what = xasprintf("the limit of %.*s", (int)length, text);

		if (!is && !other)
			tell(telling, "changes", what, " from %s to none", rate);
		else if (is && (!other || strcmp(rate, other) != 0))
			tell(telling, "changes", what, " from %s to %s", other ?: "none", rate);
	}
}

/* For a filter that is only now attached there is nothing to compare. */
static void tell_limits(const json_t *before, const json_t *after, struct telling *telling)
{
	if (!json_object_get(before, "recipe") || !json_object_get(after, "recipe"))
		return;
	tell_limits_of(limits_of(after), limits_of(before), true, telling);
	tell_limits_of(limits_of(before), limits_of(after), false, telling);
}

size_t difference_own(const json_t *before, const json_t *after, difference_tell *to, void *context)
{
	struct telling telling = {.tell = to, .context = context};

	tell_ports(before, after, false, &telling);
	tell_ports(before, after, true, &telling);
	tell_protocols(before, after, &telling);
	telling.count += difference_groups(before, after, to, context);
	tell_settings(before, after, &telling);
	tell_limits(before, after, &telling);
	return telling.count;
}

/* --- machines --- */

struct of_machine {
	struct telling *telling;
	const struct machine_pair *pair;
};

/*
 * A setting or an unused group that a machine takes from its interface is reported once, for the
 * interface.
 */
static bool is_inherited(const struct machine_pair *pair, const char *what)
{
	if (!strncmp(what, "group ", 6))
		return !json_object_get(pair->groups, what + 6) &&
		       !json_object_get(pair->old_groups, what + 6);
	return (!strcmp(what, "the policy") && !pair->own_policy) ||
	       (!strcmp(what, "outbound") && !pair->own_outbound);
}

static void tell_of_machine(void *context, const char *word, const char *what, const char *how)
{
	const struct of_machine *machine = context;
	__free_text char *named = xasprintf("%s: %s", machine->pair->name, what);

	if (!strcmp(word, "changes") && is_inherited(machine->pair, what))
		return;
	tell(machine->telling, word, named, "%s", how);
}

static void tell_machine(void *context, const struct machine_pair *pair)
{
	struct telling *telling = context;
	struct of_machine machine = {telling, pair};
	__free_text char *what = xasprintf("machine %s", pair->name);

	if (!pair->was)
		tell(telling, "adds", what, " at %s", pair->is);
	else if (!pair->is)
		tell(telling, "removes", what, " at %s", pair->was);
	else if (strcmp(pair->was, pair->is))
		tell(telling, "changes", what, " from %s to %s", pair->was, pair->is);
	difference_own(pair->before, pair->after, tell_of_machine, &machine);
}

size_t difference_each(const json_t *before, const json_t *after, difference_tell *to,
		       void *context)
{
	struct telling telling = {.tell = to, .context = context};

	telling.count = difference_own(before, after, to, context);
	difference_machines(before, after, tell_machine, &telling);
	return telling.count;
}

static void print_line(void *context, const char *word, const char *what, const char *how)
{
	__free_text char *line = xasprintf("%-7s %s%s", word, what, how);

	message_print("  ", line, NULL, context);
}

size_t difference_print(const json_t *before, const json_t *after, FILE *to)
{
	size_t printed = difference_each(before, after, print_line, to);

	if (!printed)
		fputs("  no port opens or closes\n", to);
	return printed;
}

/* The text "opens 25/tcp, 587/tcp; closes 22/tcp" while it is made. */
struct short_text {
	FILE *to;
	char word[16]; /* the last word */
	size_t count;
};

static void add_short(void *context, const char *word, const char *what, const char *how)
{
	struct short_text *text = context;

	(void)how;
	if (text->count++ >= DIFFERENCE_SHORT)
		return;
	if (!strcmp(text->word, word))
		fprintf(text->to, ", %s", what);
	else
		fprintf(text->to, "%s%s %s", *text->word ? "; " : "", word, what);
	snprintf(text->word, sizeof(text->word), "%s", word);
}

char *difference_short(const json_t *before, const json_t *after)
{
	struct short_text text = {};
	char *whole = NULL;
	size_t length;

	text.to = open_memstream(&whole, &length);
	if (!text.to)
		return NULL;
	difference_each(before, after, add_short, &text);
	if (text.count > DIFFERENCE_SHORT)
		fprintf(text.to, "; and %zu more", text.count - DIFFERENCE_SHORT);
	if (fclose(text.to) || !length) {
		free(whole);
		return NULL;
	}
	return whole;
}
