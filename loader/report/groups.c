// SPDX-License-Identifier: GPL-2.0
/* Lists groups: their prefixes, where each is from, and what they open. */
#include "loader/report/groups.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/json_forms.h"

static json_t *find_group(json_t *groups, const char *name)
{
	json_t *group;
	size_t i;

	json_array_foreach (groups, i, group)
		if (!strcmp(json_string_value(json_object_get(group, "name")), name))
			return group;
	group = json_pack("{s:s, s:[], s:[]}", "name", name, "members", "services");
	json_array_append_new(groups, group);
	return group;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* Where groups are from: of an interface "eth0:", of a machine "eth0:mail:", of the file "". */
struct origin {
	const struct site *site;
	const char *scope;
};

/* "site", "file", or "option" where the site file does not have the prefix. */
static const char *origin_of(const struct origin *from, const char *name, const char *text)
{
	__free_text char *scoped = xasprintf("%s%s", from->scope, name);
	const struct group *group = site_group(from->site, scoped);
	__free_text char *why = NULL;
	struct prefix prefix;

	if (!group)
		group = groups_find(&from->site->groups, name);
	if (!group || prefix_parse(text, &prefix, &why) ||
	    !bsearch(&prefix, group->prefix, group->prefixes, sizeof(prefix), compare))
		return "option";
	return names_have(&from->site->group_file, scoped) ||
			       names_have(&from->site->group_file, name) ?
		       "file" :
		       "site";
}

/* A group may have 100,000 prefixes: those that are there already are looked up by their text. */
static void add_members(json_t *group, const char *name, const json_t *prefixes,
			const struct origin *from)
{
	json_t *members = json_object_get(group, "members"), *seen = json_object();
	const json_t *member, *prefix;
	size_t i;

	json_array_foreach (members, i, member)
		json_object_set_new(seen, json_string_value(json_object_get(member, "prefix")),
				    json_true());
	json_array_foreach (prefixes, i, prefix) {
		const char *text = json_string_value(prefix);

		if (!text || json_object_get(seen, text))
			continue;
		json_array_append_new(members,
				      json_pack("{s:s, s:s, s:n, s:n, s:n, s:n}", "prefix", text,
						"origin", origin_of(from, name, text), "since",
						"until", "by", "comment"));
	}
	json_decref(seen);
}

/* The open services of a kept text that a group admits, or may be sent to. */
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

/* Groups that a machine has of its own have its name in front: "eth0:mail:trusted". */
static void add_machine(json_t *groups, const json_t *kept, size_t at, const char *interface,
			const struct site *site)
{
	__free_text char *scope = xasprintf("%s:%s:", interface, kept_machine_name(kept, at));
	const json_t *words =
		json_array_get(json_object_get(json_object_get(kept, "recipe"), "machines"), at);
	json_t *own = json_object_get(json_object_get(words, "recipe"), "groups"), *prefixes;
	json_t *machine = kept_machine(kept, at);
	json_t *all = json_object_get(json_object_get(machine, "recipe"), "groups");
	const char *name;

	json_object_foreach (all, name, prefixes) {
		bool is_own = json_object_get(own, name);
		__free_text char *shown = xasprintf("%s%s", is_own ? scope : "", name);
		json_t *group = find_group(groups, shown);

		if (is_own)
			add_members(group, name, prefixes, &(struct origin){site, scope});
		add_services(group, name, machine);
	}
	json_decref(machine);
}

void report_groups_add(json_t *groups, const json_t *kept, const char *interface,
		       const struct site *site)
{
	json_t *recipe = json_object_get(json_object_get(kept, "recipe"), "groups"), *prefixes;
	__free_text char *scope = xasprintf("%s:", interface);
	const char *name;

	json_object_foreach (recipe, name, prefixes) {
		json_t *group = find_group(groups, name);

		add_members(group, name, prefixes, &(struct origin){site, scope});
		add_services(group, name, kept);
	}
	for (size_t i = 0; i < kept_machines(kept); i++)
		add_machine(groups, kept, i, interface, site);
}

void report_groups_add_site(json_t *groups, const struct site *site)
{
	for (size_t i = 0; i < site->groups.count; i++) {
		const struct group *group = &site->groups.group[i];
		json_t *json = find_group(groups, group->name), *prefixes = json_array();
		char text[PREFIX_TEXT];

		for (size_t j = 0; j < group->prefixes; j++)
			json_array_append_new(prefixes,
					      json_string(prefix_format(&group->prefix[j], text)));
		add_members(json, group->name, prefixes, &(struct origin){site, ""});
		json_decref(prefixes);
	}
}

static void print_table(const json_t *groups, FILE *to)
{
	struct columns columns = {.count = 3, .heading = {"GROUP", ">PREFIXES", "OPENS"}};
	const json_t *group;
	size_t i;

	json_array_foreach (groups, i, group) {
		__free_text char *services =
			report_joined(json_object_get(group, "services"), ", ");
		__free_text char *size =
			xasprintf("%zu", json_array_size(json_object_get(group, "members")));
		const char *cell[] = {json_string_value(json_object_get(group, "name")), size,
				      *services ? services : "nothing"};

		columns_row(&columns, TONE_PLAIN, cell);
	}
	if (json_array_size(groups))
		columns_print(&columns, to);
	else
		fputs("no group is defined\n", to);
}

static void print_group(const json_t *group, FILE *to)
{
	struct columns columns = {.count = 2, .heading = {"PREFIX", "FROM"}};
	__free_text char *services = report_joined(json_object_get(group, "services"), ", ");
	const json_t *member;
	size_t i;

	fprintf(to, "%s opens %s\n", json_string_value(json_object_get(group, "name")),
		*services ? services : "nothing");
	json_array_foreach (json_object_get(group, "members"), i, member) {
		const char *cell[] = {json_string_value(json_object_get(member, "prefix")),
				      json_string_value(json_object_get(member, "origin"))};

		columns_row(&columns, TONE_PLAIN, cell);
	}
	if (i)
		columns_print(&columns, to);
	else
		fputs("  it has no prefix\n", to);
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
