/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that come in by an interface, and that DNAT sends out by the same interface. */
#ifndef PORTCULLIS_NET_HAIRPIN_H
#define PORTCULLIS_NET_HAIRPIN_H

#include <stddef.h>

#include "bpf/abi.h"
#include "loader/net/conntrack.h"

/*
 * Live connections of an interface whose answers its generation drops, because they look like
 * answers to packets with a forged source.
 */
struct hairpin {
	const struct pc_generation *generation; /* NULL: they are not looked for */
	unsigned int ifindex;
	size_t count; /* number of connections */
	struct conntrack_entry sample;
};

/*
 * Finds those of several interfaces; the kernel lists its connections once. Without the right to
 * list connections, or without conntrack, there are none.
 */
void hairpins_find(struct hairpin *hairpin, size_t count);

/* Describes them. NULL if there are none; the caller frees. */
char *hairpin_text(const struct hairpin *hairpin);

#endif
