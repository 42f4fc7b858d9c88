// SPDX-License-Identifier: GPL-2.0
/* Checks the words of a site file against the catalog. */
#include "loader/recipe/site_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/overlay.h"
#include "loader/recipe/overlay_apply.h"
#include "loader/recipe/sends.h"
#include "loader/recipe/site.h"

struct check {
	struct catalog *catalog;
	const struct site *site;
	struct names group; /* all groups of catalog and site; filled on first use */
	struct diag *diag;
};

static bool is_said(const struct diag *diag, const struct place *place, const char *message)
{
	for (size_t i = 0; i < diag->count; i++) {
		const struct diag_entry *other = &diag->entry[i];

		if (other->file && place->file && !strcmp(other->file, place->file) &&
		    other->line == place->line && other->column == place->column &&
		    !strcmp(other->message, message))
			return true;
	}
	return false;
}

/* Reports each error once: a profile may be chosen often, and a pattern may match many
 * interfaces. */
static void say(const struct check *check, enum diag_level level, const struct place *place,
		const char *message)
{
	if (!is_said(check->diag, place, message))
		(level == DIAG_ERROR ? diag_error : diag_warning)(check->diag, place, "%s",
								  message);
}

/*
 * Reports errors, each once. An error in another file keeps its place; others get the place of the
 * word. Returns true if there is no error.
 */
static bool pass_on(const struct check *check, const struct diag *found, const struct place *place)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct diag_entry *entry = &found->entry[i];
		bool option = !entry->file || !strncmp(entry->file, "--", 2);
		const struct place there = diag_place(entry);

		if (!is_said(check->diag, option ? place : &there, entry->message))
			diag_pass_on(check->diag, option ? place : &there, entry);
	}
	return !found->errors;
}

static bool check_profile(const struct check *check, const struct site_word *word)
{
	const struct names one = {.name = (char **)&word->text, .count = 1};
	__cleanup(diag_free) struct diag found = {0};
	const struct profile **list;
	size_t count;

	if (!catalog_resolve(check->catalog, &one, &list, &count, &found))
		free(list);
	return pass_on(check, &found, &word->place);
}

/* An interface, or a machine behind one. */
struct entry {
	const struct site_interface *site;
	const struct recipe *recipe;
	const struct recipe *interface; /* the interface that the machine is behind, or NULL */
};

/* A misspelt group would only show as a closed service, so the name must be known. */
static bool check_use(struct check *check, const struct entry *entry, const struct site_use *use)
{
	__free_text char *text = NULL;
	const char *near;

	if (!check->group.count) {
		catalog_groups(check->catalog, &check->group);
		for (size_t i = 0; i < check->site->groups.count; i++)
			names_add_once(&check->group, check->site->groups.group[i].name);
	}
	if (names_have(&check->group, use->group) || check->site->groups_wrong ||
	    groups_find(&entry->recipe->groups, use->group) ||
	    (entry->interface && groups_find(&entry->interface->groups, use->group)))
		return true;
	near = nearest_name(use->group, &check->group);
	text = near ? xasprintf("no such group '%s'; did you mean '%s'?", use->group, near) :
		      xasprintf(
			      "no such group '%s'; define it under 'groups', as in %s: 192.0.2.0/24",
			      use->group, use->group);
	say(check, DIAG_ERROR, &use->place, text);
	return false;
}

/* Checks one word alone with the profiles of its entry, so that an error can only be about this
 * word. */
static bool check_word(const struct check *check, const struct entry *entry,
		       const struct site_word *word)
{
	const struct site_interface *site = entry->site;
	__cleanup(diag_free) struct diag found = {0};
	__cleanup(recipe_free) struct recipe recipe = {0};
	__cleanup(overlays_free) struct overlays overlays = {
		.catalog = check->catalog, .recipe = &recipe, .diag = &found};

	names_copy(&recipe.profiles, &entry->recipe->profiles);
	/* A word on an open port needs the port. */
	for (size_t i = 0; i < site->words && !strncmp(word->text, PROFILE_SITE ":", 5); i++)
		if (site->word[i].kind == RECIPE_OPEN)
			recipe_add(&recipe, RECIPE_OPEN, site->word[i].text, &word->place, &found);
	recipe_add(&recipe, word->kind, word->text, &word->place, &found);
	/* Groups are already checked, with a more exact place. */
	for (size_t i = 0; i < site->uses; i++)
		names_add(&overlays.group, site->use[i].group);
	if (!overlays_start(&overlays))
		overlays_apply(&overlays);
	return pass_on(check, &found, &word->place);
}

static void warn_of_groups(const struct check *check, const struct site_interface *interface,
			   const struct composition *composition)
{
	for (size_t i = 0; i < composition->profiles; i++) {
		const struct profile *profile = composition->profile[i];
		__cleanup(names_free) struct names closed = {0}, undefined = {0};
		__free_text char *services = NULL, *groups = NULL, *text = NULL;

		composition_wants(composition, profile, &closed, &undefined);
		if (!closed.count)
			continue;
		services = names_join(&closed, ", ");
		groups = names_join(&undefined, ", ");
		text = xasprintf("%s: %s %s closed: %s %s %s not defined; define %s under 'groups'",
				 profile->name, services, closed.count == 1 ? "is" : "are",
				 undefined.count == 1 ? "group" : "groups", groups,
				 undefined.count == 1 ? "is" : "are",
				 undefined.count == 1 ? "it" : "them");
		say(check, DIAG_WARNING, &interface->place, text);
	}
}

static void warn_of_sending(const struct check *check, const struct site_interface *interface,
			    const struct composition *composition)
{
	__free_text char *text = composition_sends_nothing(composition);

	if (text)
		diag_warning_fix(check->diag, &interface->place, SENDS_FIX, "%s", text);
}

static void warn_of_forward(const struct check *check, const struct site_interface *interface,
			    const struct composition *composition)
{
	__free_text char *text = composition_needs_forward(composition);

	if (text)
		diag_warning_fix(check->diag, &interface->place, FORWARD_FIX, "%s", text);
}

/* Checks the words of an interface or a machine. `*profiles`: all its profiles are valid. */
static bool check_entry(struct check *check, const struct entry *entry, bool *profiles)
{
	const struct site_interface *site = entry->site;
	bool good = !site->wrong;

	*profiles = !site->profiles_wrong;
	for (size_t i = 0; i < site->words; i++) {
		if (site->word[i].kind == RECIPE_PROFILE)
			*profiles &= check_profile(check, &site->word[i]);
	}
	for (size_t i = 0; i < site->uses; i++)
		good &= check_use(check, entry, &site->use[i]);
	/* Without its profile, each word about it would be an error, too. */
	for (size_t i = 0; i < site->words && *profiles; i++) {
		if (site->word[i].kind != RECIPE_PROFILE)
			good &= check_word(check, entry, &site->word[i]);
	}
	return good && *profiles;
}

static bool check_interface(struct check *check, const struct site_interface *interface,
			    struct composition *composition)
{
	const struct recipe *recipe = &interface->recipe;
	__cleanup(diag_free) struct diag found = {0};
	bool profiles, machine_profiles,
		good = check_entry(check, &(struct entry){interface, recipe, NULL}, &profiles);

	for (size_t i = 0; i < interface->machines; i++) {
		const struct entry machine = {&interface->machine[i], &recipe->machine[i].own,
					      recipe};

		good &= check_entry(check, &machine, &machine_profiles);
	}
	if (!good || check->site->groups_wrong)
		return good;
	if (compose(check->catalog, recipe, false, composition, &found))
		return pass_on(check, &found, &interface->place);
	warn_of_groups(check, interface, composition);
	warn_of_sending(check, interface, composition);
	warn_of_forward(check, interface, composition);
	for (size_t i = 0; i < interface->machines; i++) {
		warn_of_groups(check, &interface->machine[i], &composition->machine[i].composition);
		warn_of_sending(check, &interface->machine[i],
				&composition->machine[i].composition);
	}
	return true;
}

bool site_check_interface(struct catalog *catalog, const struct site *site,
			  const struct site_interface *interface, struct composition *composition,
			  struct diag *diag)
{
	struct check check = {.catalog = catalog, .site = site, .diag = diag};
	bool good;

	*composition = (struct composition){};
	good = check_interface(&check, interface, composition);

	names_free(&check.group);
	return good;
}

static void check_words(struct check *check, const struct site_interface *interface)
{
	__cleanup(composition_free) struct composition unused = {0};

	check_interface(check, interface, &unused);
}

int site_check(struct catalog *catalog, const struct site *site, struct diag *diag)
{
	struct check check = {.catalog = catalog, .site = site, .diag = diag};
	size_t errors = diag->errors;

	for (size_t i = 0; i < site->interfaces && !diag_full(diag); i++)
		if (!site->interface[i].pattern) /* the words of a pattern are checked only once */
			check_words(&check, &site->interface[i]);
	for (size_t i = 0; i < site->patterns && !diag_full(diag); i++)
		check_words(&check, &site->pattern[i]);
	names_free(&check.group);
	return diag->errors == errors ? 0 : -EINVAL;
}
