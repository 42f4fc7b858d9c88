// SPDX-License-Identifier: GPL-2.0
/* Applies the words of a recipe (--enable, --disable, --set, --from, --limit) to the overlays. */
#include "loader/recipe/overlay_apply.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/overlay.h"

/* The end of a message about a port that cannot be set. */
#define OPENS_MORE "; --open PORT/PROTO opens any other port ('open:' in the site file)"

/*
 * The end of a message: "; did you mean 'imap'?", or, if no name is similar, how to list the names
 * of `profile` (unless NULL); the caller frees.
 */
static char *did_you_mean(const char *word, const struct names *names, const char *profile)
{
	const char *near = nearest_name(word, names);

	if (near)
		return xasprintf("; did you mean '%s'?", near);
	return profile ? xasprintf("; to list them: portcullis show %s", profile) : xstrdup("");
}

/* --- finding the object of an option --- */

static const struct profile *find_profile(struct overlays *overlays, const char *name,
					  const struct place *place)
{
	const struct profile *profile = overlays_profile(overlays, name);
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	if (profile)
		return profile;
	if (!strcmp(name, PROFILE_SITE)) {
		diag_error_fix(overlays->diag, place, "--open PORT/PROTO",
			       "no port is opened beside the profiles, so '" PROFILE_SITE
			       "' has no service");
		return NULL;
	}
	for (size_t i = 0; i < overlays->profiles; i++)
		names_add(&known, overlays->profile[i]->name);
	hint = did_you_mean(name, &known, NULL);
	diag_error(overlays->diag, place, "no chosen profile is named '%s'%s", name, hint);
	return NULL;
}

static struct overlay *find_service(struct overlays *overlays, const char *profile_name,
				    const char *name, const struct place *place)
{
	const struct profile *profile = find_profile(overlays, profile_name, place);
	struct overlay *overlay = profile ? overlays_service(overlays, profile, name) : NULL;
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	if (overlay && strcmp(overlay->service->name, name))
		diag_warning(overlays->diag, place, "%s:%s is now named %s:%s", profile_name, name,
			     profile_name, overlay->service->name);
	if (!profile || overlay)
		return overlay;
	for (size_t i = 0; i < profile->services; i++)
		names_add(&known, profile->service[i].name);
	if (profile == overlays->site) {
		hint = names_join(&known, ", ");
		diag_error_fix(overlays->diag, place, "--open PORT/PROTO",
			       "%s has no service '%s': the open ports are %s", profile_name, name,
			       hint);
		return NULL;
	}
	hint = did_you_mean(name, &known, profile_name);
	diag_error(overlays->diag, place, "%s has no service '%s'%s%s", profile_name, name, hint,
		   !strcmp(place->file, "--set") && !nearest_name(name, &known) ? OPENS_MORE : "");
	return NULL;
}

/* --- the words of the recipe --- */

static bool enable_in(struct overlays *overlays, const struct profile *profile, const char *feature,
		      const struct place *place)
{
	const char *name = overlay_feature_name(profile, feature);

	__free_text char *full = NULL;

	if (!name)
		return false;
	full = xasprintf("%s:%s", profile->name, name);
	names_add_once(&overlays->features, full);
	if (strcmp(name, feature))
		diag_warning(overlays->diag, place, "the feature %s:%s is now named %s:%s",
			     profile->name, feature, profile->name, name);
	for (size_t i = 0; i < overlays->count; i++) {
		struct overlay *overlay = &overlays->overlay[i];

		if (overlay->profile == profile && overlay->service->feature &&
		    !strcmp(overlay->service->feature, name))
			overlay->enabled = true;
	}
	return true;
}

/* `only`: the profile in the option, or NULL. */
static void say_no_feature(struct overlays *overlays, const struct profile *only,
			   const char *feature, const struct place *place)
{
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	for (size_t i = 0; i < overlays->count; i++) {
		const struct overlay *overlay = &overlays->overlay[i];

		if (overlay->service->feature && (!only || overlay->profile == only))
			names_add_once(&known, overlay->service->feature);
	}
	hint = did_you_mean(feature, &known,
			    !only		   ? "PROFILE" :
			    only == overlays->site ? NULL :
						     only->name);
	if (only)
		diag_error(overlays->diag, place, "%s has no feature '%s'%s", only->name, feature,
			   hint);
	else
		diag_error(overlays->diag, place, "no chosen profile has the feature '%s'%s",
			   feature, hint);
}

static void apply_feature(struct overlays *overlays, const char *word)
{
	const struct place place = {.file = "--enable"};
	const struct profile *only = NULL;
	__free_text char *name = NULL;
	const char *feature = overlay_cut_feature(word, &name);
	bool found = false;

	if (name) {
		only = find_profile(overlays, name, &place);
		if (!only)
			return;
	}
	for (size_t i = 0; i < overlays->profiles; i++) {
		if (!only || overlays->profile[i] == only)
			found |= enable_in(overlays, overlays->profile[i], feature, &place);
	}
	if (!found)
		say_no_feature(overlays, only, feature, &place);
}

static void apply_disable(struct overlays *overlays, const char *word)
{
	const struct place place = {.file = "--disable"};
	const char *colon = strchrnul(word, ':');
	__free_text char *profile = xstrndup(word, (size_t)(colon - word));
	struct overlay *overlay = find_service(overlays, profile, *colon ? colon + 1 : "", &place);

	if (overlay)
		overlay->disabled = true;
}

static bool has_in(const struct service *service)
{
	return service->in.count || service->dynamic;
}

static char *ports_text(const struct ports *ports, const struct ports *more)
{
	__cleanup(names_free) struct names items = {0};
	__cleanup(ports_free) struct ports all = {0};

	ports_copy(&all, ports);
	if (more)
		ports_copy(&all, more);
	ports_strings(&all, &items);
	return names_join(&items, ", ");
}

/* True if --set may name this direction of the service. */
static bool may_set(struct overlays *overlays, const struct override_set *set,
		    const struct service *service, const struct place *place)
{
	__free_text char *ports = ports_text(&service->in, &service->out);

	if (!strcmp(set->profile, PROFILE_SITE))
		diag_error(overlays->diag, place,
			   "%s:%s is named by its port, which cannot be set" OPENS_MORE,
			   set->profile, service->name);
	else if (!has_in(service) && !service->out.count)
		diag_error(overlays->diag, place,
			   "%s:%s uses no ports, so none can be set" OPENS_MORE, set->profile,
			   service->name);
	else if (service->fixed)
		diag_error(overlays->diag, place,
			   "%s:%s is fixed by the vendor (%s) and cannot be moved" OPENS_MORE,
			   set->profile, service->name, ports);
	else if (set->direction == DIRECTION_IN && !has_in(service))
		diag_error(overlays->diag, place,
			   "%s:%s has no direction in; write %s:%s:out=PORTS", set->profile,
			   service->name, set->profile, service->name);
	else if (set->direction == DIRECTION_OUT && !service->out.count)
		diag_error(overlays->diag, place,
			   "%s:%s has no direction out; write %s:%s:in=PORTS", set->profile,
			   service->name, set->profile, service->name);
	else
		return true;
	return false;
}

static void apply_set(struct overlays *overlays, const struct override_set *set)
{
	const struct place place = {.file = "--set"};
	struct overlay *overlay = find_service(overlays, set->profile, set->service, &place);

	if (!overlay || !may_set(overlays, set, overlay->service, &place))
		return;
	if (set->direction & DIRECTION_IN && has_in(overlay->service))
		overlay->in = &set->ports;
	if (set->direction & DIRECTION_OUT && overlay->service->out.count)
		overlay->out = &set->ports;
}

static __u8 transports(const struct ports *ports)
{
	__u8 mask = 0;

	for (size_t i = 0; i < ports->count; i++)
		mask |= ports->range[i].transports;
	return mask;
}

/* If `in` has no ports of a protocol, its source ports would admit no source, without a message. */
static void check_from_port(struct overlays *overlays, const struct overlay *overlay)
{
	const struct ports *from_port = &overlay->service->from_port;
	__free_text char *in = NULL, *from = NULL;

	if (!from_port->count || !(transports(overlay->in) & ~transports(from_port)))
		return;
	in = ports_text(overlay->in, NULL);
	from = ports_text(from_port, NULL);
	diag_error(overlays->diag, &(struct place){.file = "--set"},
		   "%s:%s admits source port %s only, which is of another protocol than %s",
		   overlay->profile->name, overlay->service->name, from, in);
}

/* A misspelt group would only show as a closed service, so the name must be known. */
static void check_group(struct overlays *overlays, const char *name, const struct place *place)
{
	__free_text char *hint = NULL;

	if (!overlays->group.count) {
		catalog_groups(overlays->catalog, &overlays->group);
		for (size_t i = 0; i < overlays->recipe->groups.count; i++)
			names_add_once(&overlays->group, overlays->recipe->groups.group[i].name);
		for (size_t i = 0; overlays->interface && i < overlays->interface->groups.count;
		     i++)
			names_add_once(&overlays->group, overlays->interface->groups.group[i].name);
	}
	if (names_have(&overlays->group, name))
		return;
	hint = did_you_mean(name, &overlays->group, NULL);
	diag_error(overlays->diag, place, "no such group '%s'%s%s define it with --group %s=PREFIX",
		   name, hint, *hint ? "" : ";", name);
}

static void check_groups(struct overlays *overlays, const struct names *groups,
			 const struct place *place)
{
	for (size_t i = 0; i < groups->count; i++)
		check_group(overlays, groups->name[i], place);
}

static void apply_from(struct overlays *overlays, const struct override_from *from)
{
	static const struct names anyone = {0};
	const struct place place = {.file = "--from"};
	struct overlay *overlay = find_service(overlays, from->profile, from->service, &place);

	if (!overlay)
		return;
	if (!has_in(overlay->service)) {
		diag_error(overlays->diag, &place,
			   "%s:%s listens on no port, so there are no clients to restrict",
			   from->profile, overlay->service->name);
		return;
	}
	overlay->restricted = true;
	overlay->from = &from->groups;
	if (!names_have(&from->groups, GROUP_ANYONE)) {
		check_groups(overlays, &from->groups, &place);
		return;
	}
	overlay->from = &anyone;
	if (overlay->service->local)
		diag_error(
			overlays->diag, &place,
			"%s:%s is for local use only and cannot be opened to anyone; name a group",
			from->profile, overlay->service->name);
}

static void apply_limit(struct overlays *overlays, const struct override_limit *limit)
{
	const struct place place = {.file = "--limit"};
	struct overlay *overlay = find_service(overlays, limit->profile, limit->service, &place);

	if (!overlay)
		return;
	if (!has_in(overlay->service)) {
		diag_error(overlays->diag, &place,
			   "%s:%s listens on no port, so there are no clients to limit",
			   limit->profile, overlay->service->name);
		return;
	}
	overlay->limit = &limit->limit;
	check_groups(overlays, &limit->limit.except, &place);
}

void overlays_apply(struct overlays *overlays)
{
	const struct recipe *recipe = overlays->recipe;

	for (size_t i = 0; i < recipe->opens.count; i++)
		check_groups(overlays, &recipe->opens.port[i].groups,
			     &(struct place){.file = "--open"});
	for (size_t i = 0; i < recipe->features.count; i++)
		apply_feature(overlays, recipe->features.name[i]);
	for (size_t i = 0; i < recipe->disabled.count; i++)
		apply_disable(overlays, recipe->disabled.name[i]);
	for (size_t i = 0; i < recipe->sets; i++)
		apply_set(overlays, &recipe->set[i]);
	for (size_t i = 0; i < recipe->froms; i++)
		apply_from(overlays, &recipe->from[i]);
	for (size_t i = 0; i < recipe->limits; i++)
		apply_limit(overlays, &recipe->limit[i]);
	for (size_t i = 0; i < overlays->count; i++)
		check_from_port(overlays, &overlays->overlay[i]);
}
