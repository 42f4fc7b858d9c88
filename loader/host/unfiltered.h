/* SPDX-License-Identifier: GPL-2.0 */
/* Finds interfaces without a filter, on a host that has a filter on another one. */
#ifndef PORTCULLIS_HOST_UNFILTERED_H
#define PORTCULLIS_HOST_UNFILTERED_H

#include "loader/base/names.h"
#include "loader/filter/hook.h"

/*
 * If an interface of the network namespace has a filter: adds the names of the interfaces that are
 * up, have an address, and have no filter at or below them. Bridges, and devices of containers and
 * guests (veth, tap, macvtap), are left out. Returns 0 or -errno.
 */
int unfiltered_find(const struct hooks *hooks, struct names *names);

#endif
