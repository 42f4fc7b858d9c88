/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of one interface. */
#ifndef PORTCULLIS_DOCTOR_INTERFACE_H
#define PORTCULLIS_DOCTOR_INTERFACE_H

#include <stdbool.h>

#include "loader/doctor/findings.h"

/* By name; false, and it is said, if there is none. */
bool doctor_interface(struct doctor *doctor, const char *interface);

#endif
