// SPDX-License-Identifier: GPL-2.0
/* The rule `icmp`: which ICMP a host admits (RFC 792, 4443, 4861; errors: RFC 5508). */
#include <string.h>
#include <sys/socket.h>

#include "loader/compile/admit.h"
#include "tests/packet/model_parts.h"

static struct model_verdict verdict(bool good)
{
	return good ? (struct model_verdict){MODEL_PASS, MODEL_PASS_ICMP, -1, 0} :
		      (struct model_verdict){MODEL_DROP, MODEL_ICMP, -1, 0};
}

/* The packet that an error quotes is ours if its source is the error's destination. */
static bool read_quote4(const uint8_t *ip, size_t length, struct upper *quote)
{
	size_t header;

	if (length < 20 || ip[0] >> 4 != 4)
		return false;
	header = (size_t)(ip[0] & 15) * 4;
	if (header < 20 || header + 8 > length)
		return false;
	if (model_read16(ip + 6) & 0x1fff) /* a later fragment has no ports */
		return false;
	quote->source = ip + 12;
	quote->destination = ip + 16;
	quote->protocol = ip[9];
	quote->data = ip + header;
	return true;
}

static bool read_quote6(const uint8_t *ip, size_t length, struct upper *quote)
{
	size_t at = 40;

	if (length < 40 || ip[0] >> 4 != 6)
		return false;
	quote->source = ip + 8;
	quote->destination = ip + 24;
	quote->protocol = ip[6];
	for (unsigned extensions = 0; quote->protocol == 0 || quote->protocol == 43 ||
				      quote->protocol == 44 || quote->protocol == 60;
	     extensions++) {
		bool is_fragment = quote->protocol == 44;

		if (extensions == 8 || at + 8 > length)
			return false;
		if (is_fragment && model_read16(ip + at + 2) >> 3)
			return false;
		quote->protocol = ip[at];
		at += is_fragment ? 8 : ((size_t)ip[at + 1] + 1) * 8;
	}
	quote->data = ip + at;
	return at + 8 <= length;
}

/* The path MTU that an error reports; -1: it is another error. */
static long path_mtu(const struct upper *error)
{
	if (error->family == AF_INET)
		return error->data[0] == 3 && error->data[1] == 4 ? model_read16(error->data + 6) :
								    -1;
	return error->data[0] == 2 ?
		       (long)model_read16(error->data + 4) << 16 | model_read16(error->data + 6) :
		       -1;
}

static bool quoted_port_is_ours(const struct upper *quote, long mtu, const struct judge *judge)
{
	enum pc_transport transport = quote->protocol == 6 ? PC_TCP : PC_UDP;
	uint16_t local = model_read16(quote->data), remote = model_read16(quote->data + 2);
	struct pc_flow tuple = model_tuple(quote->family, quote->protocol, quote->destination,
					   quote->source, remote, local);

	if (model_socket_live(judge->state, &tuple) || model_flow_live(judge->state, &tuple))
		return true;
	/* The open port must have sent a large datagram, and the MTU must be one that links
	 * have. */
	if (transport == PC_UDP && mtu >= 0)
		return mtu >= (quote->family == AF_INET ? 552 : 1280) &&
		       model_large(judge->state, &tuple);
	return tables_admit_class(judge->tables, model_class(judge), quote->family,
				  quote->destination, transport, remote, local) == ADMIT_PASS;
}

static bool quoted_icmp_is_ours(const struct upper *quote, const struct judge *judge)
{
	bool ipv4 = quote->family == AF_INET;
	struct pc_flow tuple;

	if (quote->data[0] != (ipv4 ? 8 : 128)) /* for an echo reply there is no way to know */
		return false;
	tuple = model_tuple(quote->family, quote->protocol, quote->destination, quote->source, 0,
			    model_read16(quote->data + 4));
	return model_flow_live(judge->state, &tuple);
}

static bool quotes_ours(const struct upper *upper, const struct judge *judge)
{
	bool ipv4 = upper->family == AF_INET;
	struct upper quote = {.family = upper->family};
	long mtu = path_mtu(upper);

	if (upper->first_fragment)
		return false;
	/* RFC 4443, 2.4 (c): an error has at most 1280 bytes, so it quotes nothing behind these. */
	if (upper->data + 8 - judge->frame > 2047)
		return false;
	if (!(ipv4 ? read_quote4 : read_quote6)(upper->data + 8, upper->length - 8, &quote))
		return false;
	if (memcmp(quote.source, upper->destination, ipv4 ? 4 : 16))
		return false;
	if (quote.protocol == 6 || quote.protocol == 17)
		return quoted_port_is_ours(&quote, mtu, judge);
	if (quote.protocol == (ipv4 ? 1 : 58))
		return quoted_icmp_is_ours(&quote, judge);
	/* For other protocols the kernel does not check that this host sent the packet. */
	if (mtu >= 0 && !memchr("\x04\x29\x2f\x32\x33\x6c\x84", quote.protocol, 7))
		return false;
	return model_named(quote.protocol, judge);
}

/* Whether it is the answer to an echo request of this host. */
static bool echo_is_awaited(const struct upper *upper, const struct judge *judge)
{
	struct pc_flow tuple = model_tuple(upper->family, upper->protocol, upper->source,
					   upper->destination, 0, model_read16(upper->data + 4));
	struct model_flow *flow = model_flow_live(judge->state, &tuple);

	if (!flow)
		return false;
	flow->age = 0;
	flow->flags |= PC_FLOW_REPLIED;
	return true;
}

static struct model_verdict icmp4(const struct upper *upper, const struct judge *judge)
{
	switch (upper->data[0]) {
	case 0: return verdict(echo_is_awaited(upper, judge));
	case 8: return verdict(true);
	case 3:	 /* destination unreachable */
	case 11: /* time exceeded */
	case 12: /* parameter problem */ return verdict(quotes_ours(upper, judge));
	default: return verdict(false);
	}
}

static struct model_verdict icmp6(const struct upper *upper, const struct judge *judge)
{
	switch (upper->data[0]) {
	case 1 ... 4: return verdict(quotes_ours(upper, judge));
	case 129: return verdict(echo_is_awaited(upper, judge));
	case 128:
	case 130 ... 132:
	case 143: return verdict(true);
	/* RFC 4861, 6980: these never leave the link, and are never fragmented. */
	case 133 ... 136: return verdict(upper->hop_limit == 255 && !upper->first_fragment);
	default: return verdict(false);
	}
}

struct model_verdict model_icmp(const struct upper *upper, const struct judge *judge)
{
	return upper->family == AF_INET ? icmp4(upper, judge) : icmp6(upper, judge);
}
