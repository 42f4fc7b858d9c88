/* SPDX-License-Identifier: GPL-2.0 */
/* Asks compiled tables whether they admit a packet. */
#ifndef PORTCULLIS_COMPILE_ADMIT_H
#define PORTCULLIS_COMPILE_ADMIT_H

#include <stdbool.h>

#include "loader/compile/tables.h"
#include "loader/recipe/ban_set.h"

/*
 * Decides as the BPF program does, for tests and warnings. `address` is IPv4 in the first 4 bytes
 * if family is AF_INET. Ports in host order.
 */
enum admit {
	ADMIT_UNLISTED,
	ADMIT_SOURCE, /* listed, but not from this source or source port */
	ADMIT_PASS,
};
enum admit tables_admit(const struct tables *tables, int family, const __u8 *address,
			enum pc_transport transport, __u16 source_port, __u16 port);

/*
 * True if an open `out` service lists this port of the remote side, as tables_admit does for `in`.
 * The program treats a multicast destination on the link (ff02::/16, 224.0.0.0/24) as link-local;
 * for these, pass a link-local address.
 */
bool tables_covers(const struct tables *tables, int family, const __u8 *address,
		   enum pc_transport transport, __u16 remote_port);

/*
 * As above, for the machines of a class (pc_machine.class); class 0 is this host. tables_class: the
 * class of a local address.
 */
__u16 tables_class(const struct tables *tables, int family, const __u8 *local);
/* The entry of a port in pc_generation.port or `out`, or in the pages of a class. `way`: 1 is
 * `out`. */
__u16 tables_entry(const struct pc_generation *generation, __u16 class, int way, __u32 port);
enum admit tables_admit_class(const struct tables *tables, __u16 class, int family,
			      const __u8 *address, enum pc_transport transport, __u16 source_port,
			      __u16 port);
bool tables_covers_class(const struct tables *tables, __u16 class, int family, const __u8 *address,
			 enum pc_transport transport, __u16 remote_port);

/*
 * Whether a grant that holds at that CLOCK_BOOTTIME second opens the port to the remote side. Ask
 * it where tables_admit_class returns ADMIT_SOURCE. In a set of grants, a list is a group.
 */
bool tables_granted(const struct tables *tables, __u16 class, const struct ban_set *grants,
		    __u32 now, int family, const __u8 *address, enum pc_transport transport,
		    __u16 source_port, __u16 port);
/* Whether the address is in a group of `deny`, and in no group of `never-ban`. */
bool tables_denied(const struct tables *tables, int family, const __u8 *address);
/* Whether a grant makes an open `out` service of this host list the port of the remote side. */
bool tables_granted_out(const struct tables *tables, const struct ban_set *grants, __u32 now,
			int family, const __u8 *address, enum pc_transport transport,
			__u16 remote_port);

#endif
