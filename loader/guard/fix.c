// SPDX-License-Identifier: GPL-2.0
/* Searches for options that open a port, and tries each before it is suggested. */
#include "loader/guard/fix.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/guard/attempt.h"
#include "loader/recipe/recipe_json.h"

#define STEPS 4
/* the profile, and its service, that gets a login port which no chosen profile has */
#define LOGIN "ssh"

static enum direction direction_of(const struct guard_need *need)
{
	return need->out ? DIRECTION_OUT : DIRECTION_IN;
}

static const struct names *groups_of(const struct guard_need *need, const struct composed *service)
{
	return need->out ? &service->to : &service->from;
}

static char *port_text(const struct guard_need *need)
{
	return xasprintf("%u/%s", need->port, need->transport == PC_TCP ? "tcp" : "udp");
}

/* --- a service that is chosen already --- */

static const struct composed *find(const struct attempt *attempt, const struct profile *profile,
				   const struct service *service)
{
	const struct composition *composition = &attempt->composition;
	size_t i;

	for (i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		/* Compares names, because each composition makes its own services for ports of
		 * --open. */
		if (!strcmp(composed->profile->name, profile->name) &&
		    !strcmp(composed->service->name, service->name) &&
		    composed->direction & direction_of(attempt->need) &&
		    ports_have(&composed->ports, attempt->need->transport, attempt->need->port))
			return composed;
	}
	return NULL;
}

/* A group of a service that the site can define: the wanted one, else the first. */
static const char *group_of(const struct guard_need *need, const struct names *groups)
{
	size_t i;

	if (need->group && names_have(groups, need->group))
		return need->group;
	for (i = 0; i < groups->count; i++)
		if (strcmp(groups->name[i], GROUP_LINK_LOCAL))
			return groups->name[i];
	return NULL;
}

static char *why_closed(const struct guard_need *need, const struct composed *service)
{
	__free_text char *name = xasprintf("%s:%s", service->profile->name, service->service->name);
	const struct names *list = groups_of(need, service);
	__free_text char *groups = names_join(list, ", ");

	switch (service->why) {
	case WHY_FEATURE:
		return xasprintf("%s is off: feature %s is not enabled", name,
				 service->service->feature);
	case WHY_DISABLED: return xasprintf("%s is disabled", name);
	case WHY_LOCAL: return xasprintf("%s is for local use only", name);
	case WHY_GROUP:
		return xasprintf("%s admits only %s, %s not defined", name, groups,
				 list->count == 1 ? "which is" : "all of them");
	default:
		if (!list->count)
			return xasprintf("%s admits only some source ports", name);
		return xasprintf("%s admits only %s", name, groups);
	}
}

/* Adds one word that makes the service closer to open. */
static bool step(struct attempt *attempt, const struct composed *service)
{
	__free_text char *name = xasprintf("%s:%s", service->profile->name, service->service->name);
	__free_text char *feature =
		xasprintf("%s:%s", service->profile->name, service->service->feature ?: "");
	const struct names *groups = groups_of(attempt->need, service);
	const char *group = group_of(attempt->need, groups);

	switch (service->why) {
	case WHY_DISABLED: return attempt_leave_out(attempt, name);
	case WHY_FEATURE:
		return attempt_give(attempt, "--enable", "enable", recipe_enable, feature);
	case WHY_LOCAL: return attempt_give_from(attempt, service, false);
	case WHY_GROUP:
	case WHY_OPEN:
		if (!groups->count)
			return false;
		if (!group || (attempt->whole && attempt_group_is_long(attempt, group)))
			return attempt_give_from(attempt, service, true);
		return attempt_give_group(attempt, group);
	default: return false;
	}
}

static bool open_service(struct attempt *attempt, const struct profile *profile,
			 const struct service *service)
{
	int i;

	for (i = 0; i < STEPS; i++) {
		const struct composed *composed = find(attempt, profile, service);

		if (!composed)
			return false;
		if (!attempt->why)
			attempt->why = why_closed(attempt->need, composed);
		if (!step(attempt, composed) || !attempt_make(attempt))
			return false;
		if (attempt_opens(attempt))
			return true;
	}
	return false;
}

/*
 * Lists the services of the composition that have the port; `disabled`: those closed by --disable.
 */
static bool try_services(const struct guard_command *command, const struct guard_target *target,
			 const struct guard_need *need, bool disabled, struct attempt *attempt)
{
	const struct composition *composition = &target->plan->composition;
	size_t i;

	for (i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (!(composed->direction & direction_of(need)) ||
		    !ports_have(&composed->ports, need->transport, need->port) ||
		    (composed->why == WHY_DISABLED) != disabled)
			continue;
		if (attempt_start(attempt, command, target, need) &&
		    open_service(attempt, composed->profile, composed->service))
			return true;
		attempt_free(attempt);
	}
	return false;
}

/* --- another profile --- */

static void give_profiles(struct attempt *attempt, const char *more)
{
	__free_text char *list = NULL;

	names_add_once(&attempt->recipe.profiles, more);
	list = names_join(&attempt->recipe.profiles, attempt->kind == GUARD_SITE_FILE ? ", " : ",");
	attempt_word(attempt, "-p", "profiles", list);
}

static bool is_chosen(const struct composition *composition, const char *profile)
{
	size_t i;

	for (i = 0; i < composition->profiles; i++)
		if (!strcmp(composition->profile[i]->name, profile))
			return true;
	return false;
}

/* The profile that opens the port and has no other service. */
static bool try_profiles(const struct guard_command *command, const struct guard_target *target,
			 const struct guard_need *need, struct attempt *best)
{
	const struct composition *now = &target->plan->composition;
	__cleanup(names_free) struct names names = {};
	__cleanup(diag_free) struct diag diag = {};
	size_t i;

	if (catalog_names(target->catalog, &names, &diag))
		return false;
	for (i = 0; i < names.count; i++) {
		struct attempt attempt = {};

		if (is_chosen(now, names.name[i]) ||
		    !attempt_start(&attempt, command, target, need)) {
			attempt_free(&attempt);
			continue;
		}
		give_profiles(&attempt, names.name[i]);
		if (attempt_make(&attempt) && attempt_opens(&attempt) &&
		    attempt.composition.services - now->services == 1) {
			*best = attempt;
			return true;
		}
		attempt_free(&attempt);
	}
	return false;
}

/* The present ports of the login service, and one more. */
static char *login_ports(const struct attempt *attempt)
{
	const struct composition *composition = &attempt->composition;
	__free_text char *port = port_text(attempt->need);
	__cleanup(names_free) struct names list = {};
	size_t i;

	for (i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (!strcmp(composed->profile->name, LOGIN) &&
		    !strcmp(composed->service->name, LOGIN))
			ports_strings(&composed->ports, &list);
	}
	names_add(&list, port);
	return names_join(&list, ",");
}

/* Opens the service to the peers, too, if it is closed to them. */
static bool open_login(struct attempt *attempt)
{
	const struct composition *composition = &attempt->composition;
	size_t i;

	for (i = 0; i < composition->services; i++)
		if (!strcmp(composition->service[i].profile->name, LOGIN) &&
		    !strcmp(composition->service[i].service->name, LOGIN))
			return open_service(attempt, composition->service[i].profile,
					    composition->service[i].service);
	return false;
}

static bool try_move(const struct guard_command *command, const struct guard_target *target,
		     const struct guard_need *need, struct attempt *attempt)
{
	bool chosen = is_chosen(&target->plan->composition, LOGIN);
	__free_text char *word = NULL, *ports = NULL;

	bool opened;

	if (command->whole || need->transport != PC_TCP ||
	    !attempt_start(attempt, command, target, need)) {
		attempt_free(attempt);
		return false;
	}
	ports = chosen ? login_ports(attempt) : port_text(need);
	word = xasprintf(LOGIN ":" LOGIN "=%s", ports);
	if (!chosen)
		give_profiles(attempt, LOGIN);
	opened = attempt_give(attempt, "--set", "set", recipe_set, word) && attempt_make(attempt) &&
		 (attempt_opens(attempt) || open_login(attempt));
	if (!opened)
		attempt_free(attempt);
	return opened;
}

/* --- the port alone --- */

static bool try_open(const struct guard_command *command, const struct guard_target *target,
		     const struct guard_need *need, struct attempt *attempt)
{
	__free_text char *port = port_text(need);

	if (attempt_start(attempt, command, target, need) && !need->out &&
	    attempt_give(attempt, "--open", "open", recipe_open, port) && attempt_make(attempt) &&
	    attempt_opens(attempt))
		return true;
	attempt_free(attempt);
	return false;
}

/* If no service covers the outgoing packets, let everything go out. */
static bool try_track(const struct guard_command *command, const struct guard_target *target,
		      const struct guard_need *need, struct attempt *attempt)
{
	if (need->out && attempt_start(attempt, command, target, need) &&
	    attempt_give_track(attempt) && attempt_make(attempt) && attempt_opens(attempt))
		return true;
	attempt_free(attempt);
	return false;
}

/* The recipe without changes. */
static bool try_nothing(const struct guard_command *command, const struct guard_target *target,
			const struct guard_need *need, struct attempt *attempt)
{
	if (command->whole && attempt_start(attempt, command, target, need) &&
	    attempt_opens(attempt))
		return true;
	attempt_free(attempt);
	return false;
}

static bool try_all(const struct guard_command *command, const struct guard_target *target,
		    const struct guard_need *need, struct attempt *attempt)
{
	return try_nothing(command, target, need, attempt) ||
	       try_services(command, target, need, false, attempt) ||
	       try_profiles(command, target, need, attempt) ||
	       try_services(command, target, need, true, attempt) ||
	       try_move(command, target, need, attempt) ||
	       try_open(command, target, need, attempt) ||
	       try_track(command, target, need, attempt);
}

/* --- output --- */

/* The fix as options or as keys of the site file. The caller frees. */
static char *words_text(const struct attempt *attempt)
{
	bool site = attempt->kind == GUARD_SITE_FILE;
	__free_text char *words = names_join(&attempt->words, site ? ", " : " ");
	__free_text char *without =
		attempt->left_out ?
			xasprintf("%sleave out %s %s%s", *words ? " and " : "",
				  site ? "disable:" : "--disable", attempt->left_out,
				  attempt->kind == GUARD_OPTIONS_KEPT ?
					  " (--fresh discards the settings of earlier commands)" :
					  "") :
			NULL;

	return xasprintf("%s%s", words, without ?: "");
}

bool guard_open(const struct guard_command *command, const struct guard_target *target,
		const struct guard_need *need, struct guard_opening *opening)
{
	__cleanup(attempt_free) struct attempt attempt = {};
	__free_text char *port = port_text(need);

	if (!try_all(command, target, need, &attempt))
		return false;
	*opening = (struct guard_opening){
		.why = attempt.why ? xstrdup(attempt.why) :
				     xasprintf("no chosen profile opens %s", port),
		.words = words_text(&attempt),
		.recipe = recipe_json(&attempt.recipe),
	};
	return true;
}

void guard_opening_free(struct guard_opening *opening)
{
	free(opening->why);
	free(opening->words);
	json_decref(opening->recipe);
	*opening = (struct guard_opening){};
}

char *guard_fix(const struct guard_command *command, const struct guard_target *target,
		const struct guard_need *need)
{
	__cleanup(guard_opening_free) struct guard_opening opening = {};
	__free_text char *port = port_text(need);

	if (!guard_open(command, target, need, &opening))
		return xasprintf("%s cannot be opened to them: the tables have no room for it",
				 port);
	return xasprintf("%s; to open it%s: %s", opening.why,
			 command->words == GUARD_SITE_FILE  ? " in the site file" :
			 command->words == GUARD_NO_OPTIONS ? ", afterwards by swap" :
							      "",
			 opening.words);
}
