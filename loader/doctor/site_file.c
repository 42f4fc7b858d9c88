// SPDX-License-Identifier: GPL-2.0
/* `doctor`'s checks of the catalog and the site file. */
#include "loader/doctor/site_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/shell.h"
#include "loader/compile/kept.h"
#include "loader/compile/plan.h"
#include "loader/host/site_links.h"
#include "loader/host/site_standing.h"
#include "loader/host/state_live.h"
#include "loader/recipe/site_check.h"
#include "loader/recipe/state.h"
#include "loader/report/difference.h"

#define SHOWN 5 /* errors that one check shows; its fix, `portcullis check`, shows all */

/* True if only root can read the file of this error. */
static bool needs_root(const struct diag_entry *entry)
{
	return geteuid() && entry->err == -EACCES;
}

static enum doctor_state state_of(const struct diag_entry *entry)
{
	return entry->level == DIAG_ERROR && !needs_root(entry) ? DOCTOR_PROBLEM : DOCTOR_WARNING;
}

/* Reports each error and warning, with its own fix, or else with `fix`. */
static void say_diag(struct doctor *doctor, const char *check, const char *fix,
		     const struct diag *diag)
{
	enum doctor_state rest = DOCTOR_WARNING;
	size_t i;

	for (i = 0; i < diag->count && i < SHOWN; i++) {
		const struct diag_entry *entry = &diag->entry[i];
		const char *own_fix = needs_root(entry) ? DOCTOR_SUDO : entry->fix ?: fix;
		enum doctor_state state = state_of(entry);

		if (entry->file && entry->line)
			doctor_say(doctor, check, state, own_fix, "%s:%d:%d: %s", entry->file,
				   entry->line, entry->column, entry->message);
		else
			doctor_say(doctor, check, state, own_fix, "%s%s%s", entry->file ?: "",
				   entry->file ? ": " : "", entry->message);
	}
	for (; i < diag->count; i++)
		if (state_of(&diag->entry[i]) == DOCTOR_PROBLEM)
			rest = DOCTOR_PROBLEM;
	if (diag->count > SHOWN)
		doctor_say(doctor, check, rest, fix, "and %zu more", diag->count - SHOWN);
}

/* "START --catalog DIR.. PATH"; the caller frees. */
static char *command_text(const struct names *folders, const char *start, const char *path)
{
	struct names words = {};
	char *command;
	size_t i;

	names_add(&words, start);
	for (i = 0; i < folders->count; i++) {
		__free_text char *folder = shell_word(folders->name[i]);
		__free_text char *word = xasprintf("--catalog %s", folder);

		names_add(&words, word);
	}
	if (path) {
		__free_text char *word = shell_word(path);

		names_add(&words, word);
	}
	command = names_join(&words, " ");
	names_free(&words);
	return command;
}

/* Reads each profile and what it includes. Returns the number of profiles. */
static size_t read_all(struct catalog *catalog, struct diag *diag)
{
	struct names names = {};
	size_t count, i;

	if (catalog_names(catalog, &names, diag))
		return 0;
	for (i = 0; i < names.count; i++) {
		struct names one = {.name = &names.name[i], .count = 1};
		const struct profile **list;
		size_t found;

		if (catalog_find(catalog, names.name[i], diag) &&
		    !catalog_resolve(catalog, &one, &list, &found, diag))
			free(list);
	}
	count = names.count;
	names_free(&names);
	return count;
}

static void check_profiles(struct doctor *doctor, struct catalog *catalog)
{
	__cleanup(diag_free) struct diag diag = {};
	__free_text char *fix = command_text(doctor->folders, "portcullis check", NULL);
	size_t count = 0;

	if (!catalog_open(doctor->folders, catalog, &diag))
		count = read_all(catalog, &diag);
	say_diag(doctor, "profiles", fix, &diag);
	if (!diag.errors && !count)
		doctor_say(doctor, "profiles", DOCTOR_PROBLEM, "make install",
			   "there is none in %s", catalog->folder.name[0]);
	else if (!diag.count)
		doctor_say(doctor, "profiles", DOCTOR_OK, NULL, "all %zu are valid", count);
}

/* The command that restores the file that was confirmed last; the caller frees. */
static char *restore(const struct doctor *doctor)
{
	__cleanup(snapshot_free) struct snapshot confirmed = {};
	__cleanup(diag_free) struct diag unused = {};
	char digest[SHA256_TEXT];

	site_digest(&doctor->site, digest);
	if (!snapshot_open(STATE_CONFIRMED, &confirmed, &unused) && confirmed.there &&
	    strcmp(confirmed.digest, digest))
		return xstrdup("cp " STATE_CONFIRMED "/site.yaml " SITE_FILE);
	return xasprintf("edit %s: it was not confirmed", doctor->site.path);
}

static void check_tried(struct doctor *doctor, const char *path)
{
	__free_text char *fix = NULL;
	char digest[SHA256_TEXT];

	if (!doctor->site.path || !state_is_of(doctor->site_path))
		return;
	site_digest(&doctor->site, digest);
	doctor->site_tried = state_tried(digest) && !state_is_waiting(&doctor->hooks);
	if (!doctor->site_tried)
		return;
	fix = restore(doctor);
	doctor_say(doctor, "site-file", DOCTOR_PROBLEM, fix,
		   "%s was applied and not confirmed: the next boot uses what was confirmed before",
		   path);
}

static void check_file(struct doctor *doctor, struct catalog *catalog)
{
	const char *given = doctor->site_path;
	const char *path = given ? given : SITE_FILE;
	__free_text char *fix = command_text(doctor->folders, "portcullis check", path);
	__free_text char *interfaces = NULL;
	__cleanup(diag_free) struct diag diag = {};
	struct site *site = &doctor->site;

	doctor->site_wrong = site_read_partial(given, site, &diag);
	if (site->path && site_check(catalog, site, &diag))
		doctor->site_wrong = true;
	site_take_links(site, NULL, &diag);
	site_warn_unmatched(site, &diag);
	say_diag(doctor, "site-file", fix, &diag);
	if (!doctor->site_wrong)
		check_tried(doctor, path);
	if (diag.count || doctor->site_tried)
		return;
	interfaces = human_count(site->interfaces, "interface", "interfaces");
	if (site->path)
		doctor_say(doctor, "site-file", DOCTOR_OK, NULL, "%s: valid, %s", path, interfaces);
	else
		doctor_say(doctor, "site-file", DOCTOR_OK, NULL, "there is no %s", path);
}

void doctor_site(struct doctor *doctor)
{
	check_profiles(doctor, &doctor->catalog);
	check_file(doctor, &doctor->catalog);
}

/* --- the file and one interface --- */

const struct site_interface *doctor_wanted(const struct doctor *doctor, const struct hook *hook)
{
	return standing_interface(&doctor->site, hook->ifindex);
}

/* The result of comparing the attached filter with the site file. */
struct match {
	bool words;    /* both have the same words */
	bool profiles; /* and the profiles that they name are unchanged */
	char *changes; /* ports that apply would open and close; NULL: none */
};

/* A failed comparison counts as "the same", because the error is reported elsewhere. */
static void compare(struct doctor *doctor, const struct patient *patient,
		    const struct site_interface *wanted, struct match *match)
{
	__cleanup(diag_free) struct diag diag = {};
	struct plan plan = {};

	*match = (struct match){.words = true, .profiles = true};
	if (wanted->mode != HOOK_AUTO && wanted->mode != patient->hook.mode) {
		match->words = false;
		return;
	}
	if (!patient->kept ||
	    plan_make(&doctor->catalog, doctor->folders, &wanted->recipe, false, &plan, &diag))
		return; /* already reported: the file or the pins are damaged */
	match->words = json_equal(json_object_get(patient->kept, "recipe"),
				  json_object_get(plan.kept, "recipe"));
	match->profiles = kept_same(patient->kept, plan.kept);
	match->changes = difference_short(patient->kept, plan.kept);
	plan_free(&plan);
}

/* Reports on an interface whose entry in the file has no error. */
static void say_match(struct doctor *doctor, const struct patient *patient,
		      const struct site_interface *wanted, const char *apply, const char *waits)
{
	const char *path = doctor->site.path;
	struct match match;

	compare(doctor, patient, wanted, &match);
	if (match.words && waits)
		doctor_say(
			doctor, "site-file", DOCTOR_WARNING, apply,
			"%s; apply would use the new profiles, boot and reload keep the confirmed ones",
			waits);
	else if (match.words && match.profiles)
		doctor_say(doctor, "site-file", DOCTOR_OK, NULL,
			   "the attached filter is what %s says", path);
	else
		/* A reverted change has a fix of its own, which keeps the filter; one fix is
		 * enough. */
		doctor_say(doctor, "site-file", DOCTOR_WARNING,
			   patient_reverted(patient) ? NULL : apply,
			   "the attached filter differs from %s%s%s", path,
			   match.changes ? ": it " : "", match.changes ? match.changes : "");
	free(match.changes);
}

void doctor_wants(struct doctor *doctor, const struct patient *patient)
{
	const struct site_interface *wanted = doctor_wanted(doctor, &patient->hook);
	__free_text char *apply = doctor_apply(doctor);
	__cleanup(composition_free) struct composition unused = {};
	__cleanup(diag_free) struct diag said = {};
	__free_text char *waits = NULL;

	if (!doctor->site.path)
		return;
	waits = patient->kept ? state_waits(patient->hook.name, patient->kept) : NULL;
	doctor_unhear(doctor);
	if (wanted && doctor->site_wrong &&
	    !site_check_interface(&doctor->catalog, &doctor->site, wanted, &unused, &said)) {
		doctor_say(doctor, "site-file", DOCTOR_PROBLEM, apply,
			   "its part of %s has an error: it is left out at boot",
			   doctor->site.path);
		return;
	}
	if (!wanted && doctor->site_wrong) {
		doctor_say(doctor, "site-file", DOCTOR_WARNING, apply,
			   "%s has errors, and no part for this interface that could be read",
			   doctor->site.path);
	} else if (!wanted) {
		__free_text char *fix = xasprintf("%s --dry-run", apply);

		doctor_say(doctor, "site-file", DOCTOR_WARNING, fix,
			   "%s does not list this interface: apply would detach its filter",
			   doctor->site.path);
	} else {
		say_match(doctor, patient, wanted, apply, waits);
	}
}

char *doctor_apply(const struct doctor *doctor)
{
	__free_text char *site = NULL;
	__free_text char *start = NULL;

	if (doctor->site_wrong)
		return command_text(doctor->folders, "portcullis check", doctor->site.path);
	if (doctor->site_tried)
		return restore(doctor);
	if (!doctor->site_path)
		return command_text(doctor->folders, "portcullis apply", NULL);
	site = shell_word(doctor->site_path);
	start = xasprintf("portcullis apply --site %s", site);
	return command_text(doctor->folders, start, NULL);
}
