/* SPDX-License-Identifier: GPL-2.0 */
/* Finds interfaces without a filter on a host that filters others. */
#ifndef PORTCULLIS_HOST_UNFILTERED_H
#define PORTCULLIS_HOST_UNFILTERED_H

#include "loader/base/names.h"
#include "loader/filter/hook.h"

/*
 * Adds the names of interfaces that are up, have an address, and have no filter, nor one below
 * them, if another interface of the network namespace has a filter. Bridges, and devices of
 * containers and guests (veth, tap, macvtap), are left out. Returns 0 or -errno.
 */
int unfiltered_find(const struct hooks *hooks, struct names *names);

#endif
