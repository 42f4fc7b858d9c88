/* SPDX-License-Identifier: GPL-2.0 */
/* An interface under examination by `doctor`. */
#ifndef PORTCULLIS_DOCTOR_PATIENT_H
#define PORTCULLIS_DOCTOR_PATIENT_H

#include <stdbool.h>

#include "loader/doctor/findings.h"
#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/net/link.h"
#include "loader/net/nic.h"

struct patient {
	struct hook hook;
	struct link_facts link;
	struct nic nic;
	struct filter filter;
	int opened;   /* 0 or -errno of opening `filter`, where hook.id is set */
	bool open;    /* `filter` is open */
	json_t *kept; /* as filter_kept; NULL: there is none */
	char *name;   /* as shell_word */
};

/*
 * Reads the state of an interface. 0; or -errno, with a finding. The caller calls patient_free in
 * both cases.
 */
int patient_examine(struct doctor *doctor, const char *interface, struct patient *patient);
void patient_free(struct patient *patient);

/*
 * True if the active generation is the fallback of a change that was reverted; needs an open
 * filter.
 */
bool patient_reverted(const struct patient *patient);

#endif
