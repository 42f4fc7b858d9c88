/* SPDX-License-Identifier: GPL-2.0 */
/* The parameters of the sending program, in memory that both sides map: one program makes all
 * floods. */
#ifndef PORTCULLIS_BENCH_SEND_H
#define PORTCULLIS_BENCH_SEND_H

#include <linux/types.h>

struct send_settings {
	__u32 ifindex;	   /* the interface that sends */
	__u16 ip, upper;   /* where these headers begin */
	__u8 ethernet[18]; /* of a frame with a tag */
	__u8 tagged;
	__u8 random;   /* a new source and new ports each time */
	__u32 sources; /* number of different sources (only IPv4); 0: unlimited */
	__u8 high;     /* only destination ports from 61440 on */
	__u8 to_one;   /* keep the destination port */
	__u8 ipv6;
	__u8 tcp;
};

#endif
