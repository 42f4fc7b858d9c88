// SPDX-License-Identifier: GPL-2.0
/* Puts catalog and recipe together: which services are open, for whom, and why the rest is not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/compose.h"

const char *const why_closed_name[WHYS] = {
	[WHY_DISABLED] = "disabled", [WHY_NO_PORTS] = "no-ports", [WHY_DYNAMIC] = "dynamic",
	[WHY_FEATURE] = "feature",   [WHY_LOCAL] = "local",	  [WHY_GROUP] = "group",
};

/* A service on its way: the words of the recipe replace what the catalog says. All is borrowed. */
struct draft {
	const struct profile *profile;
	const struct service *service;
	const struct ports *in;
	const struct ports *out;
	const struct names *from;
	bool enabled;	 /* its feature is */
	bool disabled;	 /* by --disable */
	bool restricted; /* by --from */
};

struct work {
	struct catalog *catalog;
	const struct recipe *recipe;
	const struct profile **profile;
	size_t profiles;
	struct draft *draft; /* profile by profile */
	size_t drafts;
	struct names group; /* all of catalog and recipe, once somebody asks */
	struct diag *diag;
};

static void work_free(struct work *work)
{
	free(work->profile);
	free(work->draft);
	names_free(&work->group);
}

static int work_start(struct work *work)
{
	int result = catalog_resolve(work->catalog, &work->recipe->profiles, &work->profile,
				     &work->profiles, work->diag);

	if (result)
		return result;
	for (size_t i = 0; i < work->profiles; i++) {
		const struct profile *profile = work->profile[i];

		for (size_t j = 0; j < profile->services; j++) {
			const struct service *service = &profile->service[j];

			work->draft = grow(work->draft, work->drafts, sizeof(*work->draft));
			work->draft[work->drafts++] = (struct draft){
				.profile = profile,
				.service = service,
				.in = &service->in,
				.out = &service->out,
				.from = &service->from,
			};
		}
	}
	return 0;
}

/* "; did you mean 'imap'?", or nothing; the caller frees. */
static char *did_you_mean(const char *word, const struct names *names)
{
	const char *near = nearest_name(word, names);

	return near ? xasprintf("; did you mean '%s'?", near) : xstrdup("");
}

/* --- finding what an option names --- */

static const struct profile *find_profile(struct work *work, const char *name,
					  const struct place *place)
{
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	for (size_t i = 0; i < work->profiles; i++) {
		if (!strcmp(work->profile[i]->name, name))
			return work->profile[i];
		names_add(&known, work->profile[i]->name);
	}
	hint = did_you_mean(name, &known);
	diag_error(work->diag, place, "no chosen profile is named '%s'%s", name, hint);
	return NULL;
}

/* The service of that name, or the one that had it once. */
static struct draft *lookup(struct work *work, const struct profile *profile, const char *name)
{
	struct draft *former = NULL;

	for (size_t i = 0; i < work->drafts; i++) {
		struct draft *draft = &work->draft[i];

		if (draft->profile != profile)
			continue;
		if (!strcmp(draft->service->name, name))
			return draft;
		if (!former && names_have(&draft->service->formerly, name))
			former = draft;
	}
	return former;
}

static struct draft *find_service(struct work *work, const char *profile_name, const char *name,
				  const struct place *place)
{
	const struct profile *profile = find_profile(work, profile_name, place);
	struct draft *draft = profile ? lookup(work, profile, name) : NULL;
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	if (draft && strcmp(draft->service->name, name))
		diag_warning(work->diag, place, "%s:%s is now named %s:%s", profile_name, name,
			     profile_name, draft->service->name);
	if (!profile || draft)
		return draft;
	for (size_t i = 0; i < profile->services; i++)
		names_add(&known, profile->service[i].name);
	hint = did_you_mean(name, &known);
	diag_error(work->diag, place, "%s has no service '%s'%s", profile_name, name, hint);
	return NULL;
}

/* The name that `feature` has in the profile now, or NULL: today's names go before former ones. */
static const char *feature_name(const struct profile *profile, const char *feature)
{
	const char *former = NULL;

	for (size_t i = 0; i < profile->services; i++) {
		const struct service *service = &profile->service[i];

		if (!service->feature)
			continue;
		if (!strcmp(service->feature, feature))
			return service->feature;
		if (!former && names_have(&service->feature_formerly, feature))
			former = service->feature;
	}
	return former;
}

/* "FEATURE" or "PROFILE:FEATURE" cut in two; the caller frees `*profile`, NULL for the first. */
static const char *cut_feature(const char *word, char **profile)
{
	const char *colon = strchr(word, ':');

	*profile = colon ? xstrndup(word, (size_t)(colon - word)) : NULL;
	return colon ? colon + 1 : word;
}

/* --- the words of the recipe --- */

static bool enable_in(struct work *work, const struct profile *profile, const char *feature,
		      const struct place *place)
{
	const char *name = feature_name(profile, feature);

	if (!name)
		return false;
	if (strcmp(name, feature))
		diag_warning(work->diag, place, "the feature %s:%s is now named %s:%s",
			     profile->name, feature, profile->name, name);
	for (size_t i = 0; i < work->drafts; i++) {
		struct draft *draft = &work->draft[i];

		if (draft->profile == profile && draft->service->feature &&
		    !strcmp(draft->service->feature, name))
			draft->enabled = true;
	}
	return true;
}

/* `only`: the profile that the option names, or NULL. */
static void say_no_feature(struct work *work, const struct profile *only, const char *feature,
			   const struct place *place)
{
	__cleanup(names_free) struct names known = {0};
	__free_text char *hint = NULL;

	for (size_t i = 0; i < work->drafts; i++) {
		const struct draft *draft = &work->draft[i];

		if (draft->service->feature && (!only || draft->profile == only))
			names_add_once(&known, draft->service->feature);
	}
	hint = did_you_mean(feature, &known);
	if (only)
		diag_error(work->diag, place, "%s has no feature '%s'%s", only->name, feature,
			   hint);
	else
		diag_error(work->diag, place, "no chosen profile has the feature '%s'%s", feature,
			   hint);
}

static void apply_feature(struct work *work, const char *word)
{
	const struct place place = {.file = "--enable"};
	const struct profile *only = NULL;
	__free_text char *name = NULL;
	const char *feature = cut_feature(word, &name);
	bool found = false;

	if (name) {
		only = find_profile(work, name, &place);
		if (!only)
			return;
	}
	for (size_t i = 0; i < work->profiles; i++) {
		if (!only || work->profile[i] == only)
			found |= enable_in(work, work->profile[i], feature, &place);
	}
	if (!found)
		say_no_feature(work, only, feature, &place);
}

static void apply_disable(struct work *work, const char *word)
{
	const struct place place = {.file = "--disable"};
	const char *colon = strchrnul(word, ':');
	__free_text char *profile = xstrndup(word, (size_t)(colon - word));
	struct draft *draft = find_service(work, profile, *colon ? colon + 1 : "", &place);

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
static bool may_set(struct work *work, const struct override_set *set,
		    const struct service *service, const struct place *place)
{
	__free_text char *ports = ports_text(&service->in, &service->out);

	if (!has_in(service) && !service->out.count)
		diag_error(work->diag, place, "%s:%s uses no ports, so none can be set",
			   set->profile, service->name);
	else if (service->fixed)
		diag_error(work->diag, place,
			   "%s:%s is fixed by the vendor (%s) and cannot be moved", set->profile,
			   service->name, ports);
	else if (set->direction == DIRECTION_IN && !has_in(service))
		diag_error(work->diag, place, "%s:%s has no direction in; write %s:%s:out=PORTS",
			   set->profile, service->name, set->profile, service->name);
	else if (set->direction == DIRECTION_OUT && !service->out.count)
		diag_error(work->diag, place, "%s:%s has no direction out; write %s:%s:in=PORTS",
			   set->profile, service->name, set->profile, service->name);
	else
		return true;
	return false;
}

static void apply_set(struct work *work, const struct override_set *set)
{
	const struct place place = {.file = "--set"};
	struct draft *draft = find_service(work, set->profile, set->service, &place);

	if (!draft || !may_set(work, set, draft->service, &place))
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
static void check_from_port(struct work *work, const struct draft *draft)
{
	const struct ports *from_port = &draft->service->from_port;
	__free_text char *in = NULL, *from = NULL;

	if (!from_port->count || !(transports(draft->in) & ~transports(from_port)))
		return;
	in = ports_text(draft->in, NULL);
	from = ports_text(from_port, NULL);
	diag_error(work->diag, &(struct place){.file = "--set"},
		   "%s:%s admits only from source port %s, which has not the protocol of %s",
		   draft->profile->name, draft->service->name, from, in);
}

/* A misspelt group would only show as a closed service, so it must be known from somewhere. */
static void check_group(struct work *work, const char *name, const struct place *place)
{
	__free_text char *hint = NULL;

	if (!work->group.count) {
		catalog_groups(work->catalog, &work->group);
		for (size_t i = 0; i < work->recipe->groups.count; i++)
			names_add_once(&work->group, work->recipe->groups.group[i].name);
	}
	if (names_have(&work->group, name))
		return;
	hint = did_you_mean(name, &work->group);
	diag_error(work->diag, place, "no such group '%s'%s%s define it with --group %s=PREFIX",
		   name, hint, *hint ? "" : ";", name);
}

static void apply_from(struct work *work, const struct override_from *from)
{
	const struct place place = {.file = "--from"};
	struct draft *draft = find_service(work, from->profile, from->service, &place);

	if (!draft)
		return;
	if (!has_in(draft->service)) {
		diag_error(work->diag, &place,
			   "%s:%s listens on no port, so nobody can be kept from it", from->profile,
			   draft->service->name);
		return;
	}
	for (size_t i = 0; i < from->groups.count; i++)
		check_group(work, from->groups.name[i], &place);
	draft->from = &from->groups;
	draft->restricted = true;
}

static void apply_recipe(struct work *work)
{
	const struct recipe *recipe = work->recipe;

	for (size_t i = 0; i < recipe->features.count; i++)
		apply_feature(work, recipe->features.name[i]);
	for (size_t i = 0; i < recipe->disabled.count; i++)
		apply_disable(work, recipe->disabled.name[i]);
	for (size_t i = 0; i < recipe->sets; i++)
		apply_set(work, &recipe->set[i]);
	for (size_t i = 0; i < recipe->froms; i++)
		apply_from(work, &recipe->from[i]);
	for (size_t i = 0; i < work->drafts; i++)
		check_from_port(work, &work->draft[i]);
}

/* --- the result --- */

static bool is_defined(const struct recipe *recipe, const char *group)
{
	return !strcmp(group, GROUP_LINK_LOCAL) || groups_find(&recipe->groups, group);
}

/* Whether anybody is in one of these groups; of none at all, everybody is. */
static bool admits(const struct recipe *recipe, const struct names *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		if (is_defined(recipe, groups->name[i]))
			return true;
	}
	return !groups->count;
}

static enum why_closed judge(const struct recipe *recipe, const struct draft *draft,
			     const struct names *groups)
{
	const struct service *service = draft->service;

	if (draft->disabled)
		return WHY_DISABLED;
	if (!draft->in->count && !draft->out->count)
		return service->dynamic ? WHY_DYNAMIC : WHY_NO_PORTS;
	if (service->feature && !draft->enabled)
		return WHY_FEATURE;
	if (service->local && !draft->restricted)
		return WHY_LOCAL;
	return admits(recipe, groups) ? WHY_OPEN : WHY_GROUP;
}

static void add_composed(struct composition *composition, const struct draft *draft,
			 enum direction direction, enum why_closed why)
{
	struct composed *composed;

	composition->service =
		grow(composition->service, composition->services, sizeof(*composition->service));
	composed = &composition->service[composition->services++];
	*composed = (struct composed){
		.profile = draft->profile,
		.service = draft->service,
		.direction = direction,
		.why = why,
	};
	ports_copy(&composed->ports, direction & DIRECTION_IN ? draft->in : draft->out);
	if (direction & DIRECTION_IN) {
		ports_copy(&composed->from_port, &draft->service->from_port);
		names_copy(&composed->from, draft->from);
	}
	if (direction & DIRECTION_OUT)
		names_copy(&composed->to, &draft->service->to);
}

/* One object, or two where the directions differ. A service without ports stands as `in`. */
static void add_draft(struct composition *composition, const struct draft *draft)
{
	enum why_closed in = judge(composition->recipe, draft, draft->from);
	enum why_closed out = judge(composition->recipe, draft, &draft->service->to);

	if (!draft->out->count) {
		add_composed(composition, draft, DIRECTION_IN, in);
	} else if (!draft->in->count) {
		add_composed(composition, draft, DIRECTION_OUT, out);
	} else if (in == out && ports_equal(draft->in, draft->out)) {
		add_composed(composition, draft, DIRECTION_BOTH, in);
	} else {
		add_composed(composition, draft, DIRECTION_IN, in);
		add_composed(composition, draft, DIRECTION_OUT, out);
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

static void warn_of_groups(const struct composition *composition, const struct profile *profile,
			   bool strict, struct diag *diag)
{
	__cleanup(names_free) struct names closed = {0}, undefined = {0};

	for (size_t i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (composed->profile != profile || composed->why != WHY_GROUP)
			continue;
		add_closed(composition, i, &closed);
		add_undefined(composition->recipe, &composed->from, &undefined);
		add_undefined(composition->recipe, &composed->to, &undefined);
	}
	if (closed.count)
		say_closed(profile, &closed, &undefined, strict, diag);
}

int compose(struct catalog *catalog, const struct recipe *recipe, bool strict,
	    struct composition *composition, struct diag *diag)
{
	__cleanup(work_free) struct work work = {
		.catalog = catalog, .recipe = recipe, .diag = diag};
	__cleanup(composition_free) struct composition made = {.recipe = recipe};
	size_t errors = diag->errors;

	if (work_start(&work))
		return -EINVAL;
	apply_recipe(&work);
	if (diag->errors != errors)
		return -EINVAL;
	made.profile = work.profile;
	made.profiles = work.profiles;
	work.profile = NULL;
	for (size_t i = 0; i < work.drafts; i++)
		add_draft(&made, &work.draft[i]);
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
	free(composition->service);
	free(composition->profile);
	*composition = (struct composition){0};
}

/* --- pruning --- */

static const struct profile *closure_profile(const struct work *work, const char *name)
{
	for (size_t i = 0; i < work->profiles; i++) {
		if (!strcmp(work->profile[i]->name, name))
			return work->profile[i];
	}
	return NULL;
}

static bool knows_service(struct work *work, const char *profile_name, const char *name)
{
	const struct profile *profile = closure_profile(work, profile_name);

	return profile && lookup(work, profile, name);
}

static bool knows_disabled(struct work *work, const char *word)
{
	const char *colon = strchrnul(word, ':');
	__free_text char *profile = xstrndup(word, (size_t)(colon - word));

	return *colon && knows_service(work, profile, colon + 1);
}

static bool knows_feature(struct work *work, const char *word)
{
	__free_text char *only = NULL;
	const char *feature = cut_feature(word, &only);

	for (size_t i = 0; i < work->profiles; i++) {
		if ((!only || !strcmp(work->profile[i]->name, only)) &&
		    feature_name(work->profile[i], feature))
			return true;
	}
	return false;
}

static void add_dropped(struct names *dropped, const char *option, const char *word)
{
	__free_text char *text = xasprintf("%s %s", option, word);

	names_add(dropped, text);
}

static void prune_names(struct work *work, struct names *names, const char *option,
			bool (*knows)(struct work *work, const char *word), struct names *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (knows(work, names->name[i])) {
			names->name[kept++] = names->name[i];
			continue;
		}
		add_dropped(dropped, option, names->name[i]);
		free(names->name[i]);
	}
	names->count = kept;
}

static void prune_sets(struct work *work, struct recipe *recipe, struct names *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < recipe->sets; i++) {
		struct override_set *set = &recipe->set[i];
		__free_text char *text = NULL;

		if (knows_service(work, set->profile, set->service)) {
			recipe->set[kept++] = *set;
			continue;
		}
		text = override_set_text(set);
		add_dropped(dropped, "--set", text);
		override_set_free(set);
	}
	recipe->sets = kept;
}

static void prune_froms(struct work *work, struct recipe *recipe, struct names *dropped)
{
	size_t kept = 0;

	for (size_t i = 0; i < recipe->froms; i++) {
		struct override_from *from = &recipe->from[i];
		__free_text char *text = NULL;

		if (knows_service(work, from->profile, from->service)) {
			recipe->from[kept++] = *from;
			continue;
		}
		text = override_from_text(from);
		add_dropped(dropped, "--from", text);
		override_from_free(from);
	}
	recipe->froms = kept;
}

int recipe_prune(struct recipe *recipe, struct catalog *catalog, struct names *dropped,
		 struct diag *diag)
{
	__cleanup(work_free) struct work work = {
		.catalog = catalog, .recipe = recipe, .diag = diag};
	int result = work_start(&work);

	if (result)
		return result;
	prune_names(&work, &recipe->features, "--enable", knows_feature, dropped);
	prune_names(&work, &recipe->disabled, "--disable", knows_disabled, dropped);
	prune_sets(&work, recipe, dropped);
	prune_froms(&work, recipe, dropped);
	return 0;
}

/* --- JSON --- */

/* A path need not be UTF-8, which JSON is: then what is not ASCII becomes '?'. */
static json_t *text_json(const char *text)
{
	__free_text char *ascii = NULL;
	json_t *json = text ? json_string(text) : json_null();

	if (json)
		return json;
	ascii = xstrdup(text);
	for (char *c = ascii; *c; c++) {
		if (*c & 0x80)
			*c = '?';
	}
	return json_string(ascii);
}

static json_t *names_json(const struct names *names)
{
	json_t *array = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(array, text_json(names->name[i]));
	return array;
}

static json_t *ports_json(const struct ports *ports)
{
	__cleanup(names_free) struct names items = {0};

	ports_strings(ports, &items);
	return names_json(&items);
}

static json_t *configured_json(const struct configured_in *where)
{
	if (where->file)
		return json_pack("{s:o, s:o}", "file", text_json(where->file), "xpath",
				 text_json(where->xpath));
	return text_json(where->text);
}

static json_t *service_json(const struct composed *composed)
{
	static const char *const direction[] = {
		[DIRECTION_IN] = "in", [DIRECTION_OUT] = "out", [DIRECTION_BOTH] = "both"};
	const struct service *service = composed->service;
	json_t *json = json_object();

	json_object_set_new(json, "name", text_json(service->name));
	json_object_set_new(json, "title", text_json(service->title));
	json_object_set_new(json, "direction", json_string(direction[composed->direction]));
	json_object_set_new(json, "ports", ports_json(&composed->ports));
	json_object_set_new(json, "from", names_json(&composed->from));
	json_object_set_new(json, "to", names_json(&composed->to));
	json_object_set_new(json, "feature", text_json(service->feature));
	json_object_set_new(json, "from_ports", ports_json(&composed->from_port));
	json_object_set_new(json, "open", json_boolean(composed->why == WHY_OPEN));
	json_object_set_new(json, "why_closed", text_json(why_closed_name[composed->why]));
	json_object_set_new(json, "fixed", json_boolean(service->fixed));
	json_object_set_new(json, "local", json_boolean(service->local));
	json_object_set_new(json, "dynamic", json_boolean(service->dynamic));
	json_object_set_new(json, "configured_in", configured_json(&service->configured_in));
	json_object_set_new(json, "note", text_json(service->note));
	return json;
}

json_t *composition_json(const struct composition *composition)
{
	json_t *profiles = json_array();

	for (size_t i = 0; i < composition->profiles; i++) {
		const struct profile *profile = composition->profile[i];
		json_t *services = json_array();

		for (size_t j = 0; j < composition->services; j++) {
			if (composition->service[j].profile == profile)
				json_array_append_new(services,
						      service_json(&composition->service[j]));
		}
		json_array_append_new(
			profiles,
			json_pack("{s:o, s:o, s:o, s:o, s:b, s:o}", "name",
				  text_json(profile->name), "title", text_json(profile->title),
				  "document", text_json(profile->document), "path",
				  text_json(profile->path), "included",
				  !names_have(&composition->recipe->profiles, profile->name),
				  "services", services));
	}
	return profiles;
}
