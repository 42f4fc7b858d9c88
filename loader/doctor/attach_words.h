/* SPDX-License-Identifier: GPL-2.0 */
/* The options of `attach` that would make an attached filter again. */
#ifndef PORTCULLIS_DOCTOR_ATTACH_WORDS_H
#define PORTCULLIS_DOCTOR_ATTACH_WORDS_H

#include "loader/doctor/patient.h"

/*
 * " -p ssh --group ..": the options of attach that make it again; NULL: " -p PROFILE". To be freed.
 */
char *doctor_words(const json_t *kept);
/* Uses the active generation; for an attach that was not confirmed, the reverted one. */
char *doctor_recipe(const struct patient *patient);

#endif
