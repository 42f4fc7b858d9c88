/* SPDX-License-Identifier: GPL-2.0 */
/* The prefixes of machines behind this host as a perfect hash table (struct pc_machine). */
#ifndef PORTCULLIS_COMPILE_MACHINE_TABLE_H
#define PORTCULLIS_COMPILE_MACHINE_TABLE_H

#include <stddef.h>

#include "bpf/abi.h"
#include "loader/base/diag.h"
#include "loader/catalog/group.h"

/* A prefix and the class of its machines; class 0: this host. */
struct machine_prefix {
	struct prefix prefix;
	__u16 class;
	__u32 tallies; /* the value for pc_machine.tallies */
};

/* Prefix lengths of one family. One more is reserved for addresses of this host inside a machine's
 * prefix. */
#define MACHINE_LENGTHS (PC_LENGTHS - 1)

/* True if addresses of the prefix can never be a machine's: multicast, broadcast, loopback. */
bool machine_prefix_reserved(const struct prefix *prefix);

/* -EINVAL with errors in `diag`: too many prefixes, or too many different lengths of one family. */
int machine_table_check(const struct machine_prefix *prefix, size_t prefixes, struct diag *diag);

/*
 * Fills the table of a generation; a former table is replaced. Of equal prefixes the first counts.
 * -E2BIG: they do not fit.
 */
int machine_table_fill(const struct machine_prefix *prefix, size_t prefixes,
		       struct pc_generation *generation);

/*
 * Makes an address of this host, which the filled table gives to a machine, this host's again: adds
 * it as a prefix of class 0, or sets the class of a prefix that is the address itself. True: the
 * table must be filled again.
 */
bool machine_table_exempt(const struct pc_generation *generation, struct machine_prefix **prefix,
			  size_t *prefixes, int family, const __u8 *address);

/* The entry of the longest prefix that contains the address, as the BPF program finds it; NULL:
 * none. */
const struct pc_machine *machine_table_find(const struct pc_generation *generation, int family,
					    const __u8 *address);

#endif
