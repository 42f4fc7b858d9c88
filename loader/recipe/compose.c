// SPDX-License-Identifier: GPL-2.0
/* Puts catalog and recipe together: which services are open, for whom, and why the rest is not. */
#include "loader/recipe/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/overlay.h"
#include "loader/recipe/overlay_apply.h"

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

static bool is_defined(const struct recipe *recipe, const char *group)
{
	return !strcmp(group, GROUP_LINK_LOCAL) || groups_find(&recipe->groups, group);
}

/* True if one of these groups has members; without groups, everybody is admitted. */
static bool admits(const struct recipe *recipe, const struct names *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (is_defined(recipe, groups->name[i]))
			return true;
	}
	return !groups->count;
}

static enum why_closed why_closed(const struct recipe *recipe, const struct overlay *overlay,
				  const struct names *groups)
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
	return admits(recipe, groups) ? WHY_OPEN : WHY_GROUP;
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
	}
	if (direction & DIRECTION_OUT)
		names_copy(&composed->to, &overlay->service->to);
}

/* One object, or two where the directions differ. A service without ports stands as `in`. */
static void add_overlay(struct composition *composition, const struct overlay *overlay)
{
	enum why_closed in = why_closed(composition->recipe, overlay, overlay->from);
	enum why_closed out = why_closed(composition->recipe, overlay, &overlay->service->to);

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

/* The service's name; with its direction where the other one is not closed for the same reason. */
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

static void add_undefined(const struct recipe *recipe, const struct names *groups,
			  struct names *undefined)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (!is_defined(recipe, groups->name[i]))
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
		add_undefined(composition->recipe, &composed->from, undefined);
		add_undefined(composition->recipe, &composed->to, undefined);
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

int compose(struct catalog *catalog, const struct recipe *recipe, bool strict,
	    struct composition *composition, struct diag *diag)
{
	__cleanup(overlays_free) struct overlays overlays = {
		.catalog = catalog, .recipe = recipe, .diag = diag};
	__cleanup(composition_free) struct composition made = {.recipe = recipe};
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

void composition_free(struct composition *composition)
{
	for (size_t i = 0; i < composition->services; i++) {
		struct composed *composed = &composition->service[i];

		ports_free(&composed->ports);
		ports_free(&composed->from_port);
		names_free(&composed->from);
		names_free(&composed->to);
	}
	names_free(&composition->features);
	free(composition->service);
	free(composition->profile);
	profile_free(composition->site);
	*composition = (struct composition){0};
}
