/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of one interface. */
#ifndef PORTCULLIS_DOCTOR_INTERFACE_H
#define PORTCULLIS_DOCTOR_INTERFACE_H

#include <stdbool.h>

#include "loader/doctor/findings.h"

/* Checks the interface of that name; false, with a finding, if there is none. */
bool doctor_interface(struct doctor *doctor, const char *interface);

#endif
