// SPDX-License-Identifier: GPL-2.0
/* The plan of a generation: composed, compiled, and told to the administrator. */
#include "loader/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/trust.h"
#include "loader/base/utf8.h"
#include "loader/management.h"
#include "loader/report.h"

/* The folders as they will be found from anywhere. One whose path is not UTF-8 cannot be kept. */
static json_t *folders_json(const struct names *folders)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < folders->count; i++) {
		__free_text char *path = realpath(folders->name[i], NULL);

		if (path)
			json_array_append_new(list, json_string(path));
	}
	return list;
}

int plan_make(struct catalog *catalog, const struct names *folders, const struct recipe *recipe,
	      bool strict, struct plan *plan, struct diag *diag)
{
	int err;

	*plan = (struct plan){};
	err = compose(catalog, recipe, strict, &plan->composition, diag);
	if (!err)
		err = compile(&plan->composition, &plan->tables, diag);
	if (err) {
		plan_free(plan);
		return err;
	}
	plan->kept = json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "recipe", recipe_json(recipe),
			       "catalog", folders_json(folders), "profiles",
			       composition_json(&plan->composition));
	plan->text = json_dumps(plan->kept, JSON_COMPACT);
	return 0;
}

void plan_free(struct plan *plan)
{
	composition_free(&plan->composition);
	tables_free(&plan->tables);
	json_decref(plan->kept);
	free(plan->text);
	*plan = (struct plan){};
}

int plan_folders(const char *interface, const json_t *kept, struct names *folders)
{
	const json_t *folder;
	size_t i;

	json_array_foreach (json_object_get(kept, "catalog"), i, folder) {
		const char *path = json_string_value(folder);
		__free_text char *why = NULL;
		int err = path ? file_trusted(path, &why) : 0;

		if (err) {
			error("%s: its profiles were read from %s too, which cannot be used any more: %s; give --fresh, or attach anew",
			      interface, path, why ? why : strerror(-err));
			return -EPERM;
		}
		if (path)
			names_add_once(folders, path);
	}
	return 0;
}

int plan_kept(const char *interface, const struct filter *filter, json_t **kept)
{
	__free_text char *text = NULL;
	int err = filter_recipe(filter, &text);

	return err ? err : plan_kept_text(interface, text, kept);
}

int plan_kept_text(const char *interface, const char *text, json_t **kept)
{
	json_error_t where;
	json_t *read = json_loads(text, 0, &where);

	if (read && json_is_object(json_object_get(read, "recipe")) &&
	    json_is_array(json_object_get(read, "profiles"))) {
		*kept = read;
		return 0;
	}
	error("%s: the recipe kept with the filter is damaged: %s; detach and attach again",
	      interface, read ? "a part is missing" : where.text);
	json_decref(read);
	return -EINVAL;
}

bool plan_same_profile(const json_t *a, const json_t *b)
{
	json_t *one = json_copy((json_t *)a), *other = json_copy((json_t *)b);
	bool same;

	json_object_del(one, "path");
	json_object_del(other, "path");
	same = json_equal(one, other);
	json_decref(one);
	json_decref(other);
	return same;
}

bool plan_same(const json_t *a, const json_t *b)
{
	const json_t *old = json_object_get(a, "profiles"), *new = json_object_get(b, "profiles");
	const json_t *profile;
	size_t i;

	if (!json_equal(json_object_get(a, "recipe"), json_object_get(b, "recipe")) ||
	    json_array_size(old) != json_array_size(new))
		return false;
	json_array_foreach (old, i, profile)
		if (!plan_same_profile(profile, json_array_get(new, i)))
			return false;
	return true;
}

static bool has_feature(const json_t *kept, const char *word)
{
	return report_list_has(json_object_get(json_object_get(kept, "recipe"), "features"), word);
}

void plan_features(const struct plan *plan, const json_t *before, FILE *to)
{
	const struct names *given = &plan->composition.recipe->features;
	const struct names *meant = &plan->composition.features;
	size_t i, j;

	for (i = 0; i < given->count; i++)
		for (j = 0; !strchr(given->name[i], ':') && !has_feature(before, given->name[i]) &&
			    j < meant->count;
		     j++)
			if (!strcmp(strchr(meant->name[j], ':') + 1, given->name[i]))
				fprintf(to, "  enables %s\n", meant->name[j]);
}

void plan_summary(const struct plan *plan, const char *interface, const char *mode, FILE *to)
{
	const struct composition *composition = &plan->composition;
	const struct recipe *recipe = composition->recipe;
	__free_text char *profiles = names_join(&recipe->profiles, " + ");
	__free_text char *name = text_printable(interface);
	size_t closed[WHYS] = {}, all = 0, i;
	const char *separator = " (";

	for (i = 0; i < composition->services; i++)
		if (composition->service[i].direction & DIRECTION_IN)
			closed[composition->service[i].why]++;
	for (i = WHY_OPEN + 1; i < WHYS; i++)
		all += closed[i];
	fprintf(to, "%s: %s%s%s, %s: %zu open in, %zu closed", name, mode ? mode : "",
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

/* Which families a service admits whole, by no group or by what its groups have together. */
static enum prefixes_cover admits_anyone(const struct recipe *recipe,
					 const struct composed *service)
{
	__cleanup(text_free) struct prefix *all = NULL;
	size_t count = 0, room = 0, i;

	if (service->from_port.count)
		return PREFIXES_NONE;
	if (!service->from.count)
		return PREFIXES_ALL;
	for (i = 0; i < service->from.count; i++) {
		const struct group *group = groups_find(&recipe->groups, service->from.name[i]);

		room += group ? group->prefixes : 0;
	}
	all = xcalloc(room, sizeof(*all));
	for (i = 0; i < service->from.count; i++) {
		const struct group *group = groups_find(&recipe->groups, service->from.name[i]);

		if (group)
			memcpy(all + count, group->prefix, group->prefixes * sizeof(*all));
		count += group ? group->prefixes : 0;
	}
	prefixes_sort(all, count);
	return prefixes_cover(all, count);
}

static void warn_open(const struct composition *composition,
		      const struct management_port *management)
{
	__cleanup(names_free) struct names services = {};
	__free_text char *list = NULL;
	int cover = PREFIXES_NONE;
	size_t i;

	for (i = 0; i < composition->services && cover != PREFIXES_ALL; i++) {
		const struct composed *service = &composition->service[i];
		__free_text char *name = NULL;
		int more;

		if (service->why != WHY_OPEN || !(service->direction & DIRECTION_IN) ||
		    !ports_have(&service->ports, management->transport, management->port))
			continue;
		more = admits_anyone(composition->recipe, service);
		if (!(more & ~cover))
			continue;
		cover |= more;
		name = xasprintf("%s:%s", service->profile->name, service->service->name);
		names_add(&services, name);
	}
	list = names_join(&services, ", ");
	if (cover)
		warning("%u/%s is open to %s by %s", management->port,
			management->transport == PC_TCP ? "tcp" : "udp", prefixes_cover_text(cover),
			list);
}

void plan_warn_open(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < MANAGEMENT_PORTS; i++)
		warn_open(&plan->composition, &management_port[i]);
}
