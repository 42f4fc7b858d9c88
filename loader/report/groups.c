// SPDX-License-Identifier: GPL-2.0
/* Lists groups: their prefixes, the origin of each, and the services that they open. */
#include "loader/report/groups.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/dns_answer.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/limit.h"
#include "loader/recipe/recipe_json.h"
#include "loader/report/bans.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

static json_t *find_group(json_t *groups, const char *name)
{
	json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (!strcmp(json_string_value(json_object_get(group, "name")), name))
			return group;
	group = json_pack("{s:s, s:[], s:[], s:[], s:b, s:b, s:[]}", "name", name, "members",
			  "names", "services", "deny", false, "never_ban", false, "except");
	json_array_append_new(groups, group);
	return group;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* The prefix of a group's name in the list: "eth0:" of an interface, "eth0:mail:" of a machine, ""
 * of the file. */
struct origin {
	const struct site *site;
	const char *scope;
	const json_t *dns; /* names of hosts in the recipe: recipe_dns_json */
};

/* The origin of one prefix. */
struct source {
	const char *origin; /* "site", "file", "dns", "option" */
	const char *what;   /* the name of a host, or the path of a file; NULL: neither */
	__u64 since;	    /* seconds since 1970; 0: unknown */
};

/* The names of hosts in a group, with their answers. */
struct known {
	const json_t *names, *fixed; /* NULL: the group has no names */
	struct dns_answer *answer;   /* an answer for each name */
	json_t *is_fixed;
};

static struct known known_names(const json_t *group)
{
	struct known known = {.names = json_object_get(group, "names"),
			      .fixed = json_object_get(group, "fixed")};
	const json_t *item;
	size_t i;

	known.answer = xcalloc(json_array_size(known.names), sizeof(*known.answer));
	known.is_fixed = json_object();
	json_array_foreach (known.names, i, item)
		dns_answer_read(json_string_value(item), &known.answer[i]);
	json_array_foreach (known.fixed, i, item)
		json_object_set_new(known.is_fixed, json_string_value(item), json_true());
	return known;
}

static void known_free(struct known *known)
{
	for (size_t i = 0; i < json_array_size(known->names); i++)
		dns_answer_free(&known->answer[i]);
	free(known->answer);
	json_decref(known->is_fixed);
}

static bool find_name(const struct known *known, const struct prefix *prefix, const char *text,
		      struct source *source)
{
	if (!known->names || json_object_get(known->is_fixed, text))
		return false;
	*source = (struct source){.origin = "dns"};
	for (size_t i = 0; i < json_array_size(known->names); i++) {
		const struct dns_answer *answer = &known->answer[i];

		if (!answer->prefixes ||
		    !bsearch(prefix, answer->prefix, answer->prefixes, sizeof(*prefix), compare))
			continue;
		source->what = json_string_value(json_array_get(known->names, i));
		source->since = answer->since;
		break;
	}
	return true;
}

/* The file of a group if it is only one, and when the last of its files changed. */
static void find_file(const struct group *group, struct source *source)
{
	struct stat st;

	source->origin = "file";
	source->what = group->file.count == 1 ? group->file.name[0] : NULL;
	for (size_t i = 0; i < group->file.count; i++)
		if (!stat(group->file.name[i], &st) && st.st_mtim.tv_sec > 0 &&
		    (__u64)st.st_mtim.tv_sec > source->since)
			source->since = (__u64)st.st_mtim.tv_sec;
}

/* The group of the site file, or NULL. `source`: the origin of its prefixes. */
static const struct group *site_source(const struct origin *from, const char *name,
				       struct source *source)
{
	__free_text char *scoped = xasprintf("%s%s", from->scope, name);
	const struct group *group = site_group(from->site, scoped);

	if (!group)
		group = groups_find(&from->site->groups, name);
	*source = (struct source){.origin = "site"};
	if (group && group->file.count)
		find_file(group, source);
	return group;
}

/* "option": the prefix is neither in the site file nor in an answer. */
static struct source source_of(const char *text, const struct known *known,
			       const struct group *group, const struct source *site)
{
	struct source source = {.origin = "option"};
	__free_text char *why = NULL;
	struct prefix prefix;

	if (prefix_parse(text, &prefix, &why) || find_name(known, &prefix, text, &source) ||
	    !group || !bsearch(&prefix, group->prefix, group->prefixes, sizeof(prefix), compare))
		return source;
	return *site;
}

static json_t *time_json(__u64 seconds)
{
	char text[TIME_TEXT];

	return seconds ? json_string(report_time(seconds * 1000000000, text)) : json_null();
}

static void add_names(json_t *group, const struct known *known)
{
	json_t *names = json_object_get(group, "names");
	const json_t *item, *other;
	size_t i, j;

	json_array_foreach (known->names, i, item) {
		const struct dns_answer *answer = &known->answer[i];
		bool is_there = false;

		json_array_foreach (names, j, other)
			is_there |= json_equal(json_object_get(other, "name"), item);
		if (is_there)
			continue;
		json_array_append_new(
			names,
			json_pack("{s:O, s:i, s:o, s:o, s:o, s:o, s:s?}", "name", item, "addresses",
				  (int)answer->prefixes, "since", time_json(answer->since), "asked",
				  time_json(answer->asked), "due", time_json(answer->due), "failed",
				  time_json(answer->failed), "error", answer->error));
	}
}

/* A group may have 100,000 prefixes, so prefixes that are already listed are found by their
 * text. */
static void add_members(json_t *group, const char *name, const json_t *prefixes,
			const struct origin *from)
{
	__cleanup(known_free) struct known known = known_names(json_object_get(from->dns, name));
	json_t *members = json_object_get(group, "members"), *seen = json_object();
	const json_t *member, *prefix;
	struct source site;
	const struct group *file = site_source(from, name, &site);
	size_t i;

	add_names(group, &known);

	json_array_foreach (members, i, member)
		json_object_set_new(seen, json_string_value(json_object_get(member, "prefix")),
				    json_true());
	json_array_foreach (prefixes, i, prefix) {
		const char *text = json_string_value(prefix);
		struct source source;

		if (!text || json_object_get(seen, text))
			continue;
		source = source_of(text, &known, file, &site);
		json_array_append_new(members,
				      json_pack("{s:s, s:s, s:o, s:o, s:n, s:n, s:n}", "prefix",
						text, "origin", source.origin, "source",
						text_json(source.what), "since",
						time_json(source.since), "until", "by", "comment"));
	}
	json_decref(seen);
}

/* The open services of a kept text that admit a group, or may send to it. */
static void add_services(json_t *group, const char *name, const json_t *kept)
{
	json_t *services = json_object_get(group, "services");
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile) {
		json_array_foreach (json_object_get(profile, "services"), j, service) {
			__free_text char *full = NULL;

			if (!(service_open(service, false) &&
			      json_list_has(json_object_get(service, "from"), name)) &&
			    !(service_open(service, true) &&
			      json_list_has(json_object_get(service, "to"), name)))
				continue;
			full = xasprintf("%s:%s",
					 json_string_value(json_object_get(profile, "name")),
					 json_string_value(json_object_get(service, "name")));
			if (!json_list_has(services, full))
				json_array_append_new(services, json_string(full));
		}
	}
}

/* The services whose limit a recipe lifts for the group. */
static void add_except(json_t *group, const char *name, const json_t *recipe)
{
	json_t *services = json_object_get(group, "except");
	const json_t *limits = json_object_get(json_object_get(recipe, "overrides"), "limit");
	const json_t *item;
	size_t i;

	json_array_foreach (limits, i, item) {
		const char *text = json_string_value(item), *rate = text ? strchr(text, '=') : NULL;
		__cleanup(limit_free) struct limit limit = {};
		__free_text char *why = NULL, *service = NULL;

		if (!rate || limit_parse(rate + 1, &limit, &why) ||
		    !names_have(&limit.except, name))
			continue;
		service = xstrndup(text, (size_t)(rate - text));
		if (!json_list_has(services, service))
			json_array_append_new(services, json_string(service));
	}
}

/* The part of a group in bans and limits. */
static void add_roles(json_t *group, const char *name, const json_t *recipe)
{
	static const char *const roles[] = {"deny", "never_ban"};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (json_list_has(json_object_get(recipe, roles[i]), name))
			json_object_set_new(group, roles[i], json_true());
	add_except(group, name, recipe);
}

/* A machine's own group has the machine's name in front: "eth0:mail:trusted". */
static void add_machine(json_t *groups, const json_t *kept, size_t at, const char *interface,
			const struct site *site)
{
	__free_text char *scope = xasprintf("%s:%s:", interface, kept_machine_name(kept, at));
	const json_t *words =
		json_array_get(json_object_get(json_object_get(kept, "recipe"), "machines"), at);
	json_t *own = json_object_get(json_object_get(words, "recipe"), "groups"), *prefixes;
	const json_t *dns = json_object_get(json_object_get(words, "recipe"), "dns");
	json_t *machine = kept_machine(kept, at);
	json_t *all = json_object_get(json_object_get(machine, "recipe"), "groups");
	const char *name;

	json_object_foreach (all, name, prefixes) {
		bool is_own = json_object_get(own, name);
		__free_text char *shown = xasprintf("%s%s", is_own ? scope : "", name);
		json_t *group = find_group(groups, shown);

		if (is_own)
			add_members(group, name, prefixes, &(struct origin){site, scope, dns});
		add_services(group, name, machine);
		add_except(group, name, json_object_get(machine, "recipe"));
	}
	json_decref(machine);
}

void report_groups_add(json_t *groups, const json_t *kept, const char *interface,
		       const struct site *site)
{
	const json_t *recipe = json_object_get(kept, "recipe");
	__free_text char *scope = xasprintf("%s:", interface);
	const json_t *dns = json_object_get(recipe, "dns");
	json_t *prefixes;
	const char *name;

	json_object_foreach (json_object_get(recipe, "groups"), name, prefixes) {
		json_t *group = find_group(groups, name);

		add_members(group, name, prefixes, &(struct origin){site, scope, dns});
		add_services(group, name, kept);
		add_roles(group, name, recipe);
	}
	for (size_t i = 0; i < kept_machines(kept); i++)
		add_machine(groups, kept, i, interface, site);
}

static size_t admitted(const json_t *kept, const char *name)
{
	const json_t *profile, *service;
	size_t count = 0, i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			count += service_open(service, false) &&
				 json_list_has(json_object_get(service, "from"), name);
	return count;
}

size_t report_groups_admitted(const json_t *kept, const char *name)
{
	size_t count = admitted(kept, name);

	for (size_t i = 0; i < kept_machines(kept); i++) {
		json_t *machine = kept_machine(kept, i);

		count += admitted(machine, name);
		json_decref(machine);
	}
	return count;
}

void report_groups_add_site(json_t *groups, const struct site *site)
{
	json_t *dns = recipe_dns_json(&site->groups);

	for (size_t i = 0; i < site->groups.count; i++) {
		const struct group *group = &site->groups.group[i];
		json_t *json = find_group(groups, group->name), *prefixes = json_array();
		char text[PREFIX_TEXT];

		for (size_t j = 0; j < group->prefixes; j++)
			json_array_append_new(prefixes,
					      json_string(prefix_format(&group->prefix[j], text)));
		add_members(json, group->name, prefixes, &(struct origin){site, "", dns});
		json_decref(prefixes);
	}
	json_decref(dns);
}

json_t *report_grant_json(const struct ban *grant, const struct ban_clock *clock)
{
	char prefix[PREFIX_TEXT];

	return json_pack("{s:s, s:s, s:n, s:o, s:o, s:o, s:o}", "prefix",
			 prefix_format(&grant->prefix, prefix), "origin", "grant", "source",
			 "since", time_json(grant->since), "until",
			 time_json(ban_end(grant, clock)), "by",
			 text_json(*grant->by ? grant->by : NULL), "comment",
			 text_json(*grant->comment ? grant->comment : NULL));
}

void report_groups_grant(json_t *groups, const struct ban *grant, const struct ban_clock *clock)
{
	json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (!strcmp(json_string_value(json_object_get(group, "name")), grant->list))
			json_array_append_new(json_object_get(group, "members"),
					      report_grant_json(grant, clock));
}

/* "never-ban; except: p:smtp", in the words of the site file; "": it has no part in bans or limits.
 * The caller frees. */
static char *roles_text(const json_t *group)
{
	__free_text char *except = report_joined(json_object_get(group, "except"), ", ");
	bool deny = json_is_true(json_object_get(group, "deny"));
	bool never = json_is_true(json_object_get(group, "never_ban"));

	return xasprintf("%s%s%s%s%s%s", deny ? "deny" : "", deny && never ? "; " : "",
			 never ? "never-ban" : "", (deny || never) && *except ? "; " : "",
			 *except ? "except: " : "", except);
}

static void print_table(const json_t *groups, FILE *to)
{
	struct columns columns = {.count = 3,
				  .heading = {"GROUP", ">PREFIXES", "OPENS", "BANS AND LIMITS"}};
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group) {
		__free_text char *roles = roles_text(group);

		if (*roles)
			columns.count = 4;
	}
	json_array_foreach (groups, i, group) {
		__free_text char *roles = roles_text(group);
		__free_text char *services =
			report_joined(json_object_get(group, "services"), ", ");
		__free_text char *size =
			xasprintf("%zu", json_array_size(json_object_get(group, "members")));
		const char *cell[] = {json_string_value(json_object_get(group, "name")), size,
				      *services ? services : "nothing", roles};

		columns_row(&columns, TONE_PLAIN, cell);
	}
	if (json_array_size(groups))
		columns_print(&columns, to);
	else
		fputs("no group is defined\n", to);
}

/* A key's time as local time, or NULL. The caller frees. */
static char *local_time(const json_t *json, const char *key)
{
	const char *when = json_string_value(json_object_get(json, key));

	return when ? text_time(when) : NULL;
}

/* "mail.example.org: last answered TIME, due TIME; fails since TIME: why" */
static void print_name(const json_t *name, FILE *to)
{
	__free_text char *asked = local_time(name, "asked");
	__free_text char *due = local_time(name, "due");
	__free_text char *failed = local_time(name, "failed");
	const char *error = json_string_value(json_object_get(name, "error"));
	__free_text char *text =
		xasprintf("%s: %s%s%s%s%s%s%s%s", json_string_value(json_object_get(name, "name")),
			  asked ? "last answered " : "never answered", asked ?: "",
			  due ? ", due " : "", due ?: "", failed ? "; fails since " : "",
			  failed ?: "", error ? ": " : "", error ?: "");

	message_print("  dns: ", text, NULL, to);
}

/* Chooses the number of columns: those at the end are left out if no member has a value there. */
static void choose_columns(const json_t *group, struct columns *columns)
{
	const json_t *member;
	size_t i;

	json_array_foreach (json_object_get(group, "members"), i, member) {
		if (json_is_string(json_object_get(member, "since")) && columns->count < 4)
			columns->count = 4;
		if (!strcmp(json_string_value(json_object_get(member, "origin")), "grant"))
			columns->count = 7;
	}
}

static void print_group(const json_t *group, FILE *to)
{
	struct columns columns = {
		.count = 2,
		.heading = {"PREFIX", "FROM", "SOURCE", "SINCE", "UNTIL", "BY", "COMMENT"}};
	__free_text char *services = report_joined(json_object_get(group, "services"), ", ");
	__free_text char *roles = roles_text(group);
	const json_t *member;
	size_t i;

	choose_columns(group, &columns);
	fprintf(to, "%s opens %s%s%s\n", json_string_value(json_object_get(group, "name")),
		*services ? services : "nothing", *roles ? "; " : "", roles);
	json_array_foreach (json_object_get(group, "members"), i, member) {
		__free_text char *since = local_time(member, "since");
		__free_text char *until = local_time(member, "until");
		const char *origin = json_string_value(json_object_get(member, "origin"));
		bool endless = !until && !strcmp(origin, "grant");
		const char *cell[] = {
			json_string_value(json_object_get(member, "prefix")),
			origin,
			json_string_value(json_object_get(member, "source")) ?: "",
			since ?: "",
			endless ? "no end" :
			until	?:
				  "",
			json_string_value(json_object_get(member, "by")) ?: "",
			json_string_value(json_object_get(member, "comment")) ?: "",
		};

		columns_row(&columns, TONE_PLAIN, cell);
	}
	if (i)
		columns_print(&columns, to);
	else
		fputs("  it has no prefix\n", to);
	json_array_foreach (json_object_get(group, "names"), i, member)
		print_name(member, to);
}

void report_groups_text(const json_t *groups, const struct names *names, FILE *to)
{
	const json_t *group;
	size_t i;

	if (!names->count) {
		print_table(groups, to);
		return;
	}
	json_array_foreach (groups, i, group)
		print_group(group, to);
}
