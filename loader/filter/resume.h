/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTCULLIS_FILTER_RESUME_H
#define PORTCULLIS_FILTER_RESUME_H

/*
 * Puts the programs of this network namespace's filters into their drivers again. The lock must be
 * held. 0, or -errno with messages: the others are done all the same. `comment`: of --comment, or
 * NULL.
 */
int resume_all(const char *comment);

#endif
