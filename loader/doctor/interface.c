// SPDX-License-Identifier: GPL-2.0
/* `doctor`'s checks of one interface. */
#include "loader/doctor/interface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/shell.h"
#include "loader/doctor/attach_words.h"
#include "loader/doctor/driver.h"
#include "loader/doctor/filter_state.h"
#include "loader/doctor/machines.h"
#include "loader/doctor/programs.h"
#include "loader/filter/load.h"
#include "loader/host/audit.h"
#include "loader/net/frame_find.h"
#include "loader/net/hairpin.h"
#include "loader/net/link_advice.h"
#include "loader/net/redirect.h"
#include "loader/report/audit.h"

static void check_up(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *fix = xasprintf("ip link set dev %s up", patient->name);

	if (patient->link.up)
		doctor_say(doctor, "link", DOCTOR_OK, NULL, "%s%sis up", patient->link.kind,
			   patient->link.kind[0] ? ": " : "");
	else
		doctor_say(doctor, "link", DOCTOR_WARNING, fix, "is down");
}

/* Checks that the filter can parse the interface's frames. */
static void check_frames(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *why = NULL;
	__free_text char *instead = NULL;
	__free_text char *recipe = doctor_recipe(patient);
	__free_text char *fix = xasprintf("portcullis detach %s && portcullis attach %s%s",
					  patient->name, patient->name, recipe);
	enum pc_frame now, loaded;
	int err = frame_find(patient->hook.ifindex, &now, &why, &instead);

	if (err == -EOPNOTSUPP)
		doctor_say(doctor, "link", DOCTOR_PROBLEM, instead, "cannot be filtered: %s", why);
	else if (!err && patient->open && !filter_frame(&patient->filter, &loaded) && loaded != now)
		doctor_say(
			doctor, "link", DOCTOR_PROBLEM, fix,
			"its link type has changed since the filter was attached, so frames are misread");
}

static void check_redirects(struct doctor *doctor, const struct patient *patient)
{
	if (redirect_comes(patient->hook.ifindex))
		doctor_say(
			doctor, "link", DOCTOR_WARNING,
			"attach to the interface by which they come in",
			"tc redirects or mirrors packets to it (tc actions list action mirred): they skip XDP, and are not filtered here");
}

static void check_vlan(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *lower = shell_word(patient->link.lower);
	__free_text char *recipe = doctor_recipe(patient);
	__free_text char *fix = xasprintf("portcullis attach %s%s", lower, recipe);

	if (!strcmp(patient->link.kind, "vlan") && patient->link.lower[0])
		doctor_say(
			doctor, "link", DOCTOR_WARNING, fix,
			"is a VLAN of %s: XDP is generic here, and slow; attached to %s it can be native, and filters all its VLANs",
			patient->link.lower, patient->link.lower);
}

struct telling {
	struct doctor *doctor;
	const struct patient *patient;
};

static bool learns_forwarded(const struct patient *patient)
{
	return patient->open && patient->filter.current.copy->forward;
}

static void tell(void *context, enum link_matter matter, const char *other, const char *text)
{
	const struct telling *telling = context;
	const struct patient *patient = telling->patient;
	__free_text char *recipe = doctor_recipe(patient);
	__free_text char *word = shell_word(other);
	__free_text char *fix = NULL;
	enum doctor_state state = DOCTOR_WARNING;

	if (matter == LINK_MEMBER)
		fix = xasprintf("portcullis attach %s%s", word, recipe);
	else if (matter == LINK_BRIDGE || learns_forwarded(patient))
		state = DOCTOR_OK; /* this is the intended state */
	else if (patient->open)
		fix = xasprintf("portcullis swap %s --forward", patient->name);
	else
		fix = xasprintf("portcullis attach %s%s --forward", patient->name, recipe);
	doctor_say(telling->doctor, "link", state, fix, "%s", text);
}

static void check_hairpin(struct doctor *doctor, const struct patient *patient)
{
	struct hairpin hairpin = {.ifindex = patient->hook.ifindex};
	__free_text char *text = NULL;

	if (link_forwarding() && learns_forwarded(patient))
		hairpin.generation = patient->filter.current.copy;
	hairpins_find(&hairpin, 1);
	text = hairpin_text(&hairpin);
	if (text)
		doctor_say(doctor, "forwarding", DOCTOR_WARNING, NULL, "%s", text);
}

static void check_forwarding(struct doctor *doctor, const struct patient *patient)
{
	__free_text char *recipe = doctor_recipe(patient);
	__free_text char *fix =
		patient->open ?
			xasprintf("portcullis swap %s --forward", patient->name) :
			xasprintf("portcullis attach %s%s --forward", patient->name, recipe);

	if (!link_forwarding())
		doctor_say(doctor, "forwarding", DOCTOR_OK, NULL, "this host forwards nothing");
	else if (learns_forwarded(patient))
		doctor_say(doctor, "forwarding", DOCTOR_OK, NULL,
			   patient->filter.current.copy->forward == PC_FORWARD_ALL ?
				   "is on, and replies to forwarded connections are admitted" :
				   "is on, and replies to what machines begin are admitted");
	else
		doctor_say(
			doctor, "forwarding", DOCTOR_WARNING, fix,
			"is on: packets for other hosts are filtered by these profiles too, and replies to forwarded connections are dropped");
}

/* Whether the rules fit the host is checked by `audit`, to which a line points. */
static void check_fit(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(audited_host_free) struct audited_host host = {};
	__free_text char *summary = NULL;
	json_t *findings;

	if (!patient->open || !patient->kept || audited_host_read(&host))
		return;
	findings = audited_findings(&host, patient->hook.name, patient->hook.ifindex, patient->kept,
				    NULL, NULL);
	summary = audit_summary(findings);
	json_decref(findings);
	if (summary)
		doctor_say(doctor, "audit", DOCTOR_OK, NULL, "%s: see portcullis audit %s", summary,
			   patient->name);
	else
		doctor_say(doctor, "audit", DOCTOR_OK, NULL,
			   "every port that listens is open, and every open port listens");
}

bool doctor_interface(struct doctor *doctor, const char *interface)
{
	struct patient patient = {};
	struct telling telling = {doctor, &patient};
	bool found;

	doctor->interface = interface;
	found = !patient_examine(doctor, interface, &patient);
	if (found) {
		doctor->interface = patient.hook.name;
		doctor_heard(doctor, "filter");
		check_up(doctor, &patient);
		check_frames(doctor, &patient);
		check_redirects(doctor, &patient);
		check_vlan(doctor, &patient);
		link_advise(patient.hook.ifindex, tell, &telling);
		check_forwarding(doctor, &patient);
		check_hairpin(doctor, &patient);
		doctor_nic(doctor, &patient);
		doctor_programs(doctor, &patient);
		doctor_filter(doctor, &patient);
		doctor_machines(doctor, &patient);
		check_fit(doctor, &patient);
	}
	patient_free(&patient);
	doctor->interface = NULL;
	return found;
}
