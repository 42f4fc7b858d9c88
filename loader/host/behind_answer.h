/* SPDX-License-Identifier: GPL-2.0 */
/* A packet behind the filter, and the sentences that tell what is there. */
#ifndef PORTCULLIS_HOST_BEHIND_ANSWER_H
#define PORTCULLIS_HOST_BEHIND_ANSWER_H

#include "loader/base/names.h"
#include "loader/net/frame_make.h"
#include "loader/net/link_graph.h"
#include "loader/net/nft_walk.h"

struct mnl_socket;

struct behind {
	const struct links *links;
	struct mnl_socket *routes; /* NETLINK_ROUTE */
	unsigned int ifindex;	   /* of the filter; 0: none */
	__u32 egress;		   /* id of its own program at egress; 0: none */
	const struct made_packet *packet;
	bool out;     /* this host sends it */
	bool machine; /* it is for a machine that the filter has profiles for */
	enum nft_state state;
	struct names next; /* a sentence each, in the order of the packet's way */
	bool drops;	   /* the last one is certain to drop it */
	bool translated;   /* the last one gives it another destination */
	/* behind_find fills these. */
	const struct link *way[LINKS_WAY]; /* from the filter's interface to that of the address */
	size_t ways;
	__u8 destination_type; /* RTN_*; RTN_UNSPEC: not known */
};

/* Adds a sentence. */
void behind_say(struct behind *behind, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* True if nothing certain can be said of the rest of the packet's way. */
bool behind_is_over(const struct behind *behind);

#endif
