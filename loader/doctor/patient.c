// SPDX-License-Identifier: GPL-2.0
/* The interface that `doctor` checks. */
#include "loader/doctor/patient.h"

#include <errno.h>
#include <stdlib.h>

#include "loader/base/memory.h"
#include "loader/base/shell.h"
#include "loader/filter/open.h"
#include "loader/host/attached.h"
#include "loader/net/link.h"

int patient_examine(struct doctor *doctor, const char *interface, struct patient *patient)
{
	int err;

	patient->filter = FILTER_NONE;
	if (doctor->hooks_err)
		return doctor->hooks_err;
	err = hook_find(&doctor->hooks, interface, &patient->hook);
	if (err && err != -ENODEV) {
		doctor_heard(doctor, "link");
		return err;
	}
	if (err) {
		bool wanted = site_interface(&doctor->site, interface);
		__free_text char *fix =
			wanted ? xasprintf("make it, or take it out of %s", doctor->site.path) :
				 NULL;

		__free_text char *there = links_there(interface);

		doctor_say(doctor, "link", DOCTOR_PROBLEM, fix,
			   "there is no such interface in this network namespace%s%s",
			   wanted ? ", and the site file has it" : "", there);
		doctor_unhear(doctor);
		return err;
	}
	patient->name = shell_word(patient->hook.name);
	link_facts(patient->hook.ifindex, &patient->link);
	nic_read(patient->hook.name, patient->hook.ifindex, &patient->nic);
	if (patient->hook.id[0])
		patient->opened = filter_try_open(patient->hook.id, &patient->filter);
	patient->open = patient->hook.id[0] && !patient->opened;
	if (patient->open)
		filter_kept(patient->hook.name, &patient->filter, &patient->kept);
	return 0;
}

bool patient_reverted(const struct patient *patient)
{
	const struct filter *filter = &patient->filter;

	return filter->reverted.copy || filter->current.copy->reverted_at;
}

void patient_free(struct patient *patient)
{
	filter_close(&patient->filter);
	json_decref(patient->kept);
	free(patient->name);
}
