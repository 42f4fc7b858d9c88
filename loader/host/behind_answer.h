/* SPDX-License-Identifier: GPL-2.0 */
/* A packet behind the filter, and the sentences about what it meets there. */
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
	unsigned int ifindex;	   /* interface of the filter; 0: none */
	__u32 egress;		   /* id of the filter's program at egress; 0: none */
	const struct made_packet *packet;
	bool out;     /* this host sends it */
	bool machine; /* it is for a machine that has profiles of its own */
	enum nft_state state;
	struct names next; /* the sentences, in the order of the packet's way */
	bool drops;	   /* the last sentence is about a certain drop */
	bool translated;   /* the last sentence is about a change of the destination */
	/* behind_find sets these: */
	/* the interfaces from the filter's up to the one with the address */
	const struct link *way[LINKS_WAY];
	size_t ways;
	__u8 destination_type; /* RTN_*; RTN_UNSPEC: not known */
};

/* Adds a sentence. */
void behind_say(struct behind *behind, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* True if nothing certain can be said about the rest of the packet's way. */
bool behind_is_over(const struct behind *behind);

#endif
