// SPDX-License-Identifier: GPL-2.0
/* The plan of a generation: composed, compiled, and told to the administrator. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/plan.h"
#include "loader/report.h"

int plan_make(struct catalog *catalog, const struct recipe *recipe, bool strict, struct plan *plan,
	      struct diag *diag)
{
	json_t *kept;
	int err;

	*plan = (struct plan){};
	err = compose(catalog, recipe, strict, &plan->composition, diag);
	if (!err)
		err = compile(&plan->composition, &plan->tables, diag);
	if (err) {
		plan_free(plan);
		return err;
	}
	plan->profiles = composition_json(&plan->composition);
	kept = json_pack("{s:i, s:o, s:O}", "version", 1, "recipe", recipe_json(recipe), "profiles",
			 plan->profiles);
	plan->kept = json_dumps(kept, JSON_COMPACT);
	json_decref(kept);
	return 0;
}

void plan_free(struct plan *plan)
{
	composition_free(&plan->composition);
	tables_free(&plan->tables);
	json_decref(plan->profiles);
	free(plan->kept);
	*plan = (struct plan){};
}

json_t *plan_kept(const char *interface, const char *text)
{
	json_error_t where;
	json_t *kept = json_loads(text, 0, &where);

	if (kept && json_is_object(json_object_get(kept, "recipe")) &&
	    json_is_array(json_object_get(kept, "profiles")))
		return kept;
	error("%s: the recipe kept with the filter is damaged: %s; detach and attach again",
	      interface, kept ? "a part is missing" : where.text);
	json_decref(kept);
	return NULL;
}

void plan_summary(const struct plan *plan, const char *interface, const char *mode, FILE *to)
{
	const struct composition *composition = &plan->composition;
	const struct recipe *recipe = composition->recipe;
	__free_text char *profiles = names_join(&recipe->profiles, " + ");
	size_t closed[WHYS] = {}, all = 0, i;
	const char *separator = " (";

	for (i = 0; i < composition->services; i++)
		if (composition->service[i].direction & DIRECTION_IN)
			closed[composition->service[i].why]++;
	for (i = WHY_OPEN + 1; i < WHYS; i++)
		all += closed[i];
	fprintf(to, "%s: %s%s%s, %s: %zu open in, %zu closed", interface, mode ? mode : "",
		mode ? ", " : "", recipe->policy == PC_POLICY_OBSERVE ? "observe" : "enforce",
		profiles, closed[WHY_OPEN], all);
	for (i = WHY_OPEN + 1; i < WHYS; i++) {
		if (!closed[i])
			continue;
		fprintf(to, "%s%zu %s", separator, closed[i], why_closed_name[i]);
		separator = ", ";
	}
	fprintf(to, "%s\n", all ? ")" : "");
}

static bool admits_anyone(const struct composed *service, enum pc_transport transport, __u16 port)
{
	return service->why == WHY_OPEN && service->direction & DIRECTION_IN &&
	       !service->from.count && !service->from_port.count &&
	       ports_have(&service->ports, transport, port);
}

void plan_warn_open(const struct plan *plan)
{
	static const struct {
		__u16 port;
		enum pc_transport transport;
	} management[] = {
		{22, PC_TCP},	/* SSH */
		{23, PC_TCP},	/* Telnet */
		{135, PC_TCP},	/* Windows RPC */
		{161, PC_UDP},	/* SNMP */
		{445, PC_TCP},	/* SMB */
		{623, PC_UDP},	/* IPMI */
		{2375, PC_TCP}, /* Docker */
		{3389, PC_TCP}, /* RDP */
		{5900, PC_TCP}, /* VNC */
		{5985, PC_TCP}, /* WinRM */
		{5986, PC_TCP},
	};
	const struct composition *composition = &plan->composition;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(management); i++)
		for (j = 0; j < composition->services; j++) {
			const struct composed *service = &composition->service[j];

			if (!admits_anyone(service, management[i].transport, management[i].port))
				continue;
			warning("%u/%s is open to anyone by %s:%s", management[i].port,
				management[i].transport == PC_TCP ? "tcp" : "udp",
				service->profile->name, service->service->name);
			break;
		}
}

/* "25/tcp from anyone" and the service that says so. */
struct opening {
	char *what;
	char *service;
};

struct openings {
	struct opening *opening;
	size_t count;
};

static void add_openings(struct openings *openings, const char *profile, const json_t *service)
{
	__free_text char *from = report_joined(json_object_get(service, "from"), ", ");
	__free_text char *source = report_joined(json_object_get(service, "from_ports"), ", ");
	const json_t *port;
	size_t i;

	json_array_foreach (json_object_get(service, "ports"), i, port) {
		struct opening *opening;

		openings->opening = xrealloc(openings->opening, openings->count + 1,
					     sizeof(*openings->opening));
		opening = &openings->opening[openings->count++];
		opening->what =
			xasprintf("%s from %s%s%s", json_string_value(port),
				  *from ? from : "anyone", *source ? ", source port " : "", source);
		opening->service = xasprintf("%s:%s", profile,
					     json_string_value(json_object_get(service, "name")));
	}
}

/* By port number, then by text. */
static int by_what(const void *a, const void *b)
{
	const char *left = ((const struct opening *)a)->what;
	const char *right = ((const struct opening *)b)->what;
	unsigned long number = strtoul(left, NULL, 10), other = strtoul(right, NULL, 10);

	return number < other ? -1 : number > other ? 1 : strcmp(left, right);
}

static void list_openings(const json_t *profiles, struct openings *openings)
{
	const json_t *profile, *service;
	size_t i, j;

	*openings = (struct openings){};
	json_array_foreach (profiles, i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		json_array_foreach (json_object_get(profile, "services"), j, service) {
			const char *direction =
				json_string_value(json_object_get(service, "direction"));

			if (json_is_true(json_object_get(service, "open")) && direction &&
			    strcmp(direction, "out"))
				add_openings(openings, name, service);
		}
	}
	if (openings->count)
		qsort(openings->opening, openings->count, sizeof(*openings->opening), by_what);
}

static void openings_free(struct openings *openings)
{
	size_t i;

	for (i = 0; i < openings->count; i++) {
		free(openings->opening[i].what);
		free(openings->opening[i].service);
	}
	free(openings->opening);
}

/* Prints what `of` has and `in` has not. */
static size_t print_missing(const char *word, const struct openings *of, const struct openings *in,
			    FILE *to)
{
	size_t printed = 0, i;

	for (i = 0; i < of->count; i++) {
		const struct opening *opening = &of->opening[i];

		if (i && !strcmp(opening->what, of->opening[i - 1].what))
			continue;
		if (in->count &&
		    bsearch(opening, in->opening, in->count, sizeof(*in->opening), by_what))
			continue;
		fprintf(to, "  %s %s (%s)\n", word, opening->what, opening->service);
		printed++;
	}
	return printed;
}

void plan_difference(const json_t *before, const json_t *after, FILE *to)
{
	struct openings old, new;

	list_openings(before, &old);
	list_openings(after, &new);
	if (!(print_missing("opens ", &new, &old, to) + print_missing("closes", &old, &new, to)))
		fputs("  no port opens or closes\n", to);
	openings_free(&old);
	openings_free(&new);
}
