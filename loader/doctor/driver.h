/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of the driver: queues, offloads. */
#ifndef PORTCULLIS_DOCTOR_DRIVER_H
#define PORTCULLIS_DOCTOR_DRIVER_H

#include "loader/doctor/patient.h"

void doctor_nic(struct doctor *doctor, const struct patient *patient);

#endif
