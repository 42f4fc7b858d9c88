/* SPDX-License-Identifier: GPL-2.0 */
/* The options with which `attach` would make an attached filter again. */
#ifndef PORTCULLIS_DOCTOR_ATTACH_WORDS_H
#define PORTCULLIS_DOCTOR_ATTACH_WORDS_H

#include "loader/doctor/patient.h"

/*
 * " -p ssh --group ..": the options of attach for such a filter; NULL: " -p PROFILE". The caller
 * frees.
 */
char *doctor_words(const json_t *kept);
/* As above, from the active generation; for an attach that was not confirmed, from the reverted
 * one. */
char *doctor_recipe(const struct patient *patient);

#endif
