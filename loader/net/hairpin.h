/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that come in by an interface and that DNAT sends out of the same one. */
#ifndef PORTCULLIS_NET_HAIRPIN_H
#define PORTCULLIS_NET_HAIRPIN_H

#include "bpf/abi.h"

/*
 * Tells of those that live, and whose answers the generation drops: to its programs they look like
 * what a stranger has reflected. NULL if there are none; the caller frees. Without the right to ask
 * for connections, or without conntrack, there are none.
 */
char *hairpin_find(const struct pc_generation *generation, unsigned int ifindex);

#endif
