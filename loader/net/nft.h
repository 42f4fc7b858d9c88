/* SPDX-License-Identifier: GPL-2.0 */
/* The rules of nf_tables in the caller's network namespace, as the kernel lists them. */
#ifndef PORTCULLIS_NET_NFT_H
#define PORTCULLIS_NET_NFT_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/base/names.h"

struct nft_chain {
	__u8 family; /* NFPROTO_* */
	char *table, *name;
	/* the chain is at a hook, and its table is not dormant; the fields below are for base
	 * chains */
	bool base;
	__u32 hook;
	__s32 priority;
	__u32 policy;	      /* NF_DROP, NF_ACCEPT */
	struct names devices; /* interfaces, for hooks of an interface */
};

struct nft_rule {
	__u8 family;
	char *table, *chain;
	__u64 handle;
	struct nlmsghdr *message; /* a copy of the kernel's message */
	const struct nlattr *expressions;
};

/* An element of a set or a map. Keys and data are in the byte order of the registers. */
struct nft_element {
	__u8 *key, *key_end; /* key_end NULL: none */
	bool ends;	     /* the end of an interval, which excludes this key */
	bool is_rest;	     /* the catch-all element, for all other keys */
	struct nlattr *data; /* NFTA_DATA_*; NULL: none */
};

#define NFT_FIELDS 16 /* fields of a concatenation */

struct nft_set {
	__u8 family;
	char *table, *name;
	__u32 flags; /* NFT_SET_* */
	__u32 key_length;
	__u32 field[NFT_FIELDS]; /* bytes of each field; 0: no more fields */
	struct nft_element *element;
	size_t count;
	bool read; /* the elements are read */
};

struct nft_rules {
	struct nft_chain *chain;
	size_t chains;
	struct nft_rule *rule; /* sorted by chain */
	size_t rules;
	struct nft_set *set;
	size_t sets;
};

/* Returns 0, or -errno with no rules. Call nft_rules_free in both cases. */
int nft_read(struct nft_rules *rules);
void nft_rules_free(struct nft_rules *rules);

/* Reads the elements of a set, once. 0 or -errno. */
int nft_read_set(struct nft_set *set);

/* The attribute of that type in a nest, or NULL. The nest may be NULL. */
const struct nlattr *nft_find(const struct nlattr *nest, int type);
/* The value of that attribute in host order; 0 if there is none. */
__u32 nft_number(const struct nlattr *nest, int type);

#endif
