/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of machines and containers behind an interface. */
#ifndef PORTCULLIS_DOCTOR_MACHINES_H
#define PORTCULLIS_DOCTOR_MACHINES_H

#include "loader/doctor/patient.h"

/* Reports published ports that no service lists, and machines to which this host has no route. */
void doctor_machines(struct doctor *doctor, const struct patient *patient);

#endif
