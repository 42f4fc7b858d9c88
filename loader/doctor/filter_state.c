// SPDX-License-Identifier: GPL-2.0
/* Checks a filter, and reports one that is missing. */
#include "loader/doctor/filter_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/memory.h"
#include "loader/compile/kept.h"
#include "loader/doctor/attach_words.h"
#include "loader/doctor/site_file.h"
#include "loader/filter/any_layout.h"
#include "loader/filter/confirm.h"
#include "loader/filter/egress.h"
#include "loader/filter/installed.h"
#include "loader/filter/open.h"
#include "loader/object/paths.h"
#include "loader/recipe/sends.h"
#include "loader/report/json_forms.h"

#define SERVICES_SHOWN 8

/* The interface has no filter. */
static void say_none(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *fix = xasprintf("portcullis attach %s -p PROFILE", patient->name);
	__free_text char *apply = doctor_apply(doctor);

	if (doctor_wanted(doctor, &patient->hook))
		doctor_say(
			doctor, "filter", DOCTOR_PROBLEM, apply,
			"no filter is attached, although the site file lists this interface: everything passes");
	else if (doctor->privileged)
		doctor_say(doctor, "filter", DOCTOR_WARNING, fix,
			   "no filter is attached: everything passes");
}

/*
 * The attach command that makes the filter again from the kept recipe; NULL: the recipe cannot be
 * read. The caller frees.
 */
static char *attach_again(const struct doctor *doctor, const struct patient *patient,
			  const char *text)
{
	__free_text char *attach = NULL;
	__free_text char *words = NULL;
	json_t *kept = NULL;

	if (doctor_wanted(doctor, &patient->hook)) {
		attach = doctor_apply(doctor);
	} else {
		if (text && kept_parse(patient->hook.name, text, &kept))
			kept = NULL;
		words = doctor_words(kept);
		json_decref(kept);
		attach = xasprintf("portcullis attach %s%s", patient->name, words);
	}
	return xasprintf("portcullis detach %s && %s", patient->name, attach);
}

/* The filter has another layout: an older one can be taken over. */
static void say_other(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(any_layout_close) struct any_layout other = {.filter = FILTER_NONE};
	bool known = !any_layout_open(patient->hook.id, &other);
	__free_text char *again = attach_again(doctor, patient, other.recipe);
	__free_text char *swap = xasprintf("portcullis swap %s", patient->name);

	if (known && other.version < PC_ABI_VERSION)
		doctor_say(
			doctor, "filter", DOCTOR_PROBLEM, swap,
			"an older version of portcullis attached it, with another layout; swap takes it over without a gap");
	else
		doctor_say(
			doctor, "filter", DOCTOR_PROBLEM, again,
			"%s version of portcullis attached it, whose layout this one (%s) does not know; use that version, or attach anew",
			known ? "a newer" : "another", PORTCULLIS_VERSION);
	doctor_unhear(doctor);
}

/* The filter is ours, but cannot be read. */
static void say_unreadable(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *again = attach_again(doctor, patient, NULL);

	if (patient->opened == -EPROTO)
		say_other(doctor, patient);
	else if (patient->opened == -ENOENT)
		doctor_say(doctor, "filter", DOCTOR_PROBLEM, again,
			   "pins are missing below " PINS
			   "/%s: the filter works, but no command can change it",
			   patient->hook.id);
	else
		doctor_say(doctor, "filter", DOCTOR_PROBLEM, NULL, PINS "/%s: cannot read: %s",
			   patient->hook.id, strerror(-patient->opened));
}

/* The layout is the same, but another version made the program. */
static void check_version(struct doctor *doctor, const struct patient *patient)
{
	const struct pc_generation *current = patient->filter.current.copy;
	__free_text char *fix = xasprintf("portcullis swap %s", patient->name);

	/* A filter with a pending change is not taken over. */
	if (!current->deadline &&
	    strncmp(current->program_version, PORTCULLIS_VERSION, sizeof(current->program_version)))
		doctor_say(
			doctor, "filter", DOCTOR_WARNING, fix,
			"its program is of version %.*s; swap takes it over to this one, " PORTCULLIS_VERSION,
			(int)sizeof(current->program_version), current->program_version);
}

static void check_policy(struct doctor *doctor, const struct patient *patient)
{
	const struct site_interface *site = doctor_wanted(doctor, &patient->hook);
	__free_text char *fix = xasprintf("portcullis swap %s --enforce", patient->name);

	if (patient->filter.current.copy->policy != PC_POLICY_OBSERVE)
		doctor_say(doctor, "policy", DOCTOR_OK, NULL,
			   "enforce: packets that no rule admits are dropped");
	else if (site && site->recipe.policy == PC_POLICY_OBSERVE)
		doctor_say(doctor, "policy", DOCTOR_OK, NULL,
			   "observe, as the site file says: nothing is dropped");
	else
		doctor_say(doctor, "policy", DOCTOR_WARNING, fix, "observe: nothing is dropped");
}

static void check_outbound(struct doctor *doctor, const struct patient *patient)
{
	const json_t *recipe = json_object_get(patient->kept, "recipe");
	const json_t *profiles = json_object_get(patient->kept, "profiles");
	const char *outbound = json_string_value(json_object_get(recipe, "outbound"));
	__free_text char *any = sends_any_text(recipe, profiles);
	__free_text char *nothing = sends_nothing(recipe, profiles);
	__free_text char *fix = xasprintf("portcullis swap %s --outbound track", patient->name);

	if (nothing)
		doctor_say(doctor, "outbound", DOCTOR_WARNING, fix, "%s", nothing);
	else if (any)
		doctor_say(doctor, "outbound", DOCTOR_OK, NULL,
			   "enforce, but everything may go out: outbound any of %s", any);
	else if (outbound && !strcmp(outbound, outbound_name[PC_OUTBOUND_ENFORCE]))
		doctor_say(doctor, "outbound", DOCTOR_OK, NULL,
			   "enforce: packets that no outgoing service lists are not sent");
	else if (patient->kept)
		doctor_say(doctor, "outbound", DOCTOR_OK, NULL, "track: every packet may go out");
}

/* Reports services that are unreachable because none of their groups is defined. */
static void find_closed(const json_t *kept, struct names *services, struct names *groups)
{
	const json_t *profile, *service, *group;
	size_t i, j, k;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		json_array_foreach (json_object_get(profile, "services"), j, service) {
			const json_t *why = json_object_get(service, "why_closed");
			__free_text char *full = NULL;

			if (!json_is_string(why) || strcmp(json_string_value(why), "group"))
				continue;
			full = xasprintf("%s:%s", name,
					 json_string_value(json_object_get(service, "name")));
			names_add_once(services, full);
			json_array_foreach (json_object_get(service, "from"), k, group)
				names_add_once(groups, json_string_value(group));
			json_array_foreach (json_object_get(service, "to"), k, group)
				names_add_once(groups, json_string_value(group));
		}
	}
}

static void check_groups(struct doctor *doctor, const struct patient *patient)
{
	struct names services = {}, groups = {}, fix = {};
	size_t i, all;

	find_closed(patient->kept, &services, &groups);
	for (i = 0; i < groups.count; i++) {
		__free_text char *word = xasprintf("--group %s=PREFIX", groups.name[i]);

		names_add(&fix, word);
	}
	all = services.count;
	if (all) {
		__free_text char *words = names_join(&fix, " ");
		__free_text char *command =
			xasprintf("portcullis swap %s %s", patient->name, words);
		__free_text char *list = NULL;

		services.count = all < SERVICES_SHOWN ? all : SERVICES_SHOWN;
		list = names_join(&services, ", ");
		services.count = all;
		doctor_say(doctor, "groups", DOCTOR_WARNING, command,
			   "closed because their groups are not defined: %s%s", list,
			   all > SERVICES_SHOWN ? " and others" : "");
	} else if (patient->kept) {
		doctor_say(doctor, "groups", DOCTOR_OK, NULL,
			   "no service is closed because of an undefined group");
	}
	names_free(&services);
	names_free(&groups);
	names_free(&fix);
}

/*
 * The number of a generation that an interrupted command left; 0: none. A running command has one,
 * too, for at most a second.
 */
static unsigned long long left_over(const struct patient *patient)
{
	static const struct timespec pause = {.tv_nsec = 100000000};
	unsigned long long number = 0;
	int i;

	for (i = 0; i < 15; i++) {
		__cleanup(filter_close) struct filter filter = FILTER_NONE;
		const struct pc_generation *found;
		__u64 batch;

		if (filter_open_head(patient->hook.id, &filter) ||
		    filter_left_over(&filter, &batch))
			return 0;
		found = filter.prepared.copy ? filter.prepared.copy : filter.replaced.copy;
		if (!found || (number && found->number != number))
			return 0;
		number = found->number;
		nanosleep(&pause, NULL);
	}
	return number;
}

static void check_left_over(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *fix = xasprintf("portcullis swap %s", patient->name);
	unsigned long long number = left_over(patient);

	doctor_unhear(doctor);
	if (number)
		doctor_say(
			doctor, "filter", DOCTOR_WARNING, fix,
			"an interrupted command left generation %llu behind; the next command that changes anything cleans it up",
			number);
}

static void check_egress(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *fix = xasprintf("portcullis swap %s", patient->name);

	if (patient->filter.fd[FILTER_EGRESS] < 0) /* only root may open its pins */
		doctor_say(doctor, "egress", DOCTOR_WARNING, DOCTOR_SUDO,
			   "only root can see whether the egress program is attached");
	else if (egress_state(&patient->filter, patient->hook.ifindex) == EGRESS_MISSING)
		doctor_say(
			doctor, "egress", DOCTOR_PROBLEM, fix,
			"the egress program is missing: outgoing packets are neither learned nor filtered");
	else
		doctor_say(doctor, "egress", DOCTOR_OK, NULL, "the egress program is attached");
}

static void say_filter(struct doctor *doctor, const struct patient *patient)
{
	const struct pc_generation *generation = patient->filter.current.copy;
	const json_t *recipe = json_object_get(patient->kept, "recipe");
	__free_text char *profiles = report_joined(json_object_get(recipe, "profiles"), " + ");
	char made[TIME_TEXT];

	doctor_say(doctor, "filter", DOCTOR_OK, NULL, "%s: generation %llu, made %s by %.*s",
		   profiles, (unsigned long long)generation->number,
		   report_time(generation->made_at, made), (int)sizeof(generation->program_version),
		   generation->program_version);
}

/* --- a pending change, or one that was not confirmed in time --- */

static void say_waiting(struct doctor *doctor, const struct patient *patient)
{
	const struct filter *filter = &patient->filter;
	unsigned int left = seconds_left(filter->current.copy);
	__free_text char *fix = xasprintf("portcullis confirm %s", patient->name);

	if (filter->fallback.copy->stand_in)
		doctor_say(doctor, "confirm", DOCTOR_WARNING, fix,
			   "%u s left to confirm the attach, then everything passes", left);
	else
		doctor_say(
			doctor, "confirm", DOCTOR_WARNING, fix,
			"%u s left to confirm generation %llu, then generation %llu is active again",
			left, (unsigned long long)filter->current.copy->number,
			(unsigned long long)filter->fallback.copy->number);
}

static void say_reverted(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *swap = xasprintf("portcullis swap %s", patient->name);
	__free_text char *words = doctor_recipe(patient);
	__free_text char *again = doctor_wanted(doctor, &patient->hook) ?
					  doctor_apply(doctor) :
					  xasprintf("portcullis attach %s%s", patient->name, words);
	const struct pc_generation *current = patient->filter.current.copy;

	doctor_unhear(doctor);
	if (current->stand_in)
		doctor_say(doctor, "confirm", DOCTOR_PROBLEM, again,
			   "the attach was not confirmed in time: everything passes");
	else
		doctor_say(
			doctor, "confirm", DOCTOR_PROBLEM, swap,
			"the last change was reverted because it was not confirmed in time: generation %llu is active again; the fix makes it permanent",
			(unsigned long long)current->number);
}

static void check_confirm(struct doctor *doctor, const struct patient *patient)
{
	if (patient_reverted(patient))
		say_reverted(doctor, patient);
	else if (patient->filter.current.copy->deadline)
		say_waiting(doctor, patient);
	else
		doctor_say(doctor, "confirm", DOCTOR_OK, NULL, "the generation is final");
}

void doctor_filter(struct doctor *doctor, const struct patient *patient)
{
	if (patient->open) {
		say_filter(doctor, patient);
		check_version(doctor, patient);
		check_left_over(doctor, patient);
		check_confirm(doctor, patient);
		if (!patient->filter.current.copy->stand_in)
			check_policy(doctor, patient);
		check_outbound(doctor, patient);
		check_groups(doctor, patient);
		check_egress(doctor, patient);
		if (!patient->filter.current.copy->stand_in)
			doctor_wants(doctor, patient);
	} else if (patient->hook.id[0]) {
		say_unreadable(doctor, patient);
	} else if (!patient->hook.program_id) {
		say_none(doctor, patient);
	}
}
