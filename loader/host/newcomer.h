/* SPDX-License-Identifier: GPL-2.0 */
/* Tells an interface that has just come from one that packets may go through already. */
#ifndef PORTCULLIS_HOST_NEWCOMER_H
#define PORTCULLIS_HOST_NEWCOMER_H

#include <stdbool.h>

/*
 * Notes the interfaces that are there when portcullis.service starts. The root file system, too,
 * may be behind one of these.
 */
void newcomers_begin(void);

/*
 * True if the interface came since, and udev has never seen it before. False if that cannot be
 * read.
 */
bool newcomer_is(unsigned int ifindex);

#endif
