/* SPDX-License-Identifier: GPL-2.0 */
/* Tells whether an interface's frames begin with Ethernet or IP, or cannot be filtered. */
#ifndef PORTCULLIS_NET_FRAME_H
#define PORTCULLIS_NET_FRAME_H

#include <stdbool.h>
#include <linux/types.h>

#include "bpf/abi.h"

#define TYPE_IP6GRE 823 /* ARPHRD_IP6GRE of linux/if_arp.h, which net/if_arp.h excludes */

/* The facts from rtnetlink that tell which header the frames of an interface begin with. */
struct frame_link {
	__u16 type;	 /* ARPHRD_* */
	char kind[32];	 /* "wireguard"; empty: usually a NIC */
	bool ipvlan_l3s; /* an ipvlan in L3S mode */
	bool many_peers; /* gre without a remote address, or with a multicast one */
};

/*
 * Tells which header the frames of an interface begin with on a kernel (`release`: uname's).
 * Returns NULL, or why the interface cannot be filtered; the caller frees.
 */
char *frame_classify(const struct frame_link *link, const char *release, enum pc_frame *frame);

#endif
