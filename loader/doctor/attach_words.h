/* SPDX-License-Identifier: GPL-2.0 */
/* What a filter was made from, as the options that make it again. */
#ifndef PORTCULLIS_DOCTOR_ATTACH_WORDS_H
#define PORTCULLIS_DOCTOR_ATTACH_WORDS_H

#include "loader/doctor/patient.h"

/*
 * " -p ssh --group ..": the options of attach that make it again; NULL: " -p PROFILE". To be freed.
 */
char *doctor_words(const json_t *kept);
/* Of what judges, or in the place of a stand-in of the attach that was not confirmed. */
char *doctor_recipe(const struct patient *patient);

#endif
