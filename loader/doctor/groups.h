/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s check of groups with names of hosts. */
#ifndef PORTCULLIS_DOCTOR_GROUPS_H
#define PORTCULLIS_DOCTOR_GROUPS_H

#include "loader/doctor/findings.h"

/* Reports names in attached filters that are not answered, or are no longer asked. */
void doctor_groups(struct doctor *doctor);

#endif
