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

/* Passes a reply, and counts it for its remote port too if an `out` service lists that port. */
static __always_inline struct verdict pass_reply(const struct packet *packet,
						 const struct pc_generation *generation)
{
	struct verdict verdict = pass_other(PC_OTHER_REPLY);

	if (table_covers(packet, generation))
		verdict.second = PC_CELL_OUT + PC_PORT(packet->transport, packet->remote_port);
	return verdict;
}

/* Decides TCP and UDP: the rules `service`, `reply`, `source` and `unlisted`. */
static __always_inline struct verdict decide_port(const struct packet *packet,
						  const struct pc_generation *generation)
{
	enum admit admit = table_admit(packet, generation);

	if (admit == ADMIT_PASS) {
		/* A TCP SYN shows which side began; UDP does not. */
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
		verdict.second = PC_FRAGMENT_ECHO; /* for fragment_remember; account ignores it */
	return verdict;
}

/* Decides a later fragment: the rule `fragment`. */
static __always_inline struct verdict decide_later_fragment(const struct packet *packet,
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
decide(const struct packet *packet, const struct pc_generation *generation, enum parsed parsed)
{
	switch (parsed) {
	case PARSED_ELSEWHERE:
	case PARSED_MALFORMED: return drop_reason(PC_REASON_MALFORMED);
	case PARSED_NON_IP: return pass_other(PC_OTHER_NON_IP);
	case PARSED_LATER_FRAGMENT: return decide_later_fragment(packet, generation);
	case PARSED_PORT: return decide_port(packet, generation);
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

/* Counts a verdict, notes what later packets need, and returns the action. */
static __always_inline int carry_out(const struct packet *packet,
				     const struct pc_generation *generation, struct verdict verdict)
{
	if (packet->fragment && !verdict.drop)
		fragment_remember(packet, verdict.cell, verdict.second);
	if (verdict.second == PC_FRAGMENT_ECHO)
		verdict.second = 0;
	if (is_attaching(generation, verdict))
		return XDP_PASS;
	if (account(packet, generation, verdict))
		return XDP_DROP;
	if (verdict.drop && verdict.second)
		flow_came_in(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
			     flow_how_pack(packet));
	return XDP_PASS;
}

/* An ICMP error that portcullis_gather returns instead of an action: its offsets in the frame. */
struct icmp_error {
	__u64 end : 32; /* as in struct packet */
	__u64 at : 15;
	__u64 unused : 1;
	__u64 ip : 5;
	__u64 ipv6 : 1;
	__u64 fragment : 1;
	__u64 unused_too : 8;
	__u64 set : 1; /* 0: the word is an action */
};

static __always_inline __u64 icmp_error_pack(struct icmp_error error)
{
	return bits_as(__u64, error);
}

static __always_inline struct icmp_error icmp_error_unpack(__u64 word)
{
	return bits_as(struct icmp_error, word);
}

/* Decides a packet and carries the verdict out, or returns an ICMP error for the next pass. */
static __always_inline __u64 decide_or_hand_over(const struct packet *packet,
						 const struct pc_generation *generation,
						 enum parsed parsed)
{
	if (parsed == PARSED_PACKET && is_icmp_error(packet))
		return icmp_error_pack((struct icmp_error){.end = packet->end,
							   .at = packet->at,
							   .ip = packet->ip,
							   .ipv6 = packet->ipv6,
							   .fragment = packet->fragment,
							   .set = 1});
	return carry_out(packet, generation, decide(packet, generation, parsed));
}

/* The second pass. A function of its own keeps the registers of the first pass free. */
__noinline __u64 portcullis_gather(struct xdp_md *ctx)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx, frame_length(ctx));
	packet.link = generation->link;
	return decide_or_hand_over(&packet, generation, packet_parse(&packet));
}

/* The third pass: decides an ICMP error by the packet that it quotes. */
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
	return carry_out(&packet, generation,
			 icmp_error_admitted(&packet, generation) ? pass_other(PC_OTHER_ICMP) :
								    drop_reason(PC_REASON_ICMP));
}

/*
 * Ingress has three passes. A pass decides the frame, or hands it over to the next one, which reads
 * the active generation itself. So one generation alone decides a frame, whatever is swapped
 * meanwhile.
 *
 *	ingress			TCP and UDP in the linear part, no fragments
 *	   |			packet_parse, decide_port, carry_out
 *	   |
 *	   | other frames: again from the first byte
 *	   v
 *	portcullis_gather	all frames, their headers in any buffer
 *	   |			packet_parse, decide, carry_out
 *	   |
 *	   | ICMP errors: struct icmp_error
 *	   v
 *	portcullis_icmp_error	ICMP errors
 *				icmp_error_admitted (quote_read, quote_was_sent), carry_out
 *
 * carry_out is the only exit of a decided frame: it counts the verdict and returns the action.
 */
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
	/* Sharing an exit with the other frames would cost a usual frame 5 ns. */
	if (parsed == PARSED_PORT && !packet.fragment)
		return carry_out(&packet, generation, decide_port(&packet, generation));
	decided = portcullis_gather(ctx);
	return icmp_error_unpack(decided).set ? portcullis_icmp_error(ctx, decided) : (int)decided;
}

/* Loaded from Linux 6.2 on; portcullis_old before. */
SEC("xdp")
int portcullis(struct xdp_md *ctx)
{
	return ingress(ctx, true);
}

/* Loaded before Linux 6.2, which cannot look into the kernel's context. */
SEC("xdp")
int portcullis_old(struct xdp_md *ctx)
{
	return ingress(ctx, false);
}

/*
 * Counts, filters and learns from outgoing packets. TC_ACT_UNSPEC, which is also TCX_NEXT, lets the
 * other programs of the hook run.
 */
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
	verdict = decide_outbound(&packet, generation, parsed, skb);
	if (packet.fragment && !verdict.drop)
		fragment_remember(&packet, verdict.cell, verdict.second);
	if (!is_attaching(generation, verdict) && account(&packet, generation, verdict))
		return TC_ACT_SHOT;
	flow_learn(&packet, generation, parsed, skb);
	return TC_ACT_UNSPEC;
}
