/* SPDX-License-Identifier: GPL-2.0 */
/* Tells a new interface from one through which packets may already pass. */
#ifndef PORTCULLIS_HOST_NEWCOMER_H
#define PORTCULLIS_HOST_NEWCOMER_H

#include <stdbool.h>

/*
 * Notes the interfaces that exist when portcullis.service starts. Even the root file system may be
 * behind one of them.
 */
void newcomers_begin(void);

/*
 * True if the interface was added later, and udev has never seen it. False if that cannot be read.
 */
bool newcomer_is(unsigned int ifindex);

#endif
