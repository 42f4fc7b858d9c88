// SPDX-License-Identifier: GPL-2.0
/* Composes catalog and recipe: which services are open, for which sources, and why others are
 * closed. */
#include "loader/recipe/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/overlay.h"
#include "loader/recipe/overlay_apply.h"
#include "loader/recipe/recipe_json.h"

const char *const why_closed_name[WHYS] = {
	[WHY_DISABLED] = "disabled", [WHY_NO_PORTS] = "no-ports", [WHY_DYNAMIC] = "dynamic",
	[WHY_FEATURE] = "feature",   [WHY_LOCAL] = "local",	  [WHY_GROUP] = "group",
};

const char *const why_closed_text[WHYS] = {
	[WHY_DISABLED] =
		"The service was closed by --disable, or by `disable` in the site file. To open it, leave that word out.",
	[WHY_NO_PORTS] =
		"The vendor's list has the service, but it uses no port. Nothing needs to be opened. --set PROFILE:SERVICE=PORT gives it one.",
	[WHY_DYNAMIC] =
		"The product has no fixed port for this service. To open it, fix the port in the product, and name it: --set PROFILE:SERVICE=PORT, or `set` in the site file.",
	[WHY_FEATURE] =
		"The service belongs to a feature of the profile that is off. To open it: --enable FEATURE, or `enable` in the site file.",
	[WHY_LOCAL] =
		"The product uses the port on this host alone, so it is not opened to anyone. To open it to a group: --from PROFILE:SERVICE=GROUP, or `from` in the site file.",
	[WHY_GROUP] =
		"The service is for a group of sources, and none of its groups is defined. To define one: --group NAME=PREFIX, or `groups` in the site file.",
};

const struct group *composition_group(const struct composition *composition, const char *name)
{
	const struct group *own = groups_find(&composition->recipe->groups, name);

	return own || !composition->interface ? own :
						groups_find(&composition->interface->groups, name);
}

static bool is_defined(const struct composition *composition, const char *group)
{
	return !strcmp(group, GROUP_LINK_LOCAL) || composition_group(composition, group);
}

/* True if one of these groups has members; a list without groups admits every source. */
static bool admits(const struct composition *composition, const struct names *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (is_defined(composition, groups->name[i]))
			return true;
	}
	return !groups->count;
}

static enum why_closed why_closed(const struct composition *composition,
				  const struct overlay *overlay, const struct names *groups)
{
	const struct service *service = overlay->service;

	if (overlay->disabled)
		return WHY_DISABLED;
	if (!overlay->in->count && !overlay->out->count)
		return service->dynamic ? WHY_DYNAMIC : WHY_NO_PORTS;
	if (service->feature && !overlay->enabled)
		return WHY_FEATURE;
	if (service->local && !overlay->restricted)
		return WHY_LOCAL;
	return admits(composition, groups) ? WHY_OPEN : WHY_GROUP;
}

static void add_composed(struct composition *composition, const struct overlay *overlay,
			 enum direction direction, enum why_closed why)
{
	struct composed *composed;

	composition->service =
		grow(composition->service, composition->services, sizeof(*composition->service));
	composed = &composition->service[composition->services++];
	*composed = (struct composed){
		.profile = overlay->profile,
		.service = overlay->service,
		.direction = direction,
		.why = why,
	};
	ports_copy(&composed->ports, direction & DIRECTION_IN ? overlay->in : overlay->out);
	if (direction & DIRECTION_IN) {
		ports_copy(&composed->from_port, &overlay->service->from_port);
		names_copy(&composed->from, overlay->from);
		composed->limit = overlay->limit;
	}
	if (direction & DIRECTION_OUT)
		names_copy(&composed->to, &overlay->service->to);
}

/* Makes one object, or two if the directions differ. A service without ports is listed as `in`. */
static void add_overlay(struct composition *composition, const struct overlay *overlay)
{
	enum why_closed in = why_closed(composition, overlay, overlay->from);
	enum why_closed out = why_closed(composition, overlay, &overlay->service->to);

	if (!overlay->out->count) {
		add_composed(composition, overlay, DIRECTION_IN, in);
	} else if (!overlay->in->count) {
		add_composed(composition, overlay, DIRECTION_OUT, out);
	} else if (ports_equal(overlay->in, overlay->out)) {
		add_composed(composition, overlay, DIRECTION_BOTH, in ? in : out);
	} else {
		add_composed(composition, overlay, DIRECTION_IN, in);
		add_composed(composition, overlay, DIRECTION_OUT, out);
	}
}

/* The service's name; with its direction unless both directions are closed for the same reason. */
static void add_closed(const struct composition *composition, size_t at, struct names *closed)
{
	const struct composed *composed = &composition->service[at];
	const struct composed *before = at ? composed - 1 : NULL;
	const struct composed *after = at + 1 < composition->services ? composed + 1 : NULL;
	const struct composed *other = before && before->service == composed->service ? before :
				       after && after->service == composed->service   ? after :
											NULL;
	__free_text char *text = NULL;

	if (!other || other->why == composed->why) {
		names_add_once(closed, composed->service->name);
		return;
	}
	text = xasprintf("%s:%s", composed->service->name,
			 composed->direction == DIRECTION_IN ? "in" : "out");
	names_add(closed, text);
}

static void add_undefined(const struct composition *composition, const struct names *groups,
			  struct names *undefined)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (!is_defined(composition, groups->name[i]))
			names_add_once(undefined, groups->name[i]);
	}
}

static void say_closed(const struct profile *profile, const struct names *closed,
		       const struct names *undefined, bool strict, struct diag *diag)
{
	__free_text char *services = names_join(closed, ", ");
	__free_text char *groups = names_join(undefined, ", ");
	__free_text char *fix = names_join(undefined, "=PREFIX --group ");
	bool one = closed->count == 1, one_group = undefined->count == 1;
	__free_text char *text = xasprintf(
		"%s: %s %s closed: %s %s %s not defined; define %s with --group %s=PREFIX",
		profile->name, services, one ? "is" : "are", one_group ? "group" : "groups", groups,
		one_group ? "is" : "are", one_group ? "it" : "them", fix);

	if (strict)
		diag_error(diag, NULL, "%s", text);
	else
		diag_warning(diag, NULL, "%s", text);
}

void composition_wants(const struct composition *composition, const struct profile *profile,
		       struct names *closed, struct names *undefined)
{
	for (size_t i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (composed->profile != profile || composed->why != WHY_GROUP)
			continue;
		add_closed(composition, i, closed);
		add_undefined(composition, &composed->from, undefined);
		add_undefined(composition, &composed->to, undefined);
	}
}

static void warn_of_groups(const struct composition *composition, const struct profile *profile,
			   bool strict, struct diag *diag)
{
	__cleanup(names_free) struct names closed = {0}, undefined = {0};

	composition_wants(composition, profile, &closed, &undefined);
	if (closed.count)
		say_closed(profile, &closed, &undefined, strict, diag);
}

/* `interface`: recipe of the interface that a machine is behind; NULL: the recipe is an
 * interface's. */
static int compose_one(struct catalog *catalog, const struct recipe *recipe,
		       const struct recipe *interface, bool strict, struct composition *composition,
		       struct diag *diag)
{
	__cleanup(overlays_free) struct overlays overlays = {
		.catalog = catalog, .recipe = recipe, .interface = interface, .diag = diag};
	__cleanup(composition_free) struct composition made = {.recipe = recipe,
							       .interface = interface};
	size_t errors = diag->errors;

	if (overlays_start(&overlays))
		return -EINVAL;
	overlays_apply(&overlays);
	if (diag->errors != errors)
		return -EINVAL;
	made.profile = overlays.profile;
	made.profiles = overlays.profiles;
	overlays.profile = NULL;
	made.site = overlays.site;
	overlays.site = NULL;
	made.features = overlays.features;
	overlays.features = (struct names){0};
	for (size_t i = 0; i < overlays.count; i++)
		add_overlay(&made, &overlays.overlay[i]);
	for (size_t i = 0; i < made.profiles; i++)
		warn_of_groups(&made, made.profile[i], strict, diag);
	if (diag->errors != errors)
		return -EINVAL;
	*composition = made;
	made = (struct composition){0};
	return 0;
}

/* --- machines --- */

/* Passes on the errors and warnings about a machine's recipe, with its name. */
static void pass_on(const struct machine *machine, const struct diag *found, struct diag *diag)
{
	for (size_t i = 0; i < found->count; i++) {
		struct diag_entry entry = found->entry[i];
		const struct place place = {.file = entry.file,
					    .line = entry.line,
					    .column = entry.column,
					    .width = entry.width,
					    .source = entry.source,
					    .source_length =
						    entry.source ? strlen(entry.source) : 0,
					    .source_column = entry.source_column};
		__free_text char *message =
			xasprintf("machine %s: %s", machine->name, entry.message);

		/* An error in a profile's file belongs to that file. */
		if (!entry.line)
			entry.message = message;
		diag_pass_on(diag, &place, &entry);
	}
}

/* The index of the first machine whose recipe equals that of this machine, which may be this
 * one. */
static size_t find_like(const struct names *texts, size_t at)
{
	size_t like = 0;

	while (strcmp(texts->name[like], texts->name[at]))
		like++;
	return like;
}

static int compose_machines(struct catalog *catalog, const struct recipe *recipe, bool strict,
			    struct composition *composition, struct diag *diag)
{
	__cleanup(names_free) struct names texts = {0};
	int err = 0;

	if (!recipe->machines)
		return 0;
	composition->machine = xcalloc(recipe->machines, sizeof(*composition->machine));
	composition->machines_json = recipe_machines_json(recipe);
	for (size_t i = 0; i < recipe->machines; i++) {
		struct composed_machine *composed = &composition->machine[i];
		__cleanup(diag_free) struct diag found = {0};
		__free_text char *text = machine_recipe_text(
			&recipe->machine[i], json_array_get(composition->machines_json, i));

		names_add(&texts, text);
		*composed = (struct composed_machine){.machine = &recipe->machine[i],
						      .like = find_like(&texts, i)};
		composition->machines++;
		if (composed->like != i) {
			composed->composition = composition->machine[composed->like].composition;
			continue;
		}
		if (compose_one(catalog, &composed->machine->own, recipe, strict,
				&composed->composition, &found))
			err = -EINVAL;
		pass_on(composed->machine, &found, diag);
	}
	return err;
}

int compose(struct catalog *catalog, const struct recipe *recipe, bool strict,
	    struct composition *composition, struct diag *diag)
{
	__cleanup(composition_free) struct composition made = {0};

	if (compose_one(catalog, recipe, NULL, strict, &made, diag) ||
	    machines_check(recipe, NULL, diag) ||
	    compose_machines(catalog, recipe, strict, &made, diag))
		return -EINVAL;
	*composition = made;
	made = (struct composition){0};
	return 0;
}

void composition_free(struct composition *composition)
{
	for (size_t i = 0; i < composition->services; i++) {
		struct composed *composed = &composition->service[i];

		ports_free(&composed->ports);
		ports_free(&composed->from_port);
		names_free(&composed->from);
		names_free(&composed->to);
	}
	for (size_t i = 0; i < composition->machines; i++)
		if (composition->machine[i].like == i)
			composition_free(&composition->machine[i].composition);
	free(composition->machine);
	json_decref(composition->machines_json);
	names_free(&composition->features);
	free(composition->service);
	free(composition->profile);
	profile_free(composition->site);
	*composition = (struct composition){0};
}
