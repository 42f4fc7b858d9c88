/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that come in by an interface, and that DNAT sends out by the same interface. */
#ifndef PORTCULLIS_NET_HAIRPIN_H
#define PORTCULLIS_NET_HAIRPIN_H

#include "bpf/abi.h"

/*
 * Describes live connections whose answers the generation drops, because they look like answers to
 * packets with a forged source. NULL if there are none; the caller frees. Without the right to list
 * connections, or without conntrack, there are none.
 */
char *hairpin_find(const struct pc_generation *generation, unsigned int ifindex);

#endif
