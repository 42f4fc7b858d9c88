/* SPDX-License-Identifier: GPL-2.0 */
/* XDP and TC programs of other tools. */
#ifndef PORTCULLIS_DOCTOR_PROGRAMS_H
#define PORTCULLIS_DOCTOR_PROGRAMS_H

#include "loader/doctor/patient.h"

void doctor_programs(struct doctor *doctor, const struct patient *patient);

#endif
