/* SPDX-License-Identifier: GPL-2.0 */
/* Reads a captured frame for `replay`: the frame that the filter gets, its direction, its flow. */
#ifndef PORTCULLIS_REPORT_REPLAY_PACKET_H
#define PORTCULLIS_REPORT_REPLAY_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/abi.h"
#include "loader/catalog/group.h"

/* Link types with libpcap's numbers (DLT_*, www.tcpdump.org/linktypes.html). */
#define REPLAY_ETHERNET	  1
#define REPLAY_RAW	  12
#define REPLAY_RAW_OTHER  101 /* its number in a file */
#define REPLAY_COOKED	  113
#define REPLAY_IPV4	  228
#define REPLAY_IPV6	  229
#define REPLAY_COOKED_TWO 276
#define REPLAY_LINK_TYPES "Ethernet, raw IP, Linux cooked 1 and 2"

bool replay_link_known(__u16 link);

/*
 * At most so many bytes of a frame are given to the program: all headers fit, and BPF_PROG_TEST_RUN
 * accepts less than a page. The lengths in the IP header of a longer frame are adjusted.
 */
#define REPLAY_FRAME 3500

struct captured {
	__u64 time; /* ns since 1970 */
	__u16 link;
	__u32 captured, length; /* bytes of `bytes`; bytes of the packet */
	const __u8 *bytes;
};

/* How to read frames. `mac` is learned from packets whose direction is known. */
struct replay_reading {
	enum pc_frame frame; /* the header that the filter's frames begin with */
	const struct prefix *local;
	size_t locals;
	__u8 mac[6];
	bool mac_known;
};

enum replay_way {
	REPLAY_IN,
	REPLAY_OUT,
	/* no filter of this host would see the packet: it is between other hosts, or on lo */
	REPLAY_ASIDE,
	REPLAY_CUT,   /* its headers were not captured */
};

/* A packet, or the packet quoted in an ICMP error. Addresses as in pc_flow, ports in host order. */
struct replay_tuple {
	__u8 family; /* 4 or 6; 0: none */
	__u8 protocol;
	__be32 source[4], destination[4];
	__u16 source_port, destination_port; /* of an echo both are its identifier */
	bool ports;			     /* TCP, UDP, echo request or reply */
};

struct replay_packet {
	enum replay_way way;
	struct replay_tuple tuple, quoted;
	__u8 tcp_flags;
	__u8 icmp_type;
	bool first, later; /* the packet is a fragment */
	__u32 id;	   /* id of the datagram, as in pc_fragment */
	__u32 payload;	   /* bytes behind the IP headers */
	__u32 length;	   /* bytes of the whole frame, as the filter would count them */
	__u32 used;	   /* bytes of `frame` */
	__u8 frame[REPLAY_FRAME];
};

void replay_packet_read(struct replay_reading *reading, const struct captured *captured,
			struct replay_packet *packet);

#endif
