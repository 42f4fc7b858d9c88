/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that come in by an interface and that DNAT sends out of the same one. */
#ifndef PORTCULLIS_NET_HAIRPIN_H
#define PORTCULLIS_NET_HAIRPIN_H

#include "bpf/abi.h"

/*
 * Describes live connections whose answers the generation drops, because to its programs they look
 * like packets that a stranger has had reflected. NULL if there are none; the caller frees. Without
 * the right to list connections, or without conntrack, there are none.
 */
char *hairpin_find(const struct pc_generation *generation, unsigned int ifindex);

#endif
