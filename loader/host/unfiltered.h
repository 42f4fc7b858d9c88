/* SPDX-License-Identifier: GPL-2.0 */
/* Interfaces without a filter, beside those that have one. */
#ifndef PORTCULLIS_HOST_UNFILTERED_H
#define PORTCULLIS_HOST_UNFILTERED_H

#include "loader/base/names.h"

/*
 * Adds the names of interfaces by which this host is reached, and which no filter sees, if another
 * interface of the network namespace has a filter: they are up and have an address. Bridges, and
 * devices of containers and guests (veth, tap, macvtap), are left out. Returns 0 or -errno.
 */
int unfiltered_find(struct names *names);

#endif
