// SPDX-License-Identifier: GPL-2.0
/*
 * The XDP program: a frame is parsed, judged by one generation in the order of the contract,
 * counted.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/table.h"
#include "bpf/state.h"
#include "bpf/account.h"

char portcullis_license[] SEC("license") = "GPL";

/*
 * Line 4 (RFC 792; RFC 4443, 4861: neighbour discovery comes from the link itself, hop limit 255).
 */
static __always_inline bool icmp_admitted(const struct packet *packet)
{
	__u8 type = packet->icmp_type;

	if (!packet->ipv6)
		return type == 0 || type == 3 || type == 8 || type == 11 || type == 12;
	if (type >= 133 && type <= 136)
		return packet->hop_limit == 255 && !packet->fragment;
	return (type >= 1 && type <= 4) || (type >= 128 && type <= 132) || type == 143;
}

/* Lines 5, 6, 7, 9. */
static __always_inline struct verdict judge_port(const struct packet *packet,
						 const struct pc_generation *generation)
{
	enum admit admit = table_admit(packet, generation);

	if (admit == ADMIT_PASS)
		return pass_port(packet);
	if (state_reply(packet))
		return pass_other(PC_OTHER_REPLY);
	return drop_port(packet, admit == ADMIT_SOURCE ? PC_REASON_SOURCE : PC_REASON_UNLISTED);
}

static __always_inline struct verdict
judge(const struct packet *packet, const struct pc_generation *generation, enum parsed parsed)
{
	switch (parsed) {
	case PARSED_ELSEWHERE:
	case PARSED_MALFORMED: return drop_reason(PC_REASON_MALFORMED);
	case PARSED_NON_IP: return pass_other(PC_OTHER_NON_IP);
	case PARSED_LATER_FRAGMENT:
		return state_fragment(packet) ? pass_other(PC_OTHER_REPLY) :
						drop_reason(PC_REASON_FRAGMENT);
	case PARSED_PORT: return judge_port(packet, generation);
	case PARSED_PACKET: break;
	}
	if (packet->protocol == (packet->ipv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP))
		return icmp_admitted(packet) ? pass_other(PC_OTHER_ICMP) :
					       drop_reason(PC_REASON_ICMP);
	if (!packet->ipv6 && packet->protocol == PROTOCOL_IGMP)
		return pass_other(PC_OTHER_ICMP);
	return generation->protocol[bounded(packet->protocol, 255)] ?
		       pass_other(PC_OTHER_PROTOCOL) :
		       drop_reason(PC_REASON_PROTOCOL);
}

static __always_inline const struct pc_generation *generation_current(void)
{
	__u32 current = 0;
	void *map = bpf_map_lookup_elem(&generations, &current);

	return map ? bpf_map_lookup_elem(map, &current) : NULL;
}

/*
 * A frame whose headers are not all in the linear part, from the start. Apart, so that the usual
 * frame's path stays free of what copying costs in registers, and verified once.
 */
__noinline int portcullis_gather(struct xdp_md *ctx)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx);
	return account(&packet, generation, judge(&packet, generation, packet_parse(&packet)));
}

SEC("xdp")
int portcullis(struct xdp_md *ctx)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	enum parsed parsed;

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx);
	parsed = packet_parse(&packet);
	if (parsed == PARSED_ELSEWHERE)
		return portcullis_gather(ctx);
	return account(&packet, generation, judge(&packet, generation, parsed));
}
