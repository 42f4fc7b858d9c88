/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of the catalog and the site file. */
#ifndef PORTCULLIS_DOCTOR_SITE_FILE_H
#define PORTCULLIS_DOCTOR_SITE_FILE_H

#include "loader/doctor/patient.h"

/* Opens doctor->catalog and doctor->site, for the interfaces too. */
void doctor_site(struct doctor *doctor);

/* The site file's entry of an interface; NULL: there is none. */
const struct site_interface *doctor_wanted(const struct doctor *doctor, const struct hook *hook);
/* Says whether its filter is that. */
void doctor_wants(struct doctor *doctor, const struct patient *patient);

/*
 * The command that applies the file, with --site and --catalog as given. If the file has errors or
 * was reverted: the command to run before. The caller frees.
 */
char *doctor_apply(const struct doctor *doctor);

#endif
