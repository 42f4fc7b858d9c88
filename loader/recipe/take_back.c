// SPDX-License-Identifier: GPL-2.0
/* Removes words from a recipe that earlier options gave. */
#include "loader/recipe/take_back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/machines.h"

#define SHOWN 8 /* words that an error lists */

/* Reports that `option` has no such word; `given`: the words that it has. */
static int report_missing(const char *option, const char *word, const struct names *given,
			  struct diag *diag)
{
	const struct place place = {.file = option};
	const char *near = nearest_name(word, given);
	struct names first = {.name = given->name,
			      .count = given->count < SHOWN ? given->count : SHOWN};
	__free_text char *list = names_join(&first, ", ");

	if (!given->count)
		diag_error(diag, &place,
			   "'%s' was not given before, nor any other value of this option", word);
	else if (near)
		diag_error(diag, &place, "'%s' was not given; did you mean '%s'?", word, near);
	else
		diag_error(diag, &place, "'%s' was not given; these were: %s%s", word, list,
			   given->count > SHOWN ? ", .." : "");
	return -EINVAL;
}

static bool take_name(struct names *names, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->name[i], name))
			names->name[kept++] = names->name[i];
		else
			free(names->name[i]);
	}
	if (kept == names->count)
		return false;
	names->count = kept;
	return true;
}

/* --- open ports --- */

static bool take_port(struct recipe *recipe, const struct open_port *wanted)
{
	__free_text char *service = open_port_service(wanted);
	struct open_port *port = opens_find(&recipe->opens, service);
	struct opens *opens = &recipe->opens;

	if (!port)
		return false;
	open_port_free(port);
	memmove(port, port + 1, (size_t)(opens->port + --opens->count - port) * sizeof(*port));
	recipe_forget_port(recipe, service);
	return true;
}

int recipe_no_open(struct recipe *recipe, const char *ports, struct diag *diag)
{
	const struct place place = {.file = "--no-open"};
	__cleanup(names_free) struct names services = {0}, given = {0};
	__cleanup(opens_free) struct opens wanted = {0};

	if (strchr(ports, '=')) {
		diag_error(diag, &place, "'%s': write the port without its groups", ports);
		return -EINVAL;
	}
	if (opens_add(&wanted, ports, &place, &services, diag))
		return -EINVAL;
	for (size_t i = 0; i < recipe->opens.count; i++) {
		const struct open_port port = {.range = recipe->opens.port[i].range};
		__free_text char *text = open_port_text(&port);

		names_add(&given, text);
	}
	for (size_t i = 0; i < wanted.count; i++) {
		__free_text char *text = open_port_text(&wanted.port[i]);

		if (!take_port(recipe, &wanted.port[i]))
			return report_missing(place.file, text, &given, diag);
	}
	return 0;
}

/* --- names --- */

int recipe_no_enable(struct recipe *recipe, const char *feature, struct diag *diag)
{
	if (take_name(&recipe->features, feature))
		return 0;
	return report_missing("--no-enable", feature, &recipe->features, diag);
}

int recipe_no_disable(struct recipe *recipe, const char *service, struct diag *diag)
{
	if (take_name(&recipe->disabled, service))
		return 0;
	return report_missing("--no-disable", service, &recipe->disabled, diag);
}

/* --- overrides --- */

/* "PROFILE:SERVICE", with ":in" or ":out" if the set is for one direction. */
static char *set_target(const struct override_set *set)
{
	__free_text char *text = override_set_text(set);

	return xstrndup(text, strcspn(text, "="));
}

static bool set_is(const struct override_set *set, const char *word)
{
	__free_text char *service = xasprintf("%s:%s", set->profile, set->service);
	__free_text char *target = set_target(set);

	return !strcmp(service, word) || !strcmp(target, word);
}

int recipe_no_set(struct recipe *recipe, const char *service, struct diag *diag)
{
	__cleanup(names_free) struct names given = {0};
	size_t kept = 0;

	for (size_t i = 0; i < recipe->sets; i++) {
		__free_text char *target = set_target(&recipe->set[i]);

		names_add(&given, target);
		if (set_is(&recipe->set[i], service))
			override_set_free(&recipe->set[i]);
		else
			recipe->set[kept++] = recipe->set[i];
	}
	if (kept == recipe->sets)
		return report_missing("--no-set", service, &given, diag);
	recipe->sets = kept;
	return 0;
}

int recipe_no_from(struct recipe *recipe, const char *service, struct diag *diag)
{
	__cleanup(names_free) struct names given = {0};
	size_t kept = 0;

	for (size_t i = 0; i < recipe->froms; i++) {
		struct override_from *from = &recipe->from[i];
		__free_text char *target = xasprintf("%s:%s", from->profile, from->service);

		names_add(&given, target);
		if (!strcmp(target, service))
			override_from_free(from);
		else
			recipe->from[kept++] = *from;
	}
	if (kept == recipe->froms)
		return report_missing("--no-from", service, &given, diag);
	recipe->froms = kept;
	return 0;
}

int recipe_no_limit(struct recipe *recipe, const char *service, struct diag *diag)
{
	__cleanup(names_free) struct names given = {0};
	size_t kept = 0;

	for (size_t i = 0; i < recipe->limits; i++) {
		struct override_limit *limit = &recipe->limit[i];
		__free_text char *target = xasprintf("%s:%s", limit->profile, limit->service);

		names_add(&given, target);
		if (!strcmp(target, service))
			override_limit_free(limit);
		else
			recipe->limit[kept++] = *limit;
	}
	if (kept == recipe->limits)
		return report_missing("--no-limit", service, &given, diag);
	recipe->limits = kept;
	return 0;
}

int recipe_no_group(struct recipe *recipe, const char *group, struct diag *diag)
{
	__cleanup(names_free) struct names given = {0};

	for (size_t i = 0; i < recipe->groups.count; i++)
		names_add(&given, recipe->groups.group[i].name);
	if (groups_remove(&recipe->groups, group))
		return 0;
	return report_missing("--no-group", group, &given, diag);
}

int recipe_no_machine(struct recipe *recipe, const char *name, struct diag *diag)
{
	__cleanup(names_free) struct names given = {0};

	for (size_t i = 0; i < recipe->machines; i++)
		names_add(&given, recipe->machine[i].name);
	if (machines_remove(recipe, name))
		return 0;
	return report_missing("--no-machine", name, &given, diag);
}
