// SPDX-License-Identifier: GPL-2.0
/* Applies the words of a recipe (--enable, --disable, --set, --from) to the drafts. */
#include <string.h>

#include "loader/base/memory.h"
#include "loader/draft.h"

/* "; did you mean 'imap'?", or nothing; the caller frees. */
static char *did_you_mean(const char *word, const struct names *names)
{
	const char *near = nearest_name(word, names);

	return near ? xasprintf("; did you mean '%s'?", near) : xstrdup("");
}

/* --- finding what an option names --- */

static const struct profile *find_profile(struct drafts *drafts, const char *name,
					  const struct place *place)
{
	const struct profile *profile = drafts_profile(drafts, name);
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	if (profile)
		return profile;
	for (size_t i = 0; i < drafts->profiles; i++)
		names_add(&known, drafts->profile[i]->name);
	hint = did_you_mean(name, &known);
	diag_error(drafts->diag, place, "no chosen profile is named '%s'%s", name, hint);
	return NULL;
}

static struct draft *find_service(struct drafts *drafts, const char *profile_name, const char *name,
				  const struct place *place)
{
	const struct profile *profile = find_profile(drafts, profile_name, place);
	struct draft *draft = profile ? drafts_service(drafts, profile, name) : NULL;
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	if (draft && strcmp(draft->service->name, name))
		diag_warning(drafts->diag, place, "%s:%s is now named %s:%s", profile_name, name,
			     profile_name, draft->service->name);
	if (!profile || draft)
		return draft;
	for (size_t i = 0; i < profile->services; i++)
		names_add(&known, profile->service[i].name);
	hint = did_you_mean(name, &known);
	diag_error(drafts->diag, place, "%s has no service '%s'%s", profile_name, name, hint);
	return NULL;
}

/* --- the words of the recipe --- */

static bool enable_in(struct drafts *drafts, const struct profile *profile, const char *feature,
		      const struct place *place)
{
	const char *name = draft_feature_name(profile, feature);

	__free_text char *full = NULL;

	if (!name)
		return false;
	full = xasprintf("%s:%s", profile->name, name);
	names_add_once(&drafts->features, full);
	if (strcmp(name, feature))
		diag_warning(drafts->diag, place, "the feature %s:%s is now named %s:%s",
			     profile->name, feature, profile->name, name);
	for (size_t i = 0; i < drafts->count; i++) {
		struct draft *draft = &drafts->draft[i];

		if (draft->profile == profile && draft->service->feature &&
		    !strcmp(draft->service->feature, name))
			draft->enabled = true;
	}
	return true;
}

/* `only`: the profile that the option names, or NULL. */
static void say_no_feature(struct drafts *drafts, const struct profile *only, const char *feature,
			   const struct place *place)
{
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	for (size_t i = 0; i < drafts->count; i++) {
		const struct draft *draft = &drafts->draft[i];

		if (draft->service->feature && (!only || draft->profile == only))
			names_add_once(&known, draft->service->feature);
	}
	hint = did_you_mean(feature, &known);
	if (only)
		diag_error(drafts->diag, place, "%s has no feature '%s'%s", only->name, feature,
			   hint);
	else
		diag_error(drafts->diag, place, "no chosen profile has the feature '%s'%s", feature,
			   hint);
}

static void apply_feature(struct drafts *drafts, const char *word)
{
	const struct place place = {.file = "--enable"};
	const struct profile *only = NULL;
	__free_text char *name = NULL;
	const char *feature = draft_cut_feature(word, &name);
	bool found = false;

	if (name) {
		only = find_profile(drafts, name, &place);
		if (!only)
			return;
	}
	for (size_t i = 0; i < drafts->profiles; i++) {
		if (!only || drafts->profile[i] == only)
			found |= enable_in(drafts, drafts->profile[i], feature, &place);
	}
	if (!found)
		say_no_feature(drafts, only, feature, &place);
}

static void apply_disable(struct drafts *drafts, const char *word)
{
	const struct place place = {.file = "--disable"};
	const char *colon = strchrnul(word, ':');
	__free_text char *profile = xstrndup(word, (size_t)(colon - word));
	struct draft *draft = find_service(drafts, profile, *colon ? colon + 1 : "", &place);

	if (draft)
		draft->disabled = true;
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

/* Whether --set may name this direction of the service at all. */
static bool may_set(struct drafts *drafts, const struct override_set *set,
		    const struct service *service, const struct place *place)
{
	__free_text char *ports = ports_text(&service->in, &service->out);

	if (!has_in(service) && !service->out.count)
		diag_error(drafts->diag, place, "%s:%s uses no ports, so none can be set",
			   set->profile, service->name);
	else if (service->fixed)
		diag_error(drafts->diag, place,
			   "%s:%s is fixed by the vendor (%s) and cannot be moved", set->profile,
			   service->name, ports);
	else if (set->direction == DIRECTION_IN && !has_in(service))
		diag_error(drafts->diag, place, "%s:%s has no direction in; write %s:%s:out=PORTS",
			   set->profile, service->name, set->profile, service->name);
	else if (set->direction == DIRECTION_OUT && !service->out.count)
		diag_error(drafts->diag, place, "%s:%s has no direction out; write %s:%s:in=PORTS",
			   set->profile, service->name, set->profile, service->name);
	else
		return true;
	return false;
}

static void apply_set(struct drafts *drafts, const struct override_set *set)
{
	const struct place place = {.file = "--set"};
	struct draft *draft = find_service(drafts, set->profile, set->service, &place);

	if (!draft || !may_set(drafts, set, draft->service, &place))
		return;
	if (set->direction & DIRECTION_IN && has_in(draft->service))
		draft->in = &set->ports;
	if (set->direction & DIRECTION_OUT && draft->service->out.count)
		draft->out = &set->ports;
}

static __u8 transports(const struct ports *ports)
{
	__u8 mask = 0;

	for (size_t i = 0; i < ports->count; i++)
		mask |= ports->range[i].transports;
	return mask;
}

/* Source ports of a protocol that `in` has no more would admit nobody, without a word. */
static void check_from_port(struct drafts *drafts, const struct draft *draft)
{
	const struct ports *from_port = &draft->service->from_port;
	__free_text char *in = NULL, *from = NULL;

	if (!from_port->count || !(transports(draft->in) & ~transports(from_port)))
		return;
	in = ports_text(draft->in, NULL);
	from = ports_text(from_port, NULL);
	diag_error(drafts->diag, &(struct place){.file = "--set"},
		   "%s:%s admits only from source port %s, which has not the protocol of %s",
		   draft->profile->name, draft->service->name, from, in);
}

/* A misspelt group would only show as a closed service, so it must be known from somewhere. */
static void check_group(struct drafts *drafts, const char *name, const struct place *place)
{
	__free_text char *hint = NULL;

	if (!drafts->group.count) {
		catalog_groups(drafts->catalog, &drafts->group);
		for (size_t i = 0; i < drafts->recipe->groups.count; i++)
			names_add_once(&drafts->group, drafts->recipe->groups.group[i].name);
	}
	if (names_have(&drafts->group, name))
		return;
	hint = did_you_mean(name, &drafts->group);
	diag_error(drafts->diag, place, "no such group '%s'%s%s define it with --group %s=PREFIX",
		   name, hint, *hint ? "" : ";", name);
}

static void apply_from(struct drafts *drafts, const struct override_from *from)
{
	const struct place place = {.file = "--from"};
	struct draft *draft = find_service(drafts, from->profile, from->service, &place);

	if (!draft)
		return;
	if (!has_in(draft->service)) {
		diag_error(drafts->diag, &place,
			   "%s:%s listens on no port, so nobody can be kept from it", from->profile,
			   draft->service->name);
		return;
	}
	for (size_t i = 0; i < from->groups.count; i++)
		check_group(drafts, from->groups.name[i], &place);
	draft->from = &from->groups;
	draft->restricted = true;
}

void drafts_apply(struct drafts *drafts)
{
	const struct recipe *recipe = drafts->recipe;

	for (size_t i = 0; i < recipe->features.count; i++)
		apply_feature(drafts, recipe->features.name[i]);
	for (size_t i = 0; i < recipe->disabled.count; i++)
		apply_disable(drafts, recipe->disabled.name[i]);
	for (size_t i = 0; i < recipe->sets; i++)
		apply_set(drafts, &recipe->set[i]);
	for (size_t i = 0; i < recipe->froms; i++)
		apply_from(drafts, &recipe->from[i]);
	for (size_t i = 0; i < drafts->count; i++)
		check_from_port(drafts, &drafts->draft[i]);
}
