/* SPDX-License-Identifier: GPL-2.0 */
/* `doctor`'s checks of the catalog and the site file. */
#ifndef PORTCULLIS_DOCTOR_SITE_FILE_H
#define PORTCULLIS_DOCTOR_SITE_FILE_H

#include "loader/doctor/patient.h"

/* Opens doctor->catalog and doctor->site, which the checks of interfaces use, too. */
void doctor_site(struct doctor *doctor);

/* The site file's entry of an interface; NULL: there is none. */
const struct site_interface *doctor_wanted(const struct doctor *doctor, const struct hook *hook);
/* Reports whether the interface's filter is the one in the file. */
void doctor_wants(struct doctor *doctor, const struct patient *patient);

/*
 * The command that applies the file, with --site and --catalog as given. If the file has errors or
 * was reverted: the command that has to be run first. The caller frees.
 */
char *doctor_apply(const struct doctor *doctor);

#endif
