/* SPDX-License-Identifier: GPL-2.0 */
/* Follows a packet through rules of nf_tables, as far as it is possible outside the kernel. */
#ifndef PORTCULLIS_NET_NFT_WALK_H
#define PORTCULLIS_NET_NFT_WALK_H

#include "loader/net/nft.h"

/* The state that conntrack would give the packet. */
enum nft_state {
	NFT_STATE_UNKNOWN,
	NFT_STATE_NEW,
	NFT_STATE_ESTABLISHED,
};

struct nft_packet {
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 protocol;
	const __u8 *bytes; /* the packet from its IP header on */
	size_t length;
	size_t transport; /* offset of the header after IP */
	enum nft_state state;
	const char *in, *out; /* interfaces; NULL: none, or not known */
	unsigned int in_index, out_index;
	__u8 destination_type; /* RTN_*; RTN_UNSPEC: not known */
};

enum nft_verdict {
	NFT_PASSES,
	NFT_MAY_DROP, /* by a rule with a condition that is unknown here */
	NFT_DROPS,
};

struct nft_answer {
	enum nft_verdict verdict;
	bool rejects;	 /* drops with an answer to the sender */
	bool translates; /* the destination is translated */
	/* The rule that drops the packet; NULL: the policy of the base chain does. */
	const struct nft_rule *rule;
	const struct nft_set *set; /* the named set that has the packet; NULL: none */
	bool set_has_source;	   /* the set has the source address */
};

/* Follows the packet through one base chain. Reads the elements of sets where needed. */
struct nft_answer nft_walk(struct nft_rules *rules, const struct nft_chain *base,
			   const struct nft_packet *packet);

#endif
