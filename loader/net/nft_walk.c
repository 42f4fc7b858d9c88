// SPDX-License-Identifier: GPL-2.0
/*
 * Follows a packet through rules of nf_tables. Each expression is run as the kernel would
 * (net/netfilter/nft_*.c). After an expression that cannot be run here, such as a limit, it is open
 * whether its rule matches, and the answer is no more certain than that.
 */
#include "loader/net/nft_walk.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>

#include "loader/base/memory.h"

#define WORDS	    20 /* words of 32 bits in the registers, with those of the verdict */
#define JUMPS	    16 /* the kernel's NFT_JUMP_STACK_SIZE */
#define SOURCE_IPV4 12 /* offsets in the IP header */
#define SOURCE_IPV6 8

enum outcome {
	OUTCOME_NO,
	OUTCOME_YES,
	OUTCOME_MAYBE,
};

/* How a chain ends. */
enum end {
	END_RETURNS,
	END_DECIDED,
};

/* What a rule does if it matches. */
struct want {
	bool given;
	__s32 code; /* NF_* or NFT_* */
	const char *chain;
	bool rejects, translates;
};

struct walk {
	struct nft_rules *rules;
	const struct nft_packet *packet;
	const struct nft_chain *base;
	const struct nft_rule *rule; /* the rule that is being run */
	__u8 value[WORDS * 4];
	bool known[WORDS];
	struct want want;
	const struct nft_set *set;
	bool set_has_source;
	bool unsure; /* an earlier rule may already have accepted the packet */
	struct nft_answer answer;
	int depth;
};

/* --- attributes --- */

static const char *text(const struct nlattr *nest, int type)
{
	const struct nlattr *attribute = nft_find(nest, type);

	return attribute ? mnl_attr_get_str(attribute) : "";
}

/* The bytes of NFTA_DATA_VALUE in an attribute; NULL: there are fewer than `length`. */
static const __u8 *data_of(const struct nlattr *nest, int type, size_t length)
{
	const struct nlattr *value = nft_find(nft_find(nest, type), NFTA_DATA_VALUE);

	return value && mnl_attr_get_payload_len(value) >= length ? mnl_attr_get_payload(value) :
								    NULL;
}

/* --- registers --- */

/* The offset of a register (nft_parse_register); -1: no such register, or it has not `length`
 * bytes. */
static int register_at(__u32 number, size_t length)
{
	size_t word = number <= NFT_REG_4 ? number * 4 : number - NFT_REG32_00 + 4;

	if (number == NFT_REG_VERDICT || word * 4 + length > WORDS * 4)
		return -1;
	return (int)word * 4;
}

static void forget(struct walk *walk, int at, size_t length)
{
	size_t i;

	for (i = 0; at >= 0 && i < (length + 3) / 4; i++)
		walk->known[at / 4 + i] = false;
}

static void forget_all(struct walk *walk)
{
	memset(walk->known, 0, sizeof(walk->known));
}

static void store(struct walk *walk, int at, const void *data, size_t length)
{
	size_t i;

	if (at < 0)
		return;
	for (i = 0; i < (length + 3) / 4; i++)
		walk->known[at / 4 + i] = true;
	memset(walk->value + at, 0, (length + 3) / 4 * 4);
	memcpy(walk->value + at, data, length);
}

static bool is_known(const struct walk *walk, int at, size_t length)
{
	size_t i;

	for (i = 0; at >= 0 && i < (length + 3) / 4; i++)
		if (!walk->known[at / 4 + i])
			return false;
	return at >= 0;
}

/* --- expressions that load --- */

static __be16 ether_type(const struct nft_packet *packet)
{
	return htons(packet->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
}

static enum outcome run_payload(struct walk *walk, const struct nlattr *expression)
{
	const struct nft_packet *packet = walk->packet;
	size_t offset = nft_number(expression, NFTA_PAYLOAD_OFFSET);
	size_t length = nft_number(expression, NFTA_PAYLOAD_LEN);
	__u32 base = nft_number(expression, NFTA_PAYLOAD_BASE);
	__be16 type;
	int at;

	if (!nft_find(expression, NFTA_PAYLOAD_DREG)) {
		forget_all(walk); /* the expression changes the packet */
		return OUTCOME_MAYBE;
	}
	at = register_at(nft_number(expression, NFTA_PAYLOAD_DREG), length);
	/* In the bridge family the link-layer header is Ethernet. */
	if (base == NFT_PAYLOAD_LL_HEADER && walk->base->family == NFPROTO_BRIDGE &&
	    offset == offsetof(struct ethhdr, h_proto) && length == sizeof(__be16)) {
		type = ether_type(packet);
		store(walk, at, &type, sizeof(type));
		return OUTCOME_YES;
	}
	if (base != NFT_PAYLOAD_NETWORK_HEADER && base != NFT_PAYLOAD_TRANSPORT_HEADER) {
		forget(walk, at, length);
		return OUTCOME_YES;
	}
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
		offset += packet->transport;
	if (offset > packet->length || length > packet->length - offset)
		return OUTCOME_NO;
	store(walk, at, packet->bytes + offset, length);
	return OUTCOME_YES;
}

static void load_name(struct walk *walk, int at, const char *name)
{
	char padded[IFNAMSIZ] = "";

	if (!name) {
		forget(walk, at, sizeof(padded));
		return;
	}
	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	store(walk, at, padded, sizeof(padded));
}

static void load_index(struct walk *walk, int at, __u32 index)
{
	if (index)
		store(walk, at, &index, sizeof(index));
	else
		forget(walk, at, sizeof(index));
}

static enum outcome run_meta(struct walk *walk, const struct nlattr *expression)
{
	const struct nft_packet *packet = walk->packet;
	int at = register_at(nft_number(expression, NFTA_META_DREG), 4);
	__u32 key = nft_number(expression, NFTA_META_KEY), length = (__u32)packet->length;
	__be16 type = ether_type(packet);
	bool of_ip = walk->base->family != NFPROTO_BRIDGE && walk->base->family != NFPROTO_NETDEV;
	__u8 family = of_ip ? packet->family : walk->base->family;

	if (!nft_find(expression, NFTA_META_DREG)) /* the expression sets a mark or the like */
		return OUTCOME_YES;
	switch (key) {
	case NFT_META_L4PROTO: store(walk, at, &packet->protocol, 1); break;
	case NFT_META_PROTOCOL: store(walk, at, &type, sizeof(type)); break;
	case NFT_META_NFPROTO: store(walk, at, &family, 1); break;
	case NFT_META_LEN: store(walk, at, &length, sizeof(length)); break;
	case NFT_META_IIF: load_index(walk, at, packet->in_index); break;
	case NFT_META_OIF: load_index(walk, at, packet->out_index); break;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		at = register_at(nft_number(expression, NFTA_META_DREG), IFNAMSIZ);
		load_name(walk, at, key == NFT_META_IIFNAME ? packet->in : packet->out);
		break;
	default: forget(walk, at, 4);
	}
	return OUTCOME_YES;
}

static const __u32 state_bit[] = {
	[NFT_STATE_NEW] = NF_CT_STATE_BIT(IP_CT_NEW),
	[NFT_STATE_ESTABLISHED] = NF_CT_STATE_BIT(IP_CT_ESTABLISHED),
};

static enum outcome run_ct(struct walk *walk, const struct nlattr *expression)
{
	static const __u32 none;
	int at = register_at(nft_number(expression, NFTA_CT_DREG), 4);

	if (!nft_find(expression, NFTA_CT_DREG))
		return OUTCOME_YES;
	if (nft_number(expression, NFTA_CT_KEY) == NFT_CT_STATE &&
	    walk->packet->state != NFT_STATE_UNKNOWN)
		store(walk, at, &state_bit[walk->packet->state], sizeof(state_bit[0]));
	else if (nft_number(expression, NFTA_CT_KEY) == NFT_CT_STATUS &&
		 walk->packet->state == NFT_STATE_NEW)
		/* a new packet has no NAT status: the walk ends where it is translated */
		store(walk, at, &none, sizeof(none));
	else
		/* forget all registers: how many the value fills depends on the key */
		forget_all(walk);
	return OUTCOME_YES;
}

/* Runs `fib daddr type`. */
static enum outcome run_fib(struct walk *walk, const struct nlattr *expression)
{
	__u32 type = walk->packet->destination_type;
	int at = register_at(nft_number(expression, NFTA_FIB_DREG), sizeof(type));

	if (nft_number(expression, NFTA_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE &&
	    nft_number(expression, NFTA_FIB_FLAGS) == NFTA_FIB_F_DADDR && type)
		store(walk, at, &type, sizeof(type));
	else
		/* forget all registers: how many the value fills depends on the result */
		forget_all(walk);
	return OUTCOME_YES;
}

/* --- expressions that compute and compare --- */

static enum outcome run_bitwise(struct walk *walk, const struct nlattr *expression)
{
	size_t length = nft_number(expression, NFTA_BITWISE_LEN), i;
	int from = register_at(nft_number(expression, NFTA_BITWISE_SREG), length);
	int to = register_at(nft_number(expression, NFTA_BITWISE_DREG), length);
	const __u8 *mask = data_of(expression, NFTA_BITWISE_MASK, length);
	const __u8 * xor = data_of(expression, NFTA_BITWISE_XOR, length);
	__u8 value[WORDS * 4];

	if (nft_number(expression, NFTA_BITWISE_OP) != NFT_BITWISE_BOOL || !mask || !xor ||
	    !is_known(walk, from, length)) {
		forget(walk, to, length);
		return OUTCOME_YES;
	}
	for (i = 0; i < length; i++)
		value[i] = (walk->value[from + i] & mask[i]) ^ xor[i];
	store(walk, to, value, length);
	return OUTCOME_YES;
}

static enum outcome run_byteorder(struct walk *walk, const struct nlattr *expression)
{
	size_t length = nft_number(expression, NFTA_BYTEORDER_LEN), i;
	size_t size = nft_number(expression, NFTA_BYTEORDER_SIZE);
	int from = register_at(nft_number(expression, NFTA_BYTEORDER_SREG), length);
	int to = register_at(nft_number(expression, NFTA_BYTEORDER_DREG), length);
	bool swaps = htons(1) != 1;
	__u8 value[WORDS * 4];

	if (!is_known(walk, from, length) || !size || length % size) {
		forget(walk, to, length);
		return OUTCOME_YES;
	}
	for (i = 0; i < length; i++)
		value[i] = walk->value[from + (swaps ? i / size * size + size - 1 - i % size : i)];
	store(walk, to, value, length);
	return OUTCOME_YES;
}

static bool compares(__u32 op, int order)
{
	switch (op) {
	case NFT_CMP_EQ: return !order;
	case NFT_CMP_NEQ: return order;
	case NFT_CMP_LT: return order < 0;
	case NFT_CMP_LTE: return order <= 0;
	case NFT_CMP_GT: return order > 0;
	default: return order >= 0;
	}
}

static enum outcome run_cmp(struct walk *walk, const struct nlattr *expression)
{
	const struct nlattr *value = nft_find(nft_find(expression, NFTA_CMP_DATA), NFTA_DATA_VALUE);
	size_t length = value ? mnl_attr_get_payload_len(value) : 0;
	int at = register_at(nft_number(expression, NFTA_CMP_SREG), length);

	if (!length || !is_known(walk, at, length))
		return OUTCOME_MAYBE;
	return compares(nft_number(expression, NFTA_CMP_OP),
			memcmp(walk->value + at, mnl_attr_get_payload(value), length)) ?
		       OUTCOME_YES :
		       OUTCOME_NO;
}

static enum outcome run_range(struct walk *walk, const struct nlattr *expression)
{
	const struct nlattr *from =
		nft_find(nft_find(expression, NFTA_RANGE_FROM_DATA), NFTA_DATA_VALUE);
	size_t length = from ? mnl_attr_get_payload_len(from) : 0;
	const __u8 *to = data_of(expression, NFTA_RANGE_TO_DATA, length);
	int at = register_at(nft_number(expression, NFTA_RANGE_SREG), length);
	bool in;

	if (!length || !to || !is_known(walk, at, length))
		return OUTCOME_MAYBE;
	in = memcmp(walk->value + at, mnl_attr_get_payload(from), length) >= 0 &&
	     memcmp(walk->value + at, to, length) <= 0;
	return in == (nft_number(expression, NFTA_RANGE_OP) == NFT_RANGE_EQ) ? OUTCOME_YES :
									       OUTCOME_NO;
}

/* --- sets --- */

static struct nft_set *find_set(struct walk *walk, const char *name)
{
	size_t i;

	for (i = 0; i < walk->rules->sets; i++) {
		struct nft_set *set = &walk->rules->set[i];

		if (set->family == walk->rule->family && !strcmp(set->table, walk->rule->table) &&
		    !strcmp(set->name, name))
			return set;
	}
	return NULL;
}

/* Tests each field of a concatenation; a field begins at a new register. */
static bool in_fields(const struct nft_set *set, const struct nft_element *element,
		      const __u8 *value)
{
	__u32 whole[NFT_FIELDS] = {set->key_length};
	const __u32 *field = set->field[0] ? set->field : whole;
	size_t at = 0, i;

	for (i = 0; i < NFT_FIELDS && field[i] && at + field[i] <= set->key_length; i++) {
		if (memcmp(value + at, element->key + at, field[i]) < 0 ||
		    memcmp(value + at, element->key_end + at, field[i]) > 0)
			return false;
		at += (field[i] + 3) / 4 * 4;
	}
	return true;
}

/* Whether the element is at or before the value, and closer to it than `best`; a start of an
 * interval wins over an end. */
static bool is_nearer(const struct nft_set *set, const struct nft_element *element,
		      const struct nft_element *best, const __u8 *value)
{
	int order;

	if (memcmp(element->key, value, set->key_length) > 0)
		return false;
	order = best ? memcmp(element->key, best->key, set->key_length) : 1;
	return order > 0 || (!order && best->ends);
}

static const struct nft_element *find_element(const struct nft_set *set, const __u8 *value)
{
	bool intervals = set->flags & NFT_SET_INTERVAL;
	const struct nft_element *best = NULL, *rest = NULL;
	size_t i;

	for (i = 0; i < set->count; i++) {
		const struct nft_element *element = &set->element[i];

		if (element->is_rest)
			rest = element;
		else if (!element->key)
			continue;
		else if (element->key_end ? in_fields(set, element, value) :
			 !intervals	  ? !memcmp(element->key, value, set->key_length) :
					    is_nearer(set, element, best, value))
			best = element;
	}
	return best && !best->ends ? best : rest;
}

static void want_verdict(struct walk *walk, const struct nlattr *verdict)
{
	walk->want.given = true;
	walk->want.code = (__s32)nft_number(verdict, NFTA_VERDICT_CODE);
	walk->want.chain = text(verdict, NFTA_VERDICT_CHAIN);
}

/* Looks up a key in a map, whose value is a verdict, or data for a register. */
static void take_data(struct walk *walk, __u32 to, const struct nlattr *data)
{
	const struct nlattr *value = nft_find(data, NFTA_DATA_VALUE);
	const struct nlattr *verdict = nft_find(data, NFTA_DATA_VERDICT);
	size_t length = value ? mnl_attr_get_payload_len(value) : 0;

	if (verdict)
		want_verdict(walk, verdict);
	else if (value)
		store(walk, register_at(to, length), mnl_attr_get_payload(value), length);
	else
		forget_all(walk);
}

static size_t source_size(const struct nft_packet *packet)
{
	return packet->family == AF_INET ? 4 : 16;
}

static const __u8 *source_of(const struct nft_packet *packet)
{
	return packet->bytes + (packet->family == AF_INET ? SOURCE_IPV4 : SOURCE_IPV6);
}

static void note_set(struct walk *walk, const struct nft_set *set, const __u8 *value)
{
	if (set->flags & NFT_SET_ANONYMOUS)
		return;
	walk->set = set;
	walk->set_has_source = set->key_length == source_size(walk->packet) &&
			       !memcmp(value, source_of(walk->packet), source_size(walk->packet));
}

static enum end carry_out(struct walk *walk, bool maybe);

/* The key is unknown, so each verdict of the map may be the packet's. */
static void may_want(struct walk *walk, const struct nft_set *set)
{
	__cleanup(names_free) struct names tried = {};
	const struct nft_rule *rule = walk->rule;
	size_t i;

	for (i = 0; i < set->count; i++) {
		const struct nlattr *verdict = nft_find(set->element[i].data, NFTA_DATA_VERDICT);
		__free_text char *name = NULL;

		if (!verdict)
			continue;
		want_verdict(walk, verdict);
		name = xasprintf("%d %s", walk->want.code, walk->want.chain);
		if (names_have(&tried, name))
			continue;
		names_add(&tried, name);
		carry_out(walk, true);
		walk->rule = rule;
	}
	walk->want = (struct want){};
	walk->set = NULL;
}

static enum outcome run_lookup(struct walk *walk, const struct nlattr *expression)
{
	struct nft_set *set = find_set(walk, text(expression, NFTA_LOOKUP_SET));
	bool inverts = nft_number(expression, NFTA_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	int at = set ? register_at(nft_number(expression, NFTA_LOOKUP_SREG), set->key_length) : -1;
	const struct nft_element *element;

	if (at < 0 || nft_read_set(set)) {
		forget_all(walk);
		return OUTCOME_MAYBE;
	}
	if (!is_known(walk, at, set->key_length)) {
		forget_all(walk);
		may_want(walk, set);
		return OUTCOME_MAYBE;
	}
	element = find_element(set, walk->value + at);
	if (!element || inverts)
		return !element == inverts ? OUTCOME_YES : OUTCOME_NO;
	note_set(walk, set, walk->value + at);
	if (nft_find(expression, NFTA_LOOKUP_DREG))
		take_data(walk, nft_number(expression, NFTA_LOOKUP_DREG), element->data);
	return OUTCOME_YES;
}

static enum outcome run_dynset(struct walk *walk, const struct nlattr *expression)
{
	(void)walk;
	return nft_find(expression, NFTA_DYNSET_EXPR) ||
			       nft_find(expression, NFTA_DYNSET_EXPRESSIONS) ?
		       OUTCOME_MAYBE :
		       OUTCOME_YES;
}

/* --- expressions that decide --- */

static enum outcome run_immediate(struct walk *walk, const struct nlattr *expression)
{
	take_data(walk, nft_number(expression, NFTA_IMMEDIATE_DREG),
		  nft_find(expression, NFTA_IMMEDIATE_DATA));
	return OUTCOME_YES;
}

static enum outcome run_reject(struct walk *walk, const struct nlattr *expression)
{
	(void)expression;
	walk->want = (struct want){.given = true, .code = NF_DROP, .rejects = true};
	return OUTCOME_YES;
}

static enum outcome run_queue(struct walk *walk, const struct nlattr *expression)
{
	(void)expression;
	walk->want = (struct want){.given = true, .code = NF_QUEUE};
	return OUTCOME_YES;
}

static enum outcome run_nat(struct walk *walk, const struct nlattr *expression)
{
	bool translates = nft_number(expression, NFTA_NAT_TYPE) == NFT_NAT_DNAT;

	walk->want = (struct want){.given = true, .code = NF_ACCEPT, .translates = translates};
	return OUTCOME_YES;
}

static enum outcome run_masq(struct walk *walk, const struct nlattr *expression)
{
	(void)expression;
	walk->want = (struct want){.given = true, .code = NF_ACCEPT};
	return OUTCOME_YES;
}

static enum outcome run_redir(struct walk *walk, const struct nlattr *expression)
{
	(void)expression;
	walk->want = (struct want){.given = true, .code = NF_ACCEPT, .translates = true};
	return OUTCOME_YES;
}

/* An object with a name: counters do not change the verdict, quotas and limits may. */
static enum outcome run_objref(struct walk *walk, const struct nlattr *expression)
{
	(void)walk;
	return nft_number(expression, NFTA_OBJREF_IMM_TYPE) == NFT_OBJECT_COUNTER ? OUTCOME_YES :
										    OUTCOME_MAYBE;
}

/* An expression that does not change the verdict, such as a counter or a log. */
static enum outcome run_nothing(struct walk *walk, const struct nlattr *expression)
{
	(void)walk;
	(void)expression;
	return OUTCOME_YES;
}

/* --- matches and targets of iptables --- */

static __u16 port_of(const struct nft_packet *packet, bool destination)
{
	__be16 port;

	memcpy(&port, packet->bytes + packet->transport + (destination ? 2 : 0), sizeof(port));
	return ntohs(port);
}

static bool has_ports(const struct nft_packet *packet)
{
	return (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) &&
	       packet->length >= packet->transport + 8;
}

static bool in_range(const __u16 *range, __u16 port, bool inverts)
{
	return (port >= range[0] && port <= range[1]) != inverts;
}

static enum outcome match_udp(const struct nft_packet *packet, const void *info, size_t length)
{
	const struct xt_udp *udp = info;

	if (length < sizeof(*udp))
		return OUTCOME_MAYBE;
	return packet->protocol == IPPROTO_UDP && has_ports(packet) &&
			       in_range(udp->spts, port_of(packet, false),
					udp->invflags & XT_UDP_INV_SRCPT) &&
			       in_range(udp->dpts, port_of(packet, true),
					udp->invflags & XT_UDP_INV_DSTPT) ?
		       OUTCOME_YES :
		       OUTCOME_NO;
}

static enum outcome match_tcp(const struct nft_packet *packet, const void *info, size_t length)
{
	const struct xt_tcp *tcp = info;

	if (length < sizeof(*tcp) || tcp->option || tcp->flg_mask)
		return OUTCOME_MAYBE;
	return packet->protocol == IPPROTO_TCP && has_ports(packet) &&
			       in_range(tcp->spts, port_of(packet, false),
					tcp->invflags & XT_TCP_INV_SRCPT) &&
			       in_range(tcp->dpts, port_of(packet, true),
					tcp->invflags & XT_TCP_INV_DSTPT) ?
		       OUTCOME_YES :
		       OUTCOME_NO;
}

static bool has_port(const struct xt_multiport_v1 *ports, __u16 port)
{
	size_t i;

	for (i = 0; i < ports->count && i < XT_MULTI_PORTS; i++) {
		bool range = ports->pflags[i] && i + 1 < XT_MULTI_PORTS;

		if (port >= ports->ports[i] && port <= ports->ports[i + range])
			return true;
		i += range;
	}
	return false;
}

static enum outcome match_multiport(const struct nft_packet *packet, const void *info,
				    size_t length)
{
	const struct xt_multiport_v1 *ports = info;
	bool source, destination;

	if (length < sizeof(*ports) || !has_ports(packet))
		return OUTCOME_MAYBE;
	source =
		ports->flags != XT_MULTIPORT_DESTINATION && has_port(ports, port_of(packet, false));
	destination = ports->flags != XT_MULTIPORT_SOURCE && has_port(ports, port_of(packet, true));
	return (source || destination) != ports->invert ? OUTCOME_YES : OUTCOME_NO;
}

/* -m state, and -m conntrack --ctstate, which is what most rules use. */
static enum outcome match_conntrack(const struct nft_packet *packet, const void *info,
				    size_t length)
{
	const struct xt_conntrack_mtinfo3 *track = info;
	bool in;

	if (length < sizeof(struct xt_conntrack_mtinfo2) || packet->state == NFT_STATE_UNKNOWN ||
	    (track->match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE)
		return OUTCOME_MAYBE;
	in = track->state_mask & state_bit[packet->state];
	return in != !!(track->invert_flags & XT_CONNTRACK_STATE) ? OUTCOME_YES : OUTCOME_NO;
}

static enum outcome match_addrtype(const struct nft_packet *packet, const void *info, size_t length)
{
	const struct xt_addrtype_info_v1 *type = info;
	bool in;

	if (length < sizeof(*type) || type->source || type->flags & ~XT_ADDRTYPE_INVERT_DEST ||
	    !packet->destination_type)
		return OUTCOME_MAYBE;
	in = type->dest & (1U << packet->destination_type); /* values of enum xt_addrtype_type */
	return in != !!(type->flags & XT_ADDRTYPE_INVERT_DEST) ? OUTCOME_YES : OUTCOME_NO;
}

static enum outcome run_match(struct walk *walk, const struct nlattr *expression)
{
	const struct nlattr *info = nft_find(expression, NFTA_MATCH_INFO);
	const char *name = text(expression, NFTA_MATCH_NAME);
	size_t length = info ? mnl_attr_get_payload_len(info) : 0;
	const void *data = info ? mnl_attr_get_payload(info) : NULL;

	if (!strcmp(name, "comment"))
		return OUTCOME_YES;
	if (!strcmp(name, "tcp"))
		return match_tcp(walk->packet, data, length);
	if (!strcmp(name, "udp"))
		return match_udp(walk->packet, data, length);
	if (!strcmp(name, "conntrack") && nft_number(expression, NFTA_MATCH_REV) >= 2)
		return match_conntrack(walk->packet, data, length);
	if (!strcmp(name, "addrtype") && nft_number(expression, NFTA_MATCH_REV) == 1)
		return match_addrtype(walk->packet, data, length);
	if (!strcmp(name, "multiport") && nft_number(expression, NFTA_MATCH_REV) == 1)
		return match_multiport(walk->packet, data, length);
	return OUTCOME_MAYBE;
}

static enum outcome run_target(struct walk *walk, const struct nlattr *expression)
{
	static const struct {
		const char *name;
		struct want want;
	} known[] = {
		{"REJECT", {.given = true, .code = NF_DROP, .rejects = true}},
		{"DROP", {.given = true, .code = NF_DROP}},
		{"TARPIT", {.given = true, .code = NF_DROP}},
		{"NFQUEUE", {.given = true, .code = NF_QUEUE}},
		{"DNAT", {.given = true, .code = NF_ACCEPT, .translates = true}},
		{"REDIRECT", {.given = true, .code = NF_ACCEPT, .translates = true}},
		{"SNAT", {.given = true, .code = NF_ACCEPT}},
		{"MASQUERADE", {.given = true, .code = NF_ACCEPT}},
	};
	const char *name = text(expression, NFTA_TARGET_NAME);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i].name))
			walk->want = known[i].want;
	return OUTCOME_YES; /* other targets mark or log */
}

/* --- rules --- */

static const struct {
	const char *name;
	enum outcome (*run)(struct walk *walk, const struct nlattr *expression);
} expressions[] = {
	{"payload", run_payload}, {"meta", run_meta},		{"ct", run_ct},
	{"fib", run_fib},	  {"bitwise", run_bitwise},	{"byteorder", run_byteorder},
	{"cmp", run_cmp},	  {"range", run_range},		{"lookup", run_lookup},
	{"dynset", run_dynset},	  {"immediate", run_immediate}, {"reject", run_reject},
	{"queue", run_queue},	  {"objref", run_objref},	{"nat", run_nat},
	{"masq", run_masq},	  {"redir", run_redir},		{"counter", run_nothing},
	{"log", run_nothing},	  {"notrack", run_nothing},	{"last", run_nothing},
	{"match", run_match},	  {"target", run_target},
};

static enum outcome run_expression(struct walk *walk, const struct nlattr *element)
{
	const char *name = text(element, NFTA_EXPR_NAME);
	const struct nlattr *data = nft_find(element, NFTA_EXPR_DATA);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expressions); i++)
		if (!strcmp(name, expressions[i].name))
			return expressions[i].run(walk, data);
	forget_all(walk);
	return OUTCOME_MAYBE;
}

/* Whether a rule matches. Sets `want` to what it then does. */
static enum outcome run_rule(struct walk *walk, const struct nft_rule *rule)
{
	const struct nlattr *element;
	enum outcome all = OUTCOME_YES;

	walk->rule = rule;
	walk->want = (struct want){};
	walk->set = NULL;
	forget_all(walk);
	if (!rule->expressions)
		return OUTCOME_YES;
	mnl_attr_for_each_nested(element, rule->expressions)
	{
		enum outcome one = run_expression(walk, element);

		if (one == OUTCOME_NO)
			return OUTCOME_NO;
		if (one == OUTCOME_MAYBE)
			all = OUTCOME_MAYBE;
		if (walk->want.given)
			break;
	}
	return all;
}

/* --- chains --- */

static void note(struct walk *walk, enum nft_verdict verdict)
{
	struct nft_answer *answer = &walk->answer;

	if (answer->verdict >= verdict)
		return;
	answer->verdict = verdict;
	answer->rejects = walk->want.rejects;
	answer->rule = walk->rule;
	answer->set = walk->set;
	answer->set_has_source = walk->set_has_source;
}

static enum end walk_chain(struct walk *walk, const char *name, bool maybe);

/* Does what the rule wants. `maybe`: the rule may match. */
static enum end carry_out(struct walk *walk, bool maybe)
{
	struct want want = walk->want;
	enum end end = END_RETURNS;

	switch (want.code) {
	case NF_DROP: note(walk, maybe || walk->unsure ? NFT_MAY_DROP : NFT_DROPS); break;
	case NF_QUEUE: note(walk, NFT_MAY_DROP); break;
	case NFT_JUMP:
	case NFT_GOTO: end = walk_chain(walk, want.chain, maybe); break;
	}
	walk->answer.translates |= want.translates;
	if (want.code == NFT_JUMP || want.code == NFT_CONTINUE)
		return end;
	/* If this rule may have let the packet through, a later rule only may drop it. */
	walk->unsure |= maybe && want.code != NF_DROP;
	return maybe ? END_RETURNS : end == END_DECIDED || want.code >= 0 ? END_DECIDED : end;
}

/* After a jump the walk continues with the next rule; after a goto or a return it does not. */
static bool leaves(__s32 code, bool maybe)
{
	return !maybe && (code == NFT_GOTO || code == NFT_RETURN);
}

static enum end walk_chain(struct walk *walk, const char *name, bool maybe)
{
	size_t i;

	if (walk->depth >= JUMPS)
		return END_RETURNS;
	walk->depth++;
	for (i = 0; i < walk->rules->rules; i++) {
		const struct nft_rule *rule = &walk->rules->rule[i];
		enum outcome outcome;
		bool may;
		__s32 code;

		if (rule->family != walk->base->family || strcmp(rule->table, walk->base->table) ||
		    strcmp(rule->chain, name))
			continue;
		outcome = run_rule(walk, rule);
		if (outcome == OUTCOME_NO || !walk->want.given)
			continue;
		may = maybe || outcome == OUTCOME_MAYBE;
		code = walk->want.code;
		if (carry_out(walk, may) == END_DECIDED) {
			walk->depth--;
			return END_DECIDED;
		}
		if (leaves(code, may))
			break;
	}
	walk->depth--;
	return END_RETURNS;
}

struct nft_answer nft_walk(struct nft_rules *rules, const struct nft_chain *base,
			   const struct nft_packet *packet)
{
	struct walk walk = {.rules = rules, .base = base, .packet = packet};

	if (walk_chain(&walk, base->name, false) == END_RETURNS && base->policy == NF_DROP) {
		walk.rule = NULL;
		walk.set = NULL;
		walk.want = (struct want){};
		note(&walk, walk.unsure ? NFT_MAY_DROP : NFT_DROPS);
	}
	return walk.answer;
}
