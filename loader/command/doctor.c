// SPDX-License-Identifier: GPL-2.0
/* `doctor`: finds what is wrong with this host and its interfaces, and the fix. */
#include "loader/command/doctor.h"

#include <net/if.h>
#include <stdlib.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/doctor/findings.h"
#include "loader/doctor/groups.h"
#include "loader/doctor/host.h"
#include "loader/doctor/interface.h"
#include "loader/filter/hook.h"
#include "loader/filter/marks.h"
#include "loader/host/unfiltered.h"
#include "loader/net/ipsec.h"
#include "loader/net/link.h"
#include "loader/report/json_forms.h"

static void hear(void *context, bool is_error, const char *text, const char *fix)
{
	struct doctor *doctor = context;

	json_array_append_new(doctor->heard, json_pack("{s:b, s:s, s:s?}", "error", is_error,
						       "message", text, "fix", fix));
}

static void add_filtered(const struct doctor *doctor, struct names *names)
{
	size_t i;

	for (i = 0; i < doctor->hooks.count; i++)
		names_add_once(names, doctor->hooks.hook[i].name);
}

/* Adds every interface with an XDP program, because without privilege the owner of the program is
 * unknown. */
static void add_with_program(struct doctor *doctor, struct names *names)
{
	struct if_nameindex *all = if_nameindex();
	struct hook hook;
	size_t i;

	for (i = 0; all && all[i].if_index; i++)
		if (!hook_find(&doctor->hooks, all[i].if_name, &hook) && hook.program_id)
			names_add_once(names, hook.name);
	if (all)
		if_freenameindex(all);
	doctor_unhear(doctor);
}

/* Adds the interfaces of the site file by their real name: the file may have an alternative name.
 */
static void add_site(const struct doctor *doctor, struct names *names)
{
	size_t i;

	for (i = 0; i < doctor->site.interfaces; i++) {
		const char *given = doctor->site.interface[i].name;
		char real[IF_NAMESIZE];

		names_add_once(names, link_find(given, real) > 0 ? real : given);
	}
}

/* Warns of interfaces without a filter: an answer may come in by another interface than the one
 * that sent the query. */
static void look_for_unfiltered(struct doctor *doctor)
{
	struct names names = {};
	size_t i;

	if (unfiltered_find(&doctor->hooks, &names))
		doctor_heard(doctor, "unfiltered");
	for (i = 0; i < names.count; i++) {
		__free_text char *word = shell_word(names.name[i]);
		__free_text char *fix =
			xasprintf("portcullis attach %s -p PROFILE --observe", word);

		doctor_say(
			doctor, "unfiltered", DOCTOR_WARNING, fix,
			"%s is up, has an address and no filter: replies to connections that this host opens there are dropped if they come in by an interface with a filter",
			names.name[i]);
	}
	names_free(&names);
}

static void look_for_ipsec(struct doctor *doctor)
{
	if (ipsec_decrypts())
		doctor_say(doctor, "ipsec", DOCTOR_WARNING, NULL, "%s", IPSEC_UNFILTERED);
}

/* Reports the cost of a flood to closed ports. */
static void look_at_marks(struct doctor *doctor)
{
	__free_text char *why = NULL;

	if (!doctor->privileged || !doctor->hooks.count)
		return;
	if (marks_trusted(&doctor->hooks, &why))
		doctor_say(
			doctor, "marks", DOCTOR_OK, NULL,
			"a flood to ports that had no connection is dropped without a socket lookup");
	else if (why)
		doctor_say(
			doctor, "marks", DOCTOR_OK, NULL,
			"each UDP packet and TCP ACK to an unlisted port needs a socket lookup: %s",
			why);
	doctor_unhear(doctor);
}

static void look_at_all(struct doctor *doctor)
{
	struct names names = {};
	size_t i;

	look_for_unfiltered(doctor);
	look_for_ipsec(doctor);
	look_at_marks(doctor);
	doctor_groups(doctor);
	add_filtered(doctor, &names);
	if (!doctor->privileged)
		add_with_program(doctor, &names);
	add_site(doctor, &names);
	for (i = 0; i < names.count; i++)
		doctor_interface(doctor, names.name[i]);
	if (!names.count)
		doctor_say(doctor, "filter", DOCTOR_OK, NULL,
			   "no interface of this network namespace has one");
	names_free(&names);
}

int command_doctor(const struct options *options, struct diag *diag)
{
	struct doctor doctor = {.folders = &options->catalog, .site_path = options->site};

	(void)diag;
	if (options->arguments.count > 1) {
		error("doctor: takes one interface, or none for all; see portcullis doctor --help");
		return EXIT_USAGE;
	}
	doctor.checks = json_array();
	doctor.heard = json_array();
	messages_to(hear, &doctor);
	doctor.hooks_err = hooks_read(&doctor.hooks);
	doctor_heard(&doctor, "filter");
	doctor_host(&doctor);
	if (options->arguments.count)
		doctor_interface(&doctor, options->arguments.name[0]);
	else
		look_at_all(&doctor);
	messages_to(NULL, NULL);
	report_print(report_new("checks", doctor.checks), options->json ? NULL : doctor_text);
	json_decref(doctor.heard);
	site_free(&doctor.site);
	catalog_close(&doctor.catalog);
	hooks_free(&doctor.hooks);
	return doctor.problem || (options->strict && doctor.warned) ? EXIT_FAILED : EXIT_DONE;
}
