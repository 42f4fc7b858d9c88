// SPDX-License-Identifier: GPL-2.0
/* Ports that nf_tables hands on to other addresses. */
#include "loader/net/published.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/nft.h"

/* Of the destination, in headers. */
#define PORT_AT 2
#define IPV4_AT 16
#define IPV6_AT 24

/* What a rule says so far. */
struct said {
	bool port_loaded, protocol_loaded; /* into a register, which is compared next */
	bool translates, addressed;
	__u8 protocol;
	__u16 port;
};

static void take_payload(struct said *said, const struct nlattr *data)
{
	__u32 base = nft_number(data, NFTA_PAYLOAD_BASE),
	      at = nft_number(data, NFTA_PAYLOAD_OFFSET);
	__u32 length = nft_number(data, NFTA_PAYLOAD_LEN);

	said->port_loaded = base == NFT_PAYLOAD_TRANSPORT_HEADER && at == PORT_AT && length == 2;
	said->protocol_loaded = base == NFT_PAYLOAD_NETWORK_HEADER && length == 1;
	said->addressed |= base == NFT_PAYLOAD_NETWORK_HEADER &&
			   ((length == 4 && at == IPV4_AT) || (length == 16 && at == IPV6_AT));
}

static void take_comparison(struct said *said, const struct nlattr *data)
{
	const struct nlattr *value = nft_find(nft_find(data, NFTA_CMP_DATA), NFTA_DATA_VALUE);
	const __u8 *bytes = value ? mnl_attr_get_payload(value) : NULL;
	size_t length = value ? mnl_attr_get_payload_len(value) : 0;

	if (nft_number(data, NFTA_CMP_OP) == NFT_CMP_EQ && said->port_loaded && length >= 2)
		said->port = (__u16)(bytes[0] << 8 | bytes[1]);
	if (nft_number(data, NFTA_CMP_OP) == NFT_CMP_EQ && said->protocol_loaded && length >= 1)
		said->protocol = bytes[0];
	said->port_loaded = said->protocol_loaded = false;
}

/* iptables' -m tcp --dport, -m udp --dport. */
static void take_match(struct said *said, const struct nlattr *data)
{
	const struct nlattr *name = nft_find(data, NFTA_MATCH_NAME),
			    *info = nft_find(data, NFTA_MATCH_INFO);
	const char *text = name ? mnl_attr_get_str(name) : "";
	size_t length = info ? mnl_attr_get_payload_len(info) : 0;

	if (!strcmp(text, "tcp") && length >= sizeof(struct xt_tcp)) {
		const struct xt_tcp *tcp = mnl_attr_get_payload(info);

		said->protocol = IPPROTO_TCP;
		said->port = tcp->dpts[0] == tcp->dpts[1] ? tcp->dpts[0] : 0;
	} else if (!strcmp(text, "udp") && length >= sizeof(struct xt_udp)) {
		const struct xt_udp *udp = mnl_attr_get_payload(info);

		said->protocol = IPPROTO_UDP;
		said->port = udp->dpts[0] == udp->dpts[1] ? udp->dpts[0] : 0;
	}
}

static void take(struct said *said, const char *name, const struct nlattr *data)
{
	const struct nlattr *target = nft_find(data, NFTA_TARGET_NAME);

	if (!strcmp(name, "payload"))
		take_payload(said, data);
	else if (!strcmp(name, "meta"))
		said->protocol_loaded = nft_number(data, NFTA_META_KEY) == NFT_META_L4PROTO;
	else if (!strcmp(name, "cmp"))
		take_comparison(said, data);
	else if (!strcmp(name, "match"))
		take_match(said, data);
	else if (!strcmp(name, "nat"))
		said->translates |= nft_number(data, NFTA_NAT_TYPE) == NFT_NAT_DNAT;
	else if (!strcmp(name, "target") && target)
		said->translates |= !strcmp(mnl_attr_get_str(target), "DNAT");
}

static struct said read_rule(const struct nft_rule *rule)
{
	const struct nlattr *element;
	struct said said = {};

	if (rule->expressions)
		mnl_attr_for_each_nested(element, rule->expressions)
		{
			const struct nlattr *name = nft_find(element, NFTA_EXPR_NAME);

			if (name)
				take(&said, mnl_attr_get_str(name),
				     nft_find(element, NFTA_EXPR_DATA));
		}
	return said;
}

static bool has(const struct published *list, size_t count, const struct said *said)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].protocol == said->protocol && list[i].port == said->port)
			return true;
	return false;
}

int published_read(struct published **list, size_t *count)
{
	struct nft_rules rules = {};
	int err = nft_read(&rules);

	*list = NULL;
	*count = 0;
	for (size_t i = 0; !err && i < rules.rules; i++) {
		struct said said = read_rule(&rules.rule[i]);

		if (!said.translates || !said.port ||
		    (said.protocol != IPPROTO_TCP && said.protocol != IPPROTO_UDP) ||
		    has(*list, *count, &said))
			continue;
		*list = grow(*list, *count, sizeof(**list));
		(*list)[(*count)++] = (struct published){said.protocol, said.port, said.addressed};
	}
	nft_rules_free(&rules);
	return err;
}
