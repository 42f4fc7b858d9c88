/* SPDX-License-Identifier: GPL-2.0 */
/* The interface that `doctor` checks. */
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
	int opened;   /* result of opening `filter`: 0 or -errno; only if hook.id is set */
	bool open;    /* `filter` is open */
	json_t *kept; /* result of filter_kept; NULL: none */
	char *name;   /* name as shell_word */
};

/*
 * Reads the state of an interface. Returns 0, or -errno after a finding. The caller calls
 * patient_free in both cases.
 */
int patient_examine(struct doctor *doctor, const char *interface, struct patient *patient);
void patient_free(struct patient *patient);

/* True if the active generation is the fallback of a reverted change. The filter must be open. */
bool patient_reverted(const struct patient *patient);

#endif
