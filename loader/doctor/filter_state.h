/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of the filter's own state. */
#ifndef PORTCULLIS_DOCTOR_FILTER_STATE_H
#define PORTCULLIS_DOCTOR_FILTER_STATE_H

#include "loader/doctor/patient.h"

void doctor_filter(struct doctor *doctor, const struct patient *patient);

#endif
