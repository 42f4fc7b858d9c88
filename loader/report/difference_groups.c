// SPDX-License-Identifier: GPL-2.0
/* The prefixes that are added and removed between two kept texts, service by service. */
#include "loader/report/difference_groups.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/catalog/group.h"
#include "loader/recipe/compose_json.h"
#include "loader/report/json_forms.h"

#define SHOWN 4 /* prefixes that a line shows: so many added ones, and so many removed ones */

/* A kept text, and those of its groups that were looked up: some groups are very long. */
struct side {
	const json_t *kept;
	struct groups groups;
};

/* --- prefixes --- */

static const json_t *group_json(const json_t *kept, const char *name)
{
	return json_object_get(json_object_get(json_object_get(kept, "recipe"), "groups"), name);
}

static void read_group(struct groups *groups, const char *name, const json_t *list)
{
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(names_free) struct names prefixes = {};
	const json_t *text;
	size_t i;

	if (!strcmp(name, GROUP_LINK_LOCAL))
		return;
	json_array_foreach (list, i, text)
		if (json_is_string(text))
			names_add(&prefixes, json_string_value(text));
	groups_define_list(groups, name, &prefixes, &(struct place){}, &diag);
}

static const struct group *find_group(struct side *side, const char *name)
{
	static const struct group link_local = {.prefix = (struct prefix *)group_link_local,
						.prefixes = LINK_LOCALS,
						.name = GROUP_LINK_LOCAL};
	const struct group *group = groups_find(&side->groups, name);

	if (!strcmp(name, GROUP_LINK_LOCAL))
		return &link_local;
	if (!group) {
		read_group(&side->groups, name, group_json(side->kept, name));
		group = groups_find(&side->groups, name);
	}
	return group;
}

/* Prefixes in the order of prefix_compare; set_sort removes duplicates. */
struct set {
	struct prefix *prefix;
	size_t count;
};

static void set_free(struct set *set)
{
	free(set->prefix);
}

static void set_sort(struct set *set)
{
	size_t kept = 0, i;

	if (!set->count)
		return;
	prefixes_sort(set->prefix, set->count);
	for (i = 1; i < set->count; i++)
		if (prefix_compare(&set->prefix[kept], &set->prefix[i]))
			set->prefix[++kept] = set->prefix[i];
	set->count = kept + 1;
}

static void set_make(struct side *side, const json_t *names, struct set *set)
{
	const json_t *name;
	size_t count = 0, i;

	json_array_foreach (names, i, name) {
		const struct group *group = find_group(side, json_string_value(name));

		count += group ? group->prefixes : 0;
	}
	set->prefix = xcalloc(count, sizeof(*set->prefix));
	json_array_foreach (names, i, name) {
		const struct group *group = find_group(side, json_string_value(name));

		if (!group || !group->prefixes)
			continue;
		memcpy(set->prefix + set->count, group->prefix,
		       group->prefixes * sizeof(*group->prefix));
		set->count += group->prefixes;
	}
	set_sort(set);
}

/* The prefixes that `of` has and `in` does not. */
static void set_without(const struct set *of, const struct set *in, struct set *left)
{
	size_t at = 0, i;

	left->prefix = xcalloc(of->count, sizeof(*left->prefix));
	for (i = 0; i < of->count; i++) {
		while (at < in->count && prefix_compare(&in->prefix[at], &of->prefix[i]) < 0)
			at++;
		if (at == in->count || prefix_compare(&in->prefix[at], &of->prefix[i]))
			left->prefix[left->count++] = of->prefix[i];
	}
}

/* --- texts --- */

/* "1,234,567" */
static char *number_text(size_t number)
{
	__free_text char *rest = NULL;

	if (number < 1000)
		return xasprintf("%zu", number);
	rest = number_text(number / 1000);
	return xasprintf("%s,%03zu", rest, number % 1000);
}

static void add_signed(struct names *words, const char *sign, const struct set *set)
{
	char text[PREFIX_TEXT];
	size_t i;

	/* Writes no "and 1 more" if that one prefix would fit. */
	for (i = 0; i < set->count && (i < SHOWN || set->count == SHOWN + 1); i++) {
		__free_text char *number = NULL, *word = NULL;
		bool last = i == SHOWN - 1 && set->count > SHOWN + 1;

		number = last ? number_text(set->count - SHOWN) : NULL;
		word = xasprintf("%s %s%s%s%s", sign, prefix_format(&set->prefix[i], text),
				 last ? " and " : "", last ? number : "", last ? " more" : "");
		names_add(words, word);
	}
}

static const char *anyone_text(const struct set *set)
{
	return prefixes_cover_text(prefixes_cover(set->prefix, set->count));
}

/* Reports the prefixes that only `after` has, and those that it lacks. Returns the number of
 * reports: 0 or 1. */
static size_t tell_sets(const char *what, const char *more, const struct set *before,
			const struct set *after, difference_tell *tell, void *context)
{
	__cleanup(set_free) struct set added = {}, removed = {};
	__cleanup(names_free) struct names words = {};
	__free_text char *list = NULL, *how = NULL;
	const char *was = anyone_text(before), *is = anyone_text(after);

	set_without(after, before, &added);
	set_without(before, after, &removed);
	if (!added.count && !removed.count)
		return 0;
	add_signed(&words, "+", &added);
	add_signed(&words, "-", &removed);
	list = names_join(&words, ", ");
	if (is && (!was || strcmp(is, was)))
		how = xasprintf(": %s; that is %s%s", list, is, more);
	else
		how = xasprintf(": %s%s", list, more);
	tell(context, "changes", what, how);
	return 1;
}

char *difference_group_text(const json_t *kept, const char *name)
{
	struct side side = {.kept = kept};
	const struct group *group = find_group(&side, name);
	const char *anyone = NULL;
	char *text;

	if (group)
		anyone = anyone_text(&(struct set){group->prefix, group->prefixes});
	text = anyone			 ? xasprintf("%s (%s)", name, anyone) :
	       group && !group->prefixes ? xasprintf("%s (no member)", name) :
					   xstrdup(name);
	groups_free(&side.groups);
	return text;
}

/* --- services --- */

static const json_t *find_service(const json_t *kept, const char *profile, const char *name,
				  bool out)
{
	const json_t *each, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, each) {
		const char *own = json_string_value(json_object_get(each, "name"));

		if (!own || strcmp(own, profile))
			continue;
		json_array_foreach (json_object_get(each, "services"), j, service) {
			own = json_string_value(json_object_get(service, "name"));
			if (own && !strcmp(own, name) && service_open(service, out))
				return service;
		}
	}
	return NULL;
}

/* True if two services have the same groups with the same prefixes, as most do. */
static bool same_groups(const struct side *old, const struct side *now, const json_t *before,
			const json_t *after)
{
	const json_t *name;
	size_t i;

	if (!json_equal(before, after))
		return false;
	json_array_foreach (after, i, name) {
		const char *text = json_string_value(name);
		const json_t *was = group_json(old->kept, text), *is = group_json(now->kept, text);

		if (was != is && !json_equal(was, is))
			return false;
	}
	return true;
}

/* "out 25/tcp, 587/tcp (xeams:smtp)"; the caller frees. */
static char *service_text(const json_t *service, const char *profile, bool out)
{
	__free_text char *ports = report_joined(json_object_get(service, "ports"), ", ");

	return xasprintf("%s%s (%s:%s)", out ? "out " : "", ports, profile,
			 json_string_value(json_object_get(service, "name")));
}

static size_t tell_service(struct side *old, struct side *now, const char *profile,
			   const json_t *service, bool out, difference_tell *tell, void *context)
{
	const char *key = out ? "to" : "from";
	const char *name = json_string_value(json_object_get(service, "name"));
	const json_t *was = find_service(old->kept, profile, name, out);
	const json_t *before = json_object_get(was, key), *after = json_object_get(service, key);
	__cleanup(set_free) struct set old_set = {}, now_set = {};
	__free_text char *what = NULL;

	if (!was || !json_array_size(before) || !json_array_size(after) ||
	    same_groups(old, now, before, after))
		return 0;
	set_make(old, before, &old_set);
	set_make(now, after, &now_set);
	what = service_text(service, profile, out);
	return tell_sets(what, "", &old_set, &now_set, tell, context);
}

static size_t tell_services(struct side *old, struct side *now, bool out, difference_tell *tell,
			    void *context)
{
	const json_t *profile, *service;
	size_t told = 0, i, j;

	json_array_foreach (json_object_get(now->kept, "profiles"), i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (name && service_open(service, out))
				told += tell_service(old, now, name, service, out, tell, context);
	}
	return told;
}

/* --- groups that no service has --- */

static bool is_used_by(const json_t *kept, const char *group)
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			if ((service_open(service, false) &&
			     json_list_has(json_object_get(service, "from"), group)) ||
			    (service_open(service, true) &&
			     json_list_has(json_object_get(service, "to"), group)))
				return true;
	return false;
}

/* Whether the interface uses the group, or a machine without a group of that name of its own. */
static bool is_used(const json_t *kept, const char *group)
{
	const json_t *words = json_object_get(json_object_get(kept, "recipe"), "machines"), *word;
	const json_t *machines = json_object_get(kept, "machines");
	size_t i;

	json_array_foreach (words, i, word)
		if (!json_object_get(json_object_get(json_object_get(word, "recipe"), "groups"),
				     group) &&
		    is_used_by(json_array_get(machines, i), group))
			return true;
	return is_used_by(kept, group);
}

static size_t tell_unused(struct side *old, struct side *now, difference_tell *tell, void *context)
{
	json_t *groups = json_object_get(json_object_get(now->kept, "recipe"), "groups"), *list;
	const char *name;
	size_t told = 0;

	json_object_foreach (groups, name, list) {
		const json_t *was = group_json(old->kept, name);
		__free_text char *what = xasprintf("group %s", name);
		const struct group *before, *after;

		if (!was || json_equal(was, list) || is_used(old->kept, name) ||
		    is_used(now->kept, name))
			continue;
		before = find_group(old, name);
		after = find_group(now, name);
		if (before && after)
			told += tell_sets(what, "; no open service uses it",
					  &(struct set){before->prefix, before->prefixes},
					  &(struct set){after->prefix, after->prefixes}, tell,
					  context);
	}
	return told;
}

size_t difference_groups(const json_t *before, const json_t *after, difference_tell *tell,
			 void *context)
{
	struct side old = {.kept = before}, now = {.kept = after};
	size_t told = tell_services(&old, &now, false, tell, context);

	told += tell_services(&old, &now, true, tell, context);
	told += tell_unused(&old, &now, tell, context);
	groups_free(&old.groups);
	groups_free(&now.groups);
	return told;
}
