// SPDX-License-Identifier: GPL-2.0
/* Reads the options that make up a recipe, and turns a recipe into JSON and back. */
#include "loader/recipe/recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

const char *const policy_name[] = {
	[PC_POLICY_ENFORCE] = "enforce",
	[PC_POLICY_OBSERVE] = "observe",
};

const char *const outbound_name[] = {
	[PC_OUTBOUND_TRACK] = "track",
	[PC_OUTBOUND_ENFORCE] = "enforce",
};

static const char *const direction_suffix[] = {
	[DIRECTION_IN] = ":in",
	[DIRECTION_OUT] = ":out",
	[DIRECTION_BOTH] = "",
};

/* Adds one word to the recipe. `place`: in an option, or in the JSON. */
typedef int (*add_word)(struct recipe *recipe, const char *word, const struct place *place,
			struct diag *diag);

static int check_name(const char *name, const char *kind, const struct place *place,
		      struct diag *diag)
{
	if (name_valid(name))
		return 0;
	diag_error(diag, place,
		   "'%s' is not a %s name; use only a-z, 0-9 and '-', at most %d characters", name,
		   kind, NAME_LIMIT);
	return -EINVAL;
}

/* Splits a copy of `word` at its first `at`; NULL if it has none. Both parts are in `*copy`. */
static char *cut(char *word, char at)
{
	char *rest = strchr(word, at);

	if (rest)
		*rest++ = '\0';
	return rest;
}

static int add_profile(struct recipe *recipe, const char *word, const struct place *place,
		       struct diag *diag)
{
	int result = check_name(word, "profile", place, diag);

	if (!result)
		names_add_once(&recipe->profiles, word);
	return result;
}

void recipe_forget_port(struct recipe *recipe, const char *service)
{
	__free_text char *name = xasprintf(PROFILE_SITE ":%s", service);
	size_t kept = 0;

	for (size_t i = 0; i < recipe->disabled.count; i++) {
		if (strcmp(recipe->disabled.name[i], name))
			recipe->disabled.name[kept++] = recipe->disabled.name[i];
		else
			free(recipe->disabled.name[i]);
	}
	recipe->disabled.count = kept;
	kept = 0;
	for (size_t i = 0; i < recipe->froms; i++) {
		struct override_from *from = &recipe->from[i];

		if (strcmp(from->profile, PROFILE_SITE) || strcmp(from->service, service))
			recipe->from[kept++] = *from;
		else
			override_from_free(from);
	}
	recipe->froms = kept;
	kept = 0;
	for (size_t i = 0; i < recipe->limits; i++) {
		struct override_limit *limit = &recipe->limit[i];

		if (strcmp(limit->profile, PROFILE_SITE) || strcmp(limit->service, service))
			recipe->limit[kept++] = *limit;
		else
			override_limit_free(limit);
	}
	recipe->limits = kept;
}

static int add_open(struct recipe *recipe, const char *word, const struct place *place,
		    struct diag *diag)
{
	__cleanup(names_free) struct names services = {0};
	int result = opens_add(&recipe->opens, word, place, &services, diag);

	for (size_t i = 0; i < services.count; i++)
		/* the port is opened again, so drop its former words */
		recipe_forget_port(recipe, services.name[i]);
	return result;
}

static int add_feature(struct recipe *recipe, const char *word, const struct place *place,
		       struct diag *diag)
{
	__free_text char *profile = xstrdup(word);
	const char *feature = cut(profile, ':');
	int result = 0;

	if (feature)
		result = check_name(profile, "profile", place, diag);
	else
		feature = profile;
	if (!result)
		result = check_name(feature, "feature", place, diag);
	if (!result)
		names_add_once(&recipe->features, word);
	return result;
}

/* Splits "PROFILE:SERVICE" into two names; `service` may be missing. */
static int check_target(const char *word, const char *profile, const char *service,
			const struct place *place, struct diag *diag)
{
	if (!service) {
		diag_error(diag, place, "'%s' does not name a service; write PROFILE:SERVICE",
			   word);
		return -EINVAL;
	}
	if (check_name(profile, "profile", place, diag))
		return -EINVAL;
	return check_name(service, "service", place, diag);
}

static int add_disabled(struct recipe *recipe, const char *word, const struct place *place,
			struct diag *diag)
{
	__free_text char *profile = xstrdup(word);
	const char *service = cut(profile, ':');
	int result = check_target(word, profile, service, place, diag);

	if (!result)
		names_add_once(&recipe->disabled, word);
	return result;
}

static int parse_direction(const char *text, enum direction *direction, const struct place *place,
			   struct diag *diag)
{
	if (!text)
		*direction = DIRECTION_BOTH;
	else if (!strcmp(text, "in"))
		*direction = DIRECTION_IN;
	else if (!strcmp(text, "out"))
		*direction = DIRECTION_OUT;
	else {
		diag_error(diag, place, "'%s' is not a direction; write in or out", text);
		return -EINVAL;
	}
	return 0;
}

/* The first port that the list names twice. The search ends at that port, so it is short. */
static int check_twice(const struct override_set *set, const struct place *place, struct diag *diag)
{
	__cleanup(text_free) unsigned char *seen = xcalloc(PC_PORTS, 1);

	for (size_t i = 0; i < set->ports.count; i++) {
		const struct port_range *range = &set->ports.range[i];

		for (__u32 n = 0; n < PC_TRANSPORTS * (range->last - range->first + 1U); n++) {
			__u32 transport = n % PC_TRANSPORTS,
			      port = range->first + n / PC_TRANSPORTS;

			if (!(range->transports & 1 << transport))
				continue;
			if (seen[PC_PORT(transport, port)]++) {
				diag_error(diag, place, "%s:%s: %u/%s is listed twice",
					   set->profile, set->service, port,
					   transport == PC_TCP ? "tcp" : "udp");
				return -EINVAL;
			}
		}
	}
	return 0;
}

static bool same_service(const struct override_set *a, const struct override_set *b)
{
	return !strcmp(a->profile, b->profile) && !strcmp(a->service, b->service);
}

/*
 * Sets are applied in order. After a later set for :in or :out, an older one for both directions
 * still holds for the other direction. A set without any effect is removed.
 */
static void put_set(struct recipe *recipe, struct override_set *set)
{
	unsigned int covered = set->direction;
	size_t kept = recipe->sets;

	for (size_t i = recipe->sets; i--;) {
		struct override_set *old = &recipe->set[i];

		if (!same_service(old, set))
			continue;
		if (old->direction & ~covered) {
			covered |= old->direction;
			continue;
		}
		override_set_free(old);
		memmove(old, old + 1, (--kept - i) * sizeof(*old));
	}
	recipe->sets = kept;
	recipe->set = grow(recipe->set, recipe->sets, sizeof(*recipe->set));
	recipe->set[recipe->sets++] = *set;
	*set = (struct override_set){0};
}

static int add_set(struct recipe *recipe, const char *word, const struct place *place,
		   struct diag *diag)
{
	__cleanup(override_set_free) struct override_set set = {.profile = xstrdup(word)};
	char *ports = cut(set.profile, '='), *service = cut(set.profile, ':'), *direction = NULL;
	__free_text char *why = NULL;

	if (!ports || !*ports) {
		diag_error(
			diag, place,
			"'%s' has no ports; write PROFILE:SERVICE=PORTS, as in xeams:smtp=25/tcp",
			word);
		return -EINVAL;
	}
	if (service)
		direction = cut(service, ':');
	if (check_target(word, set.profile, service, place, diag) ||
	    parse_direction(direction, &set.direction, place, diag))
		return -EINVAL;
	set.service = xstrdup(service);
	if (ports_parse_list(ports, &set.ports, &why)) {
		diag_error(diag, place, "%s:%s: %s", set.profile, set.service, why);
		return -EINVAL;
	}
	if (check_twice(&set, place, diag))
		return -EINVAL;
	put_set(recipe, &set);
	return 0;
}

/* Appends the items of a comma-separated list. Empty items are kept: they are reported as wrong
 * names. */
static void split(const char *list, struct names *items)
{
	__free_text char *copy = xstrdup(list);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ",")))
		names_add(items, item);
}

static void put_from(struct recipe *recipe, struct override_from *from)
{
	struct override_from *old = NULL;

	for (size_t i = 0; i < recipe->froms && !old; i++) {
		if (!strcmp(recipe->from[i].profile, from->profile) &&
		    !strcmp(recipe->from[i].service, from->service))
			old = &recipe->from[i];
	}
	if (old) {
		override_from_free(old);
	} else {
		recipe->from = grow(recipe->from, recipe->froms, sizeof(*recipe->from));
		old = &recipe->from[recipe->froms++];
	}
	*old = *from;
	*from = (struct override_from){0};
}

static int add_from(struct recipe *recipe, const char *word, const struct place *place,
		    struct diag *diag)
{
	__cleanup(override_from_free) struct override_from from = {.profile = xstrdup(word)};
	const char *list = cut(from.profile, '='), *service = cut(from.profile, ':');

	if (!list || !*list) {
		diag_error(
			diag, place,
			"'%s' has no group; write PROFILE:SERVICE=GROUP[,GROUP], as in xeams:admin=trusted",
			word);
		return -EINVAL;
	}
	if (check_target(word, from.profile, service, place, diag))
		return -EINVAL;
	from.service = xstrdup(service);
	if (group_names_parse(list, &from.groups, place, diag))
		return -EINVAL;
	put_from(recipe, &from);
	return 0;
}

static void put_limit(struct recipe *recipe, struct override_limit *limit)
{
	struct override_limit *old = NULL;

	for (size_t i = 0; i < recipe->limits && !old; i++) {
		if (!strcmp(recipe->limit[i].profile, limit->profile) &&
		    !strcmp(recipe->limit[i].service, limit->service))
			old = &recipe->limit[i];
	}
	if (old) {
		override_limit_free(old);
	} else {
		recipe->limit = grow(recipe->limit, recipe->limits, sizeof(*recipe->limit));
		old = &recipe->limit[recipe->limits++];
	}
	*old = *limit;
	*limit = (struct override_limit){0};
}

static int add_limit(struct recipe *recipe, const char *word, const struct place *place,
		     struct diag *diag)
{
	__cleanup(override_limit_free) struct override_limit limit = {.profile = xstrdup(word)};
	const char *rate = cut(limit.profile, '='), *service = cut(limit.profile, ':');
	__free_text char *why = NULL;

	if (!rate || !*rate) {
		diag_error(diag, place,
			   "'%s' has no rate; write PROFILE:SERVICE=RATE, as in xeams:smtp=20/s",
			   word);
		return -EINVAL;
	}
	if (check_target(word, limit.profile, service, place, diag))
		return -EINVAL;
	limit.service = xstrdup(service);
	if (limit_parse(rate, &limit.limit, &why)) {
		diag_error(diag, place, "%s:%s: %s", limit.profile, limit.service, why);
		return -EINVAL;
	}
	put_limit(recipe, &limit);
	return 0;
}

int recipe_profiles(struct recipe *recipe, const char *list, struct diag *diag)
{
	const struct place place = {.file = "--profile"};
	__cleanup(names_free) struct names items = {0};
	int result = 0;

	split(list, &items);
	for (size_t i = 0; !result && i < items.count; i++)
		result = add_profile(recipe, items.name[i], &place, diag);
	return result;
}

int recipe_add(struct recipe *recipe, enum recipe_word kind, const char *word,
	       const struct place *place, struct diag *diag)
{
	static const add_word add[RECIPE_WORDS] = {
		[RECIPE_PROFILE] = add_profile, [RECIPE_OPEN] = add_open,
		[RECIPE_ENABLE] = add_feature,	[RECIPE_DISABLE] = add_disabled,
		[RECIPE_SET] = add_set,		[RECIPE_FROM] = add_from,
		[RECIPE_LIMIT] = add_limit,
	};

	return add[kind](recipe, word, place, diag);
}

int recipe_open(struct recipe *recipe, const char *ports, struct diag *diag)
{
	return add_open(recipe, ports, &(struct place){.file = "--open"}, diag);
}

int recipe_enable(struct recipe *recipe, const char *feature, struct diag *diag)
{
	return add_feature(recipe, feature, &(struct place){.file = "--enable"}, diag);
}

int recipe_disable(struct recipe *recipe, const char *service, struct diag *diag)
{
	return add_disabled(recipe, service, &(struct place){.file = "--disable"}, diag);
}

int recipe_set(struct recipe *recipe, const char *override, struct diag *diag)
{
	return add_set(recipe, override, &(struct place){.file = "--set"}, diag);
}

int recipe_from(struct recipe *recipe, const char *override, struct diag *diag)
{
	return add_from(recipe, override, &(struct place){.file = "--from"}, diag);
}

int recipe_limit(struct recipe *recipe, const char *override, struct diag *diag)
{
	return add_limit(recipe, override, &(struct place){.file = "--limit"}, diag);
}

int recipe_group(struct recipe *recipe, const char *group, struct diag *diag)
{
	return groups_define(&recipe->groups, group, diag);
}

bool recipe_same_target(const char *a, const char *b)
{
	size_t length = strcspn(a, "=");

	return length == strcspn(b, "=") && !strncmp(a, b, length);
}

bool recipe_same_port(const char *a, const char *b)
{
	__cleanup(opens_free) struct opens one = {0}, other = {0};
	__cleanup(names_free) struct names services = {0};
	__cleanup(diag_free) struct diag unused = {0};

	return !opens_add(&one, a, NULL, &services, &unused) &&
	       !opens_add(&other, b, NULL, &services, &unused) && names_twice(&services);
}

char *override_set_text(const struct override_set *set)
{
	__cleanup(names_free) struct names items = {0};
	__free_text char *ports = NULL;

	ports_strings(&set->ports, &items);
	ports = names_join(&items, ",");
	return xasprintf("%s:%s%s=%s", set->profile, set->service, direction_suffix[set->direction],
			 ports);
}

char *override_from_text(const struct override_from *from)
{
	__free_text char *groups = names_join(&from->groups, ",");

	return xasprintf("%s:%s=%s", from->profile, from->service, groups);
}

char *override_limit_text(const struct override_limit *limit)
{
	__free_text char *rate = limit_text(&limit->limit);

	return xasprintf("%s:%s=%s", limit->profile, limit->service, rate);
}

int outbound_parse(const char *text, enum pc_outbound *outbound)
{
	for (size_t i = 0; i < ARRAY_SIZE(outbound_name); i++) {
		if (!strcmp(text, outbound_name[i])) {
			*outbound = (enum pc_outbound)i;
			return 0;
		}
	}
	return -EINVAL;
}

void recipe_limit_echo(struct recipe *recipe, unsigned int limit)
{
	recipe->echo_limit = limit ? (int)limit : ECHO_LIMIT_NONE;
}

unsigned int recipe_echo_limit(const struct recipe *recipe)
{
	if (recipe->echo_limit == ECHO_LIMIT_NONE)
		return 0;
	return recipe->echo_limit ? (unsigned int)recipe->echo_limit : ECHO_LIMIT_DEFAULT;
}

void override_set_free(struct override_set *set)
{
	free(set->profile);
	free(set->service);
	ports_free(&set->ports);
	*set = (struct override_set){0};
}

void override_from_free(struct override_from *from)
{
	free(from->profile);
	free(from->service);
	names_free(&from->groups);
	*from = (struct override_from){0};
}

void override_limit_free(struct override_limit *limit)
{
	free(limit->profile);
	free(limit->service);
	limit_free(&limit->limit);
	*limit = (struct override_limit){0};
}

void machine_free(struct machine *machine)
{
	free(machine->name);
	free(machine->address);
	recipe_free(&machine->own);
}

void recipe_free(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->sets; i++)
		override_set_free(&recipe->set[i]);
	for (size_t i = 0; i < recipe->froms; i++)
		override_from_free(&recipe->from[i]);
	for (size_t i = 0; i < recipe->limits; i++)
		override_limit_free(&recipe->limit[i]);
	free(recipe->set);
	free(recipe->from);
	free(recipe->limit);
	names_free(&recipe->profiles);
	names_free(&recipe->features);
	names_free(&recipe->disabled);
	names_free(&recipe->parked);
	opens_free(&recipe->opens);
	groups_free(&recipe->groups);
	names_free(&recipe->deny);
	names_free(&recipe->never_ban);
	for (size_t i = 0; i < recipe->machines; i++)
		machine_free(&recipe->machine[i]);
	free(recipe->machine);
	*recipe = (struct recipe){0};
}
