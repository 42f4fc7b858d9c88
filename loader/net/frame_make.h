/* SPDX-License-Identifier: GPL-2.0 */
/* Makes a frame with one packet in it, as a host would send it. */
#ifndef PORTCULLIS_NET_FRAME_MAKE_H
#define PORTCULLIS_NET_FRAME_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"

/* A packet. Addresses in network byte order, IPv4 in the first 4 bytes; ports in host order. */
struct made_packet {
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 protocol;
	__u8 source[16];
	__u8 destination[16];
	__u16 source_port; /* TCP, UDP; ICMP echo: the identifier */
	__u16 destination_port;
	__u8 tcp_flags; /* as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
	__u8 icmp_type;
	__u8 icmp_code;
	/* The packet that an ICMP error is about; NULL: the error quotes nothing. */
	const struct made_packet *quoted;
};

/* True if an ICMP type is an error, which quotes a packet. */
bool frame_is_icmp_error(__u8 family, __u8 type);

#define FRAME_MADE_MOST 256 /* bytes of a frame */

/*
 * Writes the packet, with correct checksums, as a frame that begins with such a header. TCP and UDP
 * have no data, other protocols have 8 zero bytes. Returns the length.
 */
size_t frame_make(const struct made_packet *packet, enum pc_frame kind,
		  __u8 frame[FRAME_MADE_MOST]);

#endif
