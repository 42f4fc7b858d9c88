/* SPDX-License-Identifier: GPL-2.0 */
/* Whom a kept text ({"recipe", "profiles"}) admits by its groups. */
#ifndef PORTCULLIS_KEPT_H
#define PORTCULLIS_KEPT_H

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"

/*
 * Whether an open service with the port admits the address by a prefix of a group. One that stands
 * for all of a family says nothing of an address. `kept` may be NULL.
 */
bool kept_group_admits(const json_t *kept, enum pc_transport transport, __u16 port, __u8 family,
		       const __u8 *address);

#endif
