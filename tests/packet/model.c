// SPDX-License-Identifier: GPL-2.0
/* The verdict table of the contract (lines 1-6, 8, 9), read aloud: plain, one frame at a time. */
#include <sys/socket.h>

#include "tests/packet/model.h"

const char *const model_action_name[] = {
	[MODEL_PASS] = "pass",
	[MODEL_DROP] = "drop",
	[MODEL_WOULD_DROP] = "would-drop",
};

const char *const model_why_name[MODEL_WHYS] = {
	[MODEL_MALFORMED] = "malformed", [MODEL_FRAGMENT] = "fragment",
	[MODEL_ICMP] = "icmp",		 [MODEL_SOURCE] = "source",
	[MODEL_PROTOCOL] = "protocol",	 [MODEL_UNLISTED] = "unlisted",
	[MODEL_PASS_PORT] = "(port)",	 [MODEL_PASS_NON_IP] = "(non-ip)",
	[MODEL_PASS_ICMP] = "(icmp)",	 [MODEL_PASS_PROTOCOL] = "(protocol)",
};

/* What lies above IP, once the network header has been found sound. */
struct upper {
	int family;
	const uint8_t *source; /* address */
	uint8_t protocol;
	uint8_t hop_limit;
	bool first_fragment; /* more of this packet follows in other fragments */
	const uint8_t *data;
	size_t length; /* of data, up to the end of the packet, not of the frame */
};

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static struct model_verdict drop(enum model_why why)
{
	return (struct model_verdict){MODEL_DROP, why, -1};
}

static struct model_verdict pass(enum model_why why)
{
	return (struct model_verdict){MODEL_PASS, why, -1};
}

/* Lines 5, 6 and 9: what the tables say of this source, source port and port. */
static struct model_verdict judge_port(const struct upper *upper, enum pc_transport transport,
				       const struct tables *tables)
{
	uint16_t source_port = read16(upper->data);
	uint16_t port = read16(upper->data + 2);
	int index = (int)PC_PORT(transport, port);

	switch (tables_admit(tables, upper->family, upper->source, transport, source_port, port)) {
	case ADMIT_PASS: return (struct model_verdict){MODEL_PASS, MODEL_PASS_PORT, index};
	case ADMIT_SOURCE: return (struct model_verdict){MODEL_DROP, MODEL_SOURCE, index};
	default: return (struct model_verdict){MODEL_DROP, MODEL_UNLISTED, index};
	}
}

static struct model_verdict judge_tcp(const struct upper *upper, const struct tables *tables)
{
	size_t header;

	if (upper->length < 20)
		return drop(MODEL_MALFORMED);
	header = (size_t)(upper->data[12] >> 4) * 4;
	if (header < 20 || header > upper->length)
		return drop(MODEL_MALFORMED);
	return judge_port(upper, PC_TCP, tables);
}

static struct model_verdict judge_udp(const struct upper *upper, const struct tables *tables)
{
	if (upper->length < 8)
		return drop(MODEL_MALFORMED);
	return judge_port(upper, PC_UDP, tables);
}

static struct model_verdict judge_icmp4(const struct upper *upper)
{
	if (upper->length < 8)
		return drop(MODEL_MALFORMED);
	switch (upper->data[0]) {
	case 0:	 /* echo reply */
	case 3:	 /* destination unreachable */
	case 8:	 /* echo */
	case 11: /* time exceeded */
	case 12: /* parameter problem */ return pass(MODEL_PASS_ICMP);
	default: return drop(MODEL_ICMP);
	}
}

static struct model_verdict judge_icmp6(const struct upper *upper)
{
	uint8_t type;

	if (upper->length < 8)
		return drop(MODEL_MALFORMED);
	type = upper->data[0];
	/*
	 * RFC 4861, 6980: neighbour discovery never leaves the link and never comes in fragments.
	 */
	if (type >= 133 && type <= 136 && (upper->hop_limit != 255 || upper->first_fragment))
		return drop(MODEL_ICMP);
	if ((type >= 1 && type <= 4) || (type >= 128 && type <= 136) || type == 143)
		return pass(MODEL_PASS_ICMP);
	return drop(MODEL_ICMP);
}

/* Line 8. The numbers that can never be named stay out even if a table said otherwise. */
static struct model_verdict judge_protocol(const struct upper *upper, const struct tables *tables)
{
	switch (upper->protocol) {
	case 0:
	case 1:
	case 2:
	case 6:
	case 17:
	case 43:
	case 44:
	case 58:
	case 60: return drop(MODEL_PROTOCOL);
	default:
		return tables->generation->protocol[upper->protocol] ? pass(MODEL_PASS_PROTOCOL) :
								       drop(MODEL_PROTOCOL);
	}
}

static struct model_verdict judge_upper(const struct upper *upper, const struct tables *tables)
{
	bool ipv4 = upper->family == AF_INET;

	if (upper->protocol == 6)
		return judge_tcp(upper, tables);
	if (upper->protocol == 17)
		return judge_udp(upper, tables);
	if (upper->protocol == 1 && ipv4)
		return judge_icmp4(upper);
	if (upper->protocol == 58 && !ipv4)
		return judge_icmp6(upper);
	if (upper->protocol == 2 && ipv4) /* IGMP, unread */
		return pass(MODEL_PASS_ICMP);
	return judge_protocol(upper, tables);
}

/* A later fragment, `units` of 8 bytes into its packet. None is known by its first one yet. */
static struct model_verdict judge_later_fragment(unsigned units, uint8_t protocol)
{
	/* RFC 1858, 3128: offset 8 would overwrite the TCP flags of the first fragment. */
	if (units == 1 && protocol == 6)
		return drop(MODEL_MALFORMED);
	return drop(MODEL_FRAGMENT);
}

static struct model_verdict judge_ipv4(const uint8_t *ip, size_t rest, const struct tables *tables)
{
	struct upper upper = {.family = AF_INET};
	size_t header, total;
	unsigned fragment;

	if (rest < 20)
		return drop(MODEL_MALFORMED);
	header = (size_t)(ip[0] & 15) * 4;
	if (ip[0] >> 4 != 4 || header < 20 || header > rest)
		return drop(MODEL_MALFORMED);
	total = read16(ip + 2);
	if (total == 0 && rest > 65535) /* BIG TCP */
		total = rest;
	if (total < header || total > rest)
		return drop(MODEL_MALFORMED);

	fragment = read16(ip + 6);
	if (fragment & 0x1fff)
		return judge_later_fragment(fragment & 0x1fff, ip[9]);

	upper.source = ip + 12;
	upper.protocol = ip[9];
	upper.hop_limit = ip[8];
	upper.first_fragment = fragment & 0x2000;
	upper.data = ip + header;
	upper.length = total - header;
	return judge_upper(&upper, tables);
}

static struct model_verdict judge_ipv6(const uint8_t *ip, size_t rest, const struct tables *tables)
{
	struct upper upper = {.family = AF_INET6};
	unsigned extensions = 0;
	size_t payload;

	if (rest < 40 || ip[0] >> 4 != 6)
		return drop(MODEL_MALFORMED);
	payload = read16(ip + 4);
	if (payload == 0 && rest - 40 > 65535) /* BIG TCP */
		payload = rest - 40;
	if (payload > rest - 40)
		return drop(MODEL_MALFORMED);

	upper.source = ip + 8;
	upper.protocol = ip[6];
	upper.hop_limit = ip[7];
	upper.data = ip + 40;
	upper.length = payload;

	while (upper.protocol == 0 || upper.protocol == 43 || upper.protocol == 44 ||
	       upper.protocol == 60) {
		bool is_fragment = upper.protocol == 44;
		size_t header;

		if (++extensions > 8 || upper.length < 8)
			return drop(MODEL_MALFORMED);
		header = is_fragment ? 8 : ((size_t)upper.data[1] + 1) * 8;
		if (header > upper.length)
			return drop(MODEL_MALFORMED);
		if (is_fragment) {
			unsigned fragment = read16(upper.data + 2);

			if (fragment >> 3)
				return judge_later_fragment(fragment >> 3, upper.data[0]);
			if (fragment & 1)
				upper.first_fragment = true;
		}
		upper.protocol = upper.data[0];
		upper.data += header;
		upper.length -= header;
	}
	return judge_upper(&upper, tables);
}

static struct model_verdict judge_ethernet(const uint8_t *frame, size_t length,
					   const struct tables *tables)
{
	unsigned tags = 0;
	uint16_t type;
	size_t at = 14;

	if (length < 14)
		return drop(MODEL_MALFORMED);
	type = read16(frame + 12);
	while (type == 0x8100 || type == 0x88a8) {
		if (++tags > 2 || at + 4 > length)
			return drop(MODEL_MALFORMED);
		type = read16(frame + at + 2);
		at += 4;
	}
	if (type == 0x0800)
		return judge_ipv4(frame + at, length - at, tables);
	if (type == 0x86dd)
		return judge_ipv6(frame + at, length - at, tables);
	return pass(MODEL_PASS_NON_IP);
}

struct model_verdict model_judge(const uint8_t *frame, size_t length, const struct tables *tables)
{
	struct model_verdict verdict = judge_ethernet(frame, length, tables);

	if (verdict.action == MODEL_DROP && tables->generation->policy == PC_POLICY_OBSERVE)
		verdict.action = MODEL_WOULD_DROP;
	return verdict;
}

bool model_equal(const struct model_verdict *a, const struct model_verdict *b)
{
	return a->action == b->action && a->why == b->why && a->port == b->port;
}
