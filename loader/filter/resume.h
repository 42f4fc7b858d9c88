/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTCULLIS_FILTER_RESUME_H
#define PORTCULLIS_FILTER_RESUME_H

/*
 * Puts the programs of this network namespace's filters into their drivers again. The caller must
 * hold the lock. 0, or -errno with messages; one failure does not stop the others. `comment`: text
 * of --comment, or NULL.
 */
int resume_all(const char *comment);

#endif
