// SPDX-License-Identifier: GPL-2.0
/* Ports that nf_tables translates to other addresses or ports. */
#include "loader/net/published.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/nft.h"

/* Offsets of the destination in headers. */
#define PORT_AT 2
#define IPV4_AT 16
#define IPV6_AT 24

/* Offsets of the protocol in headers. */
#define IPV4_PROTOCOL_AT 9
#define IPV6_PROTOCOL_AT 6

#define NO_INTERFACE (~0U) /* an index that no interface has */

#define LOADS 4 /* fields in one comparison that are read */

enum field {
	FIELD_OTHER,
	FIELD_PORT,
	FIELD_PROTOCOL,
	FIELD_ADDRESS,	 /* the destination address, or its first bytes */
	FIELD_INTERFACE, /* index of the incoming interface */
	FIELD_NAME,	 /* name of the incoming interface */
};

/* What is known of a rule so far. */
struct said {
	/* The fields in consecutive registers, which the next comparison compares. */
	enum field load[LOADS];
	__u32 size[LOADS]; /* bytes */
	size_t loads;
	bool translates, redirects, addressed, loopback;
	unsigned int ifindex; /* 0: by any interface */
	bool tcp, udp;
	struct published *range; /* a range has no protocol until the rule names one for all */
	size_t ranges;
};

static void load(struct said *said, enum field field, __u32 size)
{
	if (said->loads == LOADS)
		return;
	said->size[said->loads] = size;
	said->load[said->loads++] = field;
}

static void take_payload(struct said *said, const struct nlattr *data)
{
	__u32 base = nft_number(data, NFTA_PAYLOAD_BASE),
	      at = nft_number(data, NFTA_PAYLOAD_OFFSET);
	__u32 length = nft_number(data, NFTA_PAYLOAD_LEN);
	bool header = base == NFT_PAYLOAD_NETWORK_HEADER;
	enum field field = FIELD_OTHER;

	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && at == PORT_AT && length == 2)
		field = FIELD_PORT;
	else if (header && length == 1 && (at == IPV4_PROTOCOL_AT || at == IPV6_PROTOCOL_AT))
		field = FIELD_PROTOCOL;
	else if (header && (at == IPV4_AT || (at == IPV6_AT && length == 16)))
		field = FIELD_ADDRESS;
	load(said, field, length);
	said->addressed |=
		header && ((length == 4 && at == IPV4_AT) || (length == 16 && at == IPV6_AT));
}

static void add_range(struct said *said, __u8 protocol, __u32 first, __u32 last)
{
	if (!first || last < first)
		return;
	said->range = grow(said->range, said->ranges, sizeof(*said->range));
	said->range[said->ranges++] =
		(struct published){.protocol = protocol, .port = (__u16)first, .last = (__u16)last};
}

static void take_protocol(struct said *said, __u8 protocol)
{
	said->tcp |= protocol == IPPROTO_TCP;
	said->udp |= protocol == IPPROTO_UDP;
}

static __u32 port_of(const __u8 *bytes)
{
	return (__u32)(bytes[0] << 8 | bytes[1]);
}

/* The bytes of data in an attribute; NULL: there are fewer. */
static const __u8 *bytes_of(const struct nlattr *data, int type, size_t length)
{
	const struct nlattr *value = nft_find(nft_find(data, type), NFTA_DATA_VALUE);

	return value && mnl_attr_get_payload_len(value) >= length ? mnl_attr_get_payload(value) :
								    NULL;
}

static void take_equal(struct said *said, enum field field, __u32 size, const struct nlattr *data)
{
	static const __u8 one[16] = {[15] = 1};
	const __u8 *bytes = bytes_of(data, NFTA_CMP_DATA, size);
	char name[IF_NAMESIZE];

	if (!bytes)
		return;
	if (field == FIELD_PROTOCOL)
		take_protocol(said, bytes[0]);
	else if (field == FIELD_ADDRESS)
		said->loopback |= size == 16 ? !memcmp(bytes, one, 16) : bytes[0] == 127;
	else if (field == FIELD_INTERFACE)
		memcpy(&said->ifindex, bytes, sizeof(said->ifindex));
	else if (field == FIELD_NAME && memchr(bytes, '\0', sizeof(name)))
		said->ifindex = if_nametoindex(memcpy(name, bytes, sizeof(name))) ?: NO_INTERFACE;
}

static void take_comparison(struct said *said, const struct nlattr *data)
{
	const __u8 *bytes = bytes_of(data, NFTA_CMP_DATA, 1);
	const __u8 *port = bytes_of(data, NFTA_CMP_DATA, 2);
	__u32 op = nft_number(data, NFTA_CMP_OP);

	if (said->loads == 1 && said->load[0] == FIELD_PORT && port) {
		if (op == NFT_CMP_EQ)
			add_range(said, 0, port_of(port), port_of(port));
		/* the upper end is compared next, without another load */
		else if (op == NFT_CMP_GTE)
			add_range(said, 0, port_of(port), 65535);
		else if (op == NFT_CMP_LTE && said->ranges)
			said->range[said->ranges - 1].last = (__u16)port_of(port);
		if (op == NFT_CMP_GTE)
			return;
	}
	if (said->loads == 1 && bytes && op == NFT_CMP_EQ)
		take_equal(said, said->load[0], said->size[0], data);
	said->loads = 0;
}

static void take_range(struct said *said, const struct nlattr *data)
{
	const __u8 *from = bytes_of(data, NFTA_RANGE_FROM_DATA, 2);
	const __u8 *to = bytes_of(data, NFTA_RANGE_TO_DATA, 2);

	if (said->loads == 1 && said->load[0] == FIELD_PORT && from && to &&
	    nft_number(data, NFTA_RANGE_OP) == NFT_RANGE_EQ)
		add_range(said, 0, port_of(from), port_of(to));
	said->loads = 0;
}

/* --- sets and maps --- */

static struct nft_set *find_set(struct nft_rules *rules, const struct nft_rule *rule,
				const char *name)
{
	for (size_t i = 0; name && i < rules->sets; i++)
		if (rules->set[i].family == rule->family &&
		    !strcmp(rules->set[i].table, rule->table) && !strcmp(rules->set[i].name, name))
			return &rules->set[i];
	return NULL;
}

/* The offset of a field in the keys of a set, which are padded to words like registers; -1:
 * absent. */
static int field_at(const struct said *said, const struct nft_set *set, enum field field)
{
	__u32 at = 0;

	for (size_t i = 0; i < said->loads; i++) {
		if (said->load[i] == field)
			return at + said->size[i] <= set->key_length ? (int)at : -1;
		at += (said->size[i] + 3) / 4 * 4;
	}
	return -1;
}

/* The end of an interval in a set of ports only, where an end is an element of its own. */
static __u32 interval_end(const struct nft_set *set, __u32 first)
{
	__u32 end = 65536;

	for (size_t i = 0; i < set->count; i++) {
		__u32 port = set->element[i].key ? port_of(set->element[i].key) : 0;

		if (set->element[i].ends && port > first && port < end)
			end = port;
	}
	return end - 1;
}

static void take_element(struct said *said, const struct nft_set *set,
			 const struct nft_element *element)
{
	int port = field_at(said, set, FIELD_PORT), protocol = field_at(said, set, FIELD_PROTOCOL);
	__u32 first, last;

	if (element->ends || element->is_rest || !element->key)
		return;
	if (port < 0) {
		if (protocol >= 0)
			take_protocol(said, element->key[protocol]);
		return;
	}
	first = last = port_of(element->key + port);
	if (element->key_end)
		last = port_of(element->key_end + port);
	else if (set->flags & NFT_SET_INTERVAL && said->loads == 1)
		last = interval_end(set, first);
	add_range(said, protocol >= 0 ? element->key[protocol] : 0, first, last);
}

static void take_lookup(struct said *said, const struct nlattr *data, struct nft_rules *rules,
			const struct nft_rule *rule)
{
	const struct nlattr *name = nft_find(data, NFTA_LOOKUP_SET);
	struct nft_set *set = find_set(rules, rule, name ? mnl_attr_get_str(name) : NULL);

	if (set && !(nft_number(data, NFTA_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) && !nft_read_set(set))
		for (size_t i = 0; i < set->count; i++)
			take_element(said, set, &set->element[i]);
	said->loads = 0;
}

/* --- rules --- */

/* iptables' -m tcp --dport, -m udp --dport. */
static void take_match(struct said *said, const struct nlattr *data)
{
	const struct nlattr *name = nft_find(data, NFTA_MATCH_NAME),
			    *info = nft_find(data, NFTA_MATCH_INFO);
	const char *text = name ? mnl_attr_get_str(name) : "";
	size_t length = info ? mnl_attr_get_payload_len(info) : 0;

	if (!strcmp(text, "tcp") && length >= sizeof(struct xt_tcp)) {
		const struct xt_tcp *tcp = mnl_attr_get_payload(info);

		add_range(said, IPPROTO_TCP, tcp->dpts[0], tcp->dpts[1]);
	} else if (!strcmp(text, "udp") && length >= sizeof(struct xt_udp)) {
		const struct xt_udp *udp = mnl_attr_get_payload(info);

		add_range(said, IPPROTO_UDP, udp->dpts[0], udp->dpts[1]);
	}
}

/* A target of iptables. */
static void take_target(struct said *said, const char *name)
{
	said->translates |= !strcmp(name, "DNAT");
	said->redirects |= !strcmp(name, "REDIRECT");
}

static void take_meta(struct said *said, const struct nlattr *data)
{
	switch (nft_number(data, NFTA_META_KEY)) {
	case NFT_META_L4PROTO: load(said, FIELD_PROTOCOL, 1); break;
	case NFT_META_IIF: load(said, FIELD_INTERFACE, sizeof(said->ifindex)); break;
	case NFT_META_IIFNAME: load(said, FIELD_NAME, IF_NAMESIZE); break;
	default: load(said, FIELD_OTHER, 1);
	}
}

static void take(struct said *said, const char *name, const struct nlattr *data,
		 struct nft_rules *rules, const struct nft_rule *rule)
{
	const struct nlattr *target = nft_find(data, NFTA_TARGET_NAME);

	if (!strcmp(name, "payload"))
		take_payload(said, data);
	else if (!strcmp(name, "meta"))
		take_meta(said, data);
	else if (!strcmp(name, "cmp"))
		take_comparison(said, data);
	else if (!strcmp(name, "range"))
		take_range(said, data);
	else if (!strcmp(name, "lookup"))
		take_lookup(said, data, rules, rule);
	else if (!strcmp(name, "match"))
		take_match(said, data);
	else if (!strcmp(name, "nat"))
		said->translates |= nft_number(data, NFTA_NAT_TYPE) == NFT_NAT_DNAT;
	else if (!strcmp(name, "redir"))
		said->redirects = true;
	else if (!strcmp(name, "target") && target)
		take_target(said, mnl_attr_get_str(target));
	else
		said->loads = 0; /* bitwise, fib, ct: they replace what was loaded */
}

static void read_rule(struct nft_rules *rules, const struct nft_rule *rule, struct said *said)
{
	const struct nlattr *element;

	if (rule->expressions)
		mnl_attr_for_each_nested(element, rule->expressions)
		{
			const struct nlattr *name = nft_find(element, NFTA_EXPR_NAME);

			if (name)
				take(said, mnl_attr_get_str(name),
				     nft_find(element, NFTA_EXPR_DATA), rules, rule);
		}
}

struct listing {
	struct published *list;
	size_t count;
};

static void add(struct listing *listing, const struct published *range, __u8 protocol,
		const struct said *said)
{
	for (size_t i = 0; i < listing->count; i++)
		if (listing->list[i].protocol == protocol && listing->list[i].port == range->port &&
		    listing->list[i].last == range->last &&
		    listing->list[i].redirected == said->redirects &&
		    listing->list[i].ifindex == said->ifindex)
			return;
	listing->list = grow(listing->list, listing->count, sizeof(*listing->list));
	listing->list[listing->count] = *range;
	listing->list[listing->count].protocol = protocol;
	listing->list[listing->count].redirected = said->redirects;
	listing->list[listing->count].ifindex = said->ifindex;
	listing->list[listing->count++].addressed = said->addressed;
}

static void add_all(struct listing *listing, const struct said *said)
{
	for (size_t i = 0; i < said->ranges; i++) {
		const struct published *range = &said->range[i];

		if (range->protocol == IPPROTO_TCP || (!range->protocol && said->tcp))
			add(listing, range, IPPROTO_TCP, said);
		if (range->protocol == IPPROTO_UDP || (!range->protocol && said->udp))
			add(listing, range, IPPROTO_UDP, said);
	}
}

bool published_comes_by(const struct published *published, const struct links *links,
			unsigned int ifindex)
{
	return !published->ifindex || published->ifindex == ifindex ||
	       links_comes_by(links, published->ifindex, ifindex);
}

int published_read(struct published **list, size_t *count)
{
	struct nft_rules rules = {};
	struct listing listing = {};
	int err = nft_read(&rules);

	for (size_t i = 0; !err && i < rules.rules; i++) {
		struct said said = {};

		read_rule(&rules, &rules.rule[i], &said);
		if ((said.translates || said.redirects) && !said.loopback)
			add_all(&listing, &said);
		free(said.range);
	}
	nft_rules_free(&rules);
	*list = listing.list;
	*count = listing.count;
	return err;
}
