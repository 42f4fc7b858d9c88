// SPDX-License-Identifier: GPL-2.0
/*
 * The programs. Ingress, at XDP, parses a frame, decides it by the rules of one generation and
 * counts it. Egress, at TC, counts a packet, filters it where `out` services are enforced, and
 * learns from it. The rules have the names of portcullis(8), VERDICTS.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/table.h"
#include "bpf/flow.h"
#include "bpf/reply.h"
#include "bpf/came_in.h"
#include "bpf/learn.h"
#include "bpf/fragment.h"
#include "bpf/icmp.h"
#include "bpf/account.h"
#include "bpf/outbound.h"

char portcullis_license[] SEC("license") = "GPL";

/* A reply counts for its remote port too, if an `out` service lists it. */
static __always_inline struct verdict pass_reply(const struct packet *packet,
						 const struct pc_generation *generation)
{
	struct verdict verdict = pass_other(PC_OTHER_REPLY);

	if (table_covers(packet, generation))
		verdict.second = PC_CELL_OUT + PC_PORT(packet->transport, packet->remote_port);
	return verdict;
}

/* Decides TCP and UDP: the rules `service`, `reply`, `source` and `unlisted`. */
static __always_inline struct verdict judge_port(const struct packet *packet,
						 const struct pc_generation *generation)
{
	enum admit admit = table_admit(packet, generation);

	if (admit == ADMIT_PASS) {
		/* By TCP, who began shows. */
		if (packet->protocol == PROTOCOL_UDP && has_other_filters())
			flow_came_in(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
				     flow_how_pack(packet));
		return pass_port(packet);
	}
	if (!is_syn(packet) && flow_of_packet(packet))
		return pass_reply(packet, generation);
	return drop_port(packet, admit == ADMIT_SOURCE ? PC_REASON_SOURCE : PC_REASON_UNLISTED);
}

static __always_inline struct verdict pass_icmp(const struct packet *packet)
{
	struct verdict verdict = pass_other(PC_OTHER_ICMP);

	if (is_echo(packet))
		verdict.second = PC_FRAGMENT_ECHO; /* told to later fragments, not counted */
	return verdict;
}

/* The rule `fragment`. */
static __always_inline struct verdict judge_later_fragment(const struct packet *packet,
							   const struct pc_generation *generation)
{
	struct first_fragment first = fragment_follow(packet);

	if (!first.known)
		return drop_reason(PC_REASON_FRAGMENT);
	if (first.second == PC_FRAGMENT_ECHO)
		return echo_admitted(generation) ? pass_other(PC_OTHER_ICMP) :
						   drop_reason(PC_REASON_ICMP);
	return (struct verdict){.cell = first.cell, .second = first.second};
}

/* Decides by all rules; ICMP errors are decided by portcullis_icmp_error. */
static __always_inline struct verdict
judge(const struct packet *packet, const struct pc_generation *generation, enum parsed parsed)
{
	switch (parsed) {
	case PARSED_ELSEWHERE:
	case PARSED_MALFORMED: return drop_reason(PC_REASON_MALFORMED);
	case PARSED_NON_IP: return pass_other(PC_OTHER_NON_IP);
	case PARSED_LATER_FRAGMENT: return judge_later_fragment(packet, generation);
	case PARSED_PORT: return judge_port(packet, generation);
	case PARSED_PACKET: break;
	}
	if (is_icmp(packet))
		return icmp_admitted(packet, generation) ? pass_icmp(packet) :
							   drop_reason(PC_REASON_ICMP);
	if (!packet->ipv6 && packet->protocol == PROTOCOL_IGMP)
		return pass_other(PC_OTHER_ICMP);
	return generation->protocol[bounded(packet->protocol, 255)] ?
		       pass_other(PC_OTHER_PROTOCOL) :
		       drop_reason(PC_REASON_PROTOCOL);
}

/* Carries a verdict out. */
static __always_inline int finish(const struct packet *packet,
				  const struct pc_generation *generation, struct verdict verdict)
{
	if (packet->fragment && !verdict.drop)
		fragment_remember(packet, verdict.cell, verdict.second);
	if (verdict.second == PC_FRAGMENT_ECHO)
		verdict.second = 0;
	if (too_early(generation, verdict))
		return XDP_PASS;
	if (account(packet, generation, verdict))
		return XDP_DROP;
	if (verdict.drop && verdict.second)
		flow_came_in(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
			     flow_how_pack(packet));
	return XDP_PASS;
}

/*
 * An ICMP error that portcullis_gather hands to portcullis_icmp_error, in place of an action: where
 * it stands in the frame.
 */
struct icmp_error {
	__u64 end : 32; /* offset of the packet's end */
	__u64 at : 15;	/* of the ICMP header */
	__u64 unused : 1;
	__u64 ip : 5; /* of the IP header */
	__u64 ipv6 : 1;
	__u64 fragment : 1;
	__u64 spare : 8;
	__u64 set : 1; /* 1: no action */
};

static __always_inline __u64 icmp_error_pack(struct icmp_error error)
{
	return bits_as(__u64, error);
}

static __always_inline struct icmp_error icmp_error_unpack(__u64 word)
{
	return bits_as(struct icmp_error, word);
}

static __always_inline __u64 decide(const struct packet *packet,
				    const struct pc_generation *generation, enum parsed parsed)
{
	if (parsed == PARSED_PACKET && is_icmp_error(packet))
		return icmp_error_pack((struct icmp_error){.end = packet->end,
							   .at = packet->at,
							   .ip = packet->ip,
							   .ipv6 = packet->ipv6,
							   .fragment = packet->fragment,
							   .set = 1});
	return finish(packet, generation, judge(packet, generation, parsed));
}

/*
 * Any frame, from the start. Apart, so that the usual one's path stays free of what the rest costs
 * in registers, and verified once.
 */
__noinline __u64 portcullis_gather(struct xdp_md *ctx)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx, frame_length(ctx));
	packet.link = generation->link;
	return decide(&packet, generation, packet_parse(&packet));
}

/* Decides an ICMP error by the active generation alone. */
__noinline int portcullis_icmp_error(struct xdp_md *ctx, __u64 word)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};
	struct icmp_error error = icmp_error_unpack(word);

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx, frame_length(ctx));
	packet.link = generation->link;
	packet.ip = error.ip;
	packet.at = error.at;
	packet.end = error.end;
	packet.ipv6 = error.ipv6;
	packet.fragment = error.fragment;
	return finish(&packet, generation,
		      icmp_error_admitted(&packet, generation) ? pass_other(PC_OTHER_ICMP) :
								 drop_reason(PC_REASON_ICMP));
}

static __always_inline int ingress(struct xdp_md *ctx, bool kernel_context)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	enum parsed parsed;
	__u64 decided;

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx, kernel_context ? frame_length_inline(ctx) : frame_length(ctx));
	packet.link = generation->link;
	parsed = packet_parse(&packet);
	/* The rest apart, from the start: to share an exit with it costs the usual frame 5 ns. */
	if (parsed == PARSED_PORT && !packet.fragment)
		return finish(&packet, generation, judge_port(&packet, generation));
	decided = portcullis_gather(ctx);
	return icmp_error_unpack(decided).set ? portcullis_icmp_error(ctx, decided) : (int)decided;
}

/* One of the two is loaded: */
SEC("xdp")
int portcullis(struct xdp_md *ctx)
{
	return ingress(ctx, true);
}

/* for kernels before 6.2. */
SEC("xdp")
int portcullis_old(struct xdp_md *ctx)
{
	return ingress(ctx, false);
}

/* TC_ACT_UNSPEC, which is TCX_NEXT too: other programs of the hook run after this one. */
SEC("tc")
int portcullis_egress(struct __sk_buff *skb)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	struct verdict verdict;
	enum parsed parsed;

	if (!generation)
		return TC_ACT_UNSPEC;
	packet_init_egress(&packet, skb);
	packet.link = generation->link;
	parsed = packet_parse(&packet);
	verdict = judge_outbound(&packet, generation, parsed, skb);
	if (packet.fragment && !verdict.drop)
		fragment_remember(&packet, verdict.cell, verdict.second);
	if (!too_early(generation, verdict) && account(&packet, generation, verdict))
		return TC_ACT_SHOT;
	flow_learn(&packet, generation, parsed, skb);
	return TC_ACT_UNSPEC;
}
