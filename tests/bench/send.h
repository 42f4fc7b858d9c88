/* SPDX-License-Identifier: GPL-2.0 */
/* What the sending program is told, in memory that both see: one program serves all floods. */
#ifndef PORTCULLIS_BENCH_SEND_H
#define PORTCULLIS_BENCH_SEND_H

#include <linux/types.h>

struct send_settings {
	__u32 ifindex;	   /* to send out of */
	__u16 ip, upper;   /* where these headers begin */
	__u8 ethernet[18]; /* of a frame with a tag */
	__u8 tagged;
	__u8 random;   /* a new source and new ports each time */
	__u32 sources; /* the source is one of so many (IPv4 alone); 0: of any number */
	__u8 high;     /* destination ports from 61440 on only */
	__u8 to_one;   /* the destination port stays */
	__u8 ipv6;
	__u8 tcp;
};

#endif
