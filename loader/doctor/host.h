/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of the host: kernel, privilege, bpffs. */
#ifndef PORTCULLIS_DOCTOR_HOST_H
#define PORTCULLIS_DOCTOR_HOST_H

#include "loader/doctor/findings.h"

void doctor_host(struct doctor *doctor);

#endif
