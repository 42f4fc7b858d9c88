// SPDX-License-Identifier: GPL-2.0
/*
 * The programs. Ingress, at XDP, parses a frame, decides it by the rules of one generation and
 * counts it. Egress, at TC, counts a packet, filters it if `out` services are enforced, and learns
 * from it. The rules have the names of portcullis(8), VERDICTS.
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
#include "bpf/machine.h"
#include "bpf/table.h"
#include "bpf/flow.h"
#include "bpf/mark.h"
#include "bpf/reply.h"
#include "bpf/came_in.h"
#include "bpf/learn.h"
#include "bpf/fragment.h"
#include "bpf/icmp.h"
#include "bpf/limit.h"
#include "bpf/account.h"
#include "bpf/outbound.h"
#include "bpf/ban.h"
#include "bpf/grant.h"
#include "bpf/tell.h"

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

/*
 * Decides TCP and UDP: the rules `service`, `reply`, `limit`, `source` and `unlisted`. `over`: the
 * packet is over the limits of all services that admit it.
 */
static __always_inline struct verdict decide_port(const struct packet *packet,
						  const struct pc_generation *generation, bool over)
{
	enum admit admit = table_admit(packet, generation);
	enum pc_reason reason;

	if (admit >= ADMIT_PASS && !over) {
		/* A TCP SYN shows which side began; UDP does not. */
		if (packet->protocol == PROTOCOL_UDP && !is_explaining(packet) &&
		    has_other_filters())
			flow_came_in(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
				     flow_how_pack(packet));
		return pass_port(packet);
	}

	/*
	 * Packets that a grant admits are not limited. UDP packets among them are not noted in
	 * `came_in`, so their flow is learned, and outlives the grant.
	 */
	if ((admit == ADMIT_SOURCE || over) && has_grants() &&
	    packet_granted(packet, generation, false))
		return pass_port(packet);
	reason = over		       ? PC_REASON_LIMIT :
		 admit == ADMIT_SOURCE ? PC_REASON_SOURCE :
					 PC_REASON_UNLISTED;
	reason = forgotten(reason, packet->local_port);
	if (!is_syn(packet) && flow_of_packet(packet))
		return pass_reply(packet, generation);
	return drop_port(packet, reason);
}

static __always_inline struct verdict pass_icmp(const struct packet *packet)
{
	struct verdict verdict = pass_other(PC_OTHER_ICMP);

	if (is_echo(packet))
		/* used by fragment_remember; account ignores it */
		verdict.second = PC_FRAGMENT_ECHO;
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
static __always_inline struct verdict decide(const struct packet *packet,
					     const struct pc_generation *generation,
					     enum parsed parsed, bool over)
{
	switch (parsed) {
	case PARSED_ELSEWHERE:
	case PARSED_MALFORMED: return drop_reason(PC_REASON_MALFORMED);
	case PARSED_NON_IP: return pass_other(PC_OTHER_NON_IP);
	case PARSED_LATER_FRAGMENT: return decide_later_fragment(packet, generation);
	case PARSED_PORT: return decide_port(packet, generation, over);
	case PARSED_PACKET: break;
	}
	if (is_icmp(packet))
		return icmp_admitted(packet, generation) ? pass_icmp(packet) :
							   drop_reason(PC_REASON_ICMP);
	if (!packet->ipv6 && packet->protocol == PROTOCOL_IGMP)
		return pass_other(PC_OTHER_ICMP);
	return protocol_named(packet, generation) ? pass_other(PC_OTHER_PROTOCOL) :
						    drop_reason(PC_REASON_PROTOCOL);
}

/* The action for a packet with this decision: DECIDED_*. */
static __always_inline int action_of(__u32 how)
{
	return is_dropped(how) ? XDP_DROP : XDP_PASS;
}

/*
 * The end of a pass. The first pass reports the packet (if `told`) and returns the action; the
 * others leave both to ingress_rest, and return a struct decided_word.
 */
static __always_inline __u64 pass_end(const struct packet *packet,
				      const struct pc_generation *generation, __u32 cell, __u32 how,
				      bool told)
{
	if (packet->gather)
		return is_explaining(packet) || !(how & DECIDED_SILENT) ?
			       decided_pack(packet, generation, cell, how) :
			       decided_silent(how);
	if (told)
		tell_ingress(packet->ctx, decided_pack(packet, generation, cell, how));
	return action_of(how);
}

static __always_inline __u64 carry_out_pass(const struct packet *packet,
					    const struct pc_generation *generation,
					    struct verdict verdict)
{
	bool explaining = is_explaining(packet);

	if (packet->fragment && !explaining)
		fragment_remember(packet, verdict.cell, verdict.second);
	if (verdict.second == PC_FRAGMENT_ECHO)
		verdict.second = 0;
	if (!explaining)
		account_pass(packet, generation, verdict);
	return pass_end(packet, generation, verdict.cell, 0, filter.listeners);
}

/*
 * Under observe a TCP or UDP packet of a banned source passes: its answers must not be learned,
 * whatever the port. `kind`: kind_pack. A function of its own, for its stack.
 */
__noinline int portcullis_ban_came_in(struct xdp_md *ctx, __u64 kind)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};

	if (!generation)
		return 0;
	packet.link = generation->link;
	if (kind_unpack(&packet, kind) == PARSED_PORT)
		flow_came_in(ctx, flow_where_pack(&packet), flow_ports_pack(&packet),
			     flow_how_pack(&packet));
	return 0;
}

static __always_inline __u64 carry_out_drop(const struct packet *packet,
					    const struct pc_generation *generation,
					    struct verdict verdict)
{
	bool would = is_observing(packet, generation);
	__u32 how = DECIDED_DROP | (would ? DECIDED_WOULD : 0);

	if (is_attaching(generation))
		return pass_end(packet, generation, verdict.cell, how | DECIDED_SILENT, false);
	if (is_explaining(packet))
		return pass_end(packet, generation, verdict.cell, how, true);
	if (would && verdict.second)
		flow_came_in(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
			     flow_how_pack(packet));
	how |= account_drop(packet, generation, verdict, would);
	return pass_end(packet, generation, verdict.cell, how, !(how & DECIDED_SILENT));
}

/* Counts a verdict, notes what later packets need, and ends the pass. */
static __always_inline __u64 carry_out(const struct packet *packet,
				       const struct pc_generation *generation,
				       struct verdict verdict)
{
	return verdict.drop ? carry_out_drop(packet, generation, verdict) :
			      carry_out_pass(packet, generation, verdict);
}

/* An ICMP error that portcullis_gather returns instead of a decision: its offsets in the frame. */
struct icmp_error {
	__u64 end : 32; /* as in struct packet */
	__u64 at : 15;
	__u64 unused : 1;
	__u64 ip : 5;
	__u64 ipv6 : 1;
	__u64 fragment : 1;
	__u64 unused_too : 8;
	__u64 set : 1; /* 0: the word is a struct decided_word */
};

static __always_inline __u64 icmp_error_pack(struct icmp_error error)
{
	return bits_as(__u64, error);
}

static __always_inline struct icmp_error icmp_error_unpack(__u64 word)
{
	return bits_as(struct icmp_error, word);
}

static __always_inline __u64 icmp_error_hand_over(const struct packet *packet)
{
	return icmp_error_pack((struct icmp_error){.end = packet->end,
						   .at = packet->at,
						   .ip = packet->ip,
						   .ipv6 = packet->ipv6,
						   .fragment = packet->fragment,
						   .set = 1});
}

/* Decides a packet, counts it and ends the pass; or returns an ICMP error for the next pass. */
static __always_inline __u64 decide_or_hand_over(struct packet *packet,
						 const struct pc_generation *generation,
						 enum parsed parsed, bool over)
{
	if (parsed == PARSED_PACKET && is_icmp_error(packet))
		return icmp_error_hand_over(packet);
	return carry_out(packet, generation,
			 verdict_settle(packet, decide(packet, generation, parsed, over)));
}

/* Neighbour discovery of the link itself (RFC 4861): without it a banned gateway would be
 * unreachable. */
static __always_inline bool is_neighbour_discovery(const struct packet *packet, enum parsed parsed)
{
	return parsed == PARSED_PACKET && packet->ipv6 && is_icmp(packet) &&
	       packet->hop_limit == 255 && packet->icmp_type >= 133 && packet->icmp_type <= 136;
}

/*
 * If there are bans: what to look up for a packet, as a struct ban_word. `parsed`: from
 * frame_parse, as for the passes below.
 */
__noinline __u64 portcullis_source(struct xdp_md *ctx, __u32 parsed)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};

	packet_start(&packet, ctx);
	packet_noted(&packet);
	if (!generation || parsed == PARSED_MALFORMED || parsed == PARSED_NON_IP ||
	    is_neighbour_discovery(&packet, parsed))
		return 0;
	generation = packet_set_machine(&packet, generation);
	if (!generation)
		return 0;
	packet.behind = packet_class(&packet);
	return ban_word_of(&packet, generation, parsed);
}

static __always_inline struct verdict drop_banned(__u32 reason)
{
	return drop_reason(reason == 1 + PC_REASON_DENIED ? PC_REASON_DENIED : PC_REASON_BANNED);
}

/* Drops a frame of a banned or denied source. `reason`: 1 + enum pc_reason. */
__noinline __u64 portcullis_refuse(struct xdp_md *ctx, __u32 reason, __u32 length)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};
	__u64 kind = 0;

	if (!generation)
		return 0;
	packet_init(&packet, ctx, length);
	if (generation->machines) {
		kind = noted_kind(frame_parse(ctx));
		kind_unpack(&packet, kind);
		generation = packet_set_machine(&packet, generation);
		if (!generation)
			return 0;
		packet.behind = packet_class(&packet);
	}
	if (!explains && is_observing(&packet, generation) && !is_attaching(generation))
		portcullis_ban_came_in(ctx, kind ? kind : noted_kind(frame_parse(ctx)));
	return carry_out_drop(&packet, generation, drop_banned(reason));
}

/*
 * The second pass. A function of its own keeps the registers of the first pass free. `over`: from
 * limit_is_over.
 */
__noinline __u64 portcullis_gather(struct xdp_md *ctx, __u32 parsed, __u32 over)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};

	if (!generation)
		return 0;
	packet_start(&packet, ctx);
	packet_noted(&packet);
	packet.link = generation->link;
	return decide_or_hand_over(&packet, generation, parsed, over);
}

/* A packet for a machine behind this host, as portcullis_machine_find returns it. */
struct machine_packet {
	__u64 ip : 5;
	__u64 protocol : 8;
	__u64 ipv6 : 1;
	__u64 fragment : 1;
	__u64 fragment_at : 15;
	__u64 place : 12;     /* in pc_generation.machine */
	__u64 generation : 3; /* the lowest bits of its number */
	__u64 unused : 18;
	__u64 set : 1; /* 0, as in struct icmp_error */
};
_Static_assert(PC_MACHINES <= 1 << 12, "machine_packet.place");

static __always_inline __u64 machine_packet_pack(const struct packet *packet,
						 struct machine_found found)
{
	struct machine_packet known = {.ip = packet->ip,
				       .protocol = packet->protocol,
				       .ipv6 = packet->ipv6,
				       .fragment = packet->fragment,
				       .fragment_at = packet->fragment_at,
				       .place = found.place - 1,
				       .generation = found.generation};

	return bits_as(__u64, known);
}

/* A frame for portcullis_machine_port. */
struct machine_frame {
	__u32 length : 30;
	__u32 over : 1;	 /* limit_is_over said that it is over its limits */
	__u32 asked : 1; /* limit_is_over was called for it */
};

/*
 * Decides a TCP or UDP packet for a machine, of which the caller has read the headers. 0:
 * limit_is_over has to be called first; or, because of a swap since the machine was found, the
 * packet is not for a machine. `length`: a struct machine_frame.
 */
__noinline __u64 portcullis_machine_port(struct xdp_md *ctx, __u64 word, __u32 ports, __u32 tcp,
					 __u32 length)
{
	struct machine_packet known = bits_as(struct machine_packet, word);
	struct machine_frame frame = bits_as(struct machine_frame, length);
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true, .behind = true};

	if (!generation)
		return 0;
	packet_init(&packet, ctx, frame.length);
	packet.link = generation->link;
	packet.ip = known.ip;
	packet.protocol = known.protocol;
	packet.transport = transport_of(known.protocol);
	packet.ipv6 = known.ipv6;
	packet.fragment = known.fragment;
	packet.fragment_at = known.fragment_at;
	packet.local_port = flow_ports_unpack(ports).local;
	packet.remote_port = flow_ports_unpack(ports).remote;
	packet.tcp = tcp;
	if ((generation->number & 7) == known.generation)
		packet_place_machine(&packet, generation, known.place + 1);
	else
		generation = packet_set_machine(&packet, generation);
	if (!generation || !packet_class(&packet) ||
	    (!frame.asked && filter.flag & PC_FILTER_LIMITS && limit_begins(&packet, generation)))
		return 0;
	return carry_out(&packet, generation,
			 verdict_settle(&packet, decide_port(&packet, generation, frame.over)));
}

/*
 * The first of two passes for frames that may be for a machine behind this host, and that the first
 * pass of all does not decide: finds the machine, and returns a struct machine_packet, or an ICMP
 * error for the pass that decides these. 0: the frame is not for a machine, or that is unknown.
 * These are passes of their own, so that the verifier does not follow both through all rules.
 */
__noinline __u64 portcullis_machine_find(struct xdp_md *ctx, __u32 parsed)
{
	struct packet packet = {.gather = true};
	struct machine_found found;

	packet_start(&packet, ctx);
	packet_noted(&packet);
	if (parsed != PARSED_PORT && parsed != PARSED_PACKET && parsed != PARSED_LATER_FRAGMENT)
		return 0;
	found = packet_find_machine(&packet);
	if (!found.place)
		return 0;
	if (parsed == PARSED_PACKET && is_icmp_error(&packet))
		return icmp_error_hand_over(&packet);
	return machine_packet_pack(&packet, found);
}

/* Decides other packets for a machine. 0: it is not for a machine, as in
 * portcullis_machine_port. */
__noinline __u64 portcullis_machine(struct xdp_md *ctx, __u64 word, __u32 parsed)
{
	struct machine_packet known = bits_as(struct machine_packet, word);
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true, .behind = true};

	if (!generation)
		return 0;
	packet_start(&packet, ctx);
	packet_noted(&packet);
	packet.link = generation->link;
	if ((generation->number & 7) == known.generation)
		packet_place_machine(&packet, generation, known.place + 1);
	else
		generation = packet_set_machine(&packet, generation);
	parsed = packet_settle_kind(&packet, parsed);
	if (!generation || !packet_class(&packet) || parsed == PARSED_PORT)
		return 0;
	return carry_out(&packet, generation,
			 verdict_settle(&packet, decide(&packet, generation, parsed, false)));
}

/* The word of a packet for limit_is_over, if there are limits. */
static __always_inline __u64 ingress_limit(struct xdp_md *ctx, __u32 parsed)
{
	return filter.flag & PC_FILTER_LIMITS ? portcullis_limited(ctx, parsed) : 0;
}

/* The passes of a frame for machines behind this host; 0: the packet is for this host. */
static __always_inline __u64 ingress_machine(struct xdp_md *ctx, __u32 parsed)
{
	__u64 word = portcullis_machine_find(ctx, parsed), limit;
	struct machine_frame frame = {.length = frame_length(ctx), .asked = 1};

	if (!word || icmp_error_unpack(word).set)
		return word;
	if (parsed != PARSED_PORT)
		return portcullis_machine(ctx, word, parsed);
	limit = ingress_limit(ctx, parsed);
	if (limit && limit_is_over(ctx, limit, limit_owner(ctx, limit)))
		frame.over = 1;
	return portcullis_machine_port(ctx, word, noted_ports(), noted_tcp(),
				       bits_as(__u32, frame));
}

/* The third pass: decides an ICMP error by the packet that it quotes. */
__noinline __u64 portcullis_icmp_error(struct xdp_md *ctx, __u64 word)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {.gather = true};
	struct icmp_error error = icmp_error_unpack(word);

	if (!generation)
		return 0;
	packet_init(&packet, ctx, frame_length(ctx));
	packet.link = generation->link;
	packet.ip = error.ip;
	packet.at = error.at;
	packet.end = error.end;
	packet.ipv6 = error.ipv6;
	packet.fragment = error.fragment;
	generation = packet_set_machine(&packet, generation);
	if (!generation)
		return 0;
	packet.machine = forgotten(packet.machine, (__u64)packet.length << 32 | packet.length);
	packet.behind = packet_class(&packet);
	return carry_out(&packet, generation,
			 icmp_error_admitted(&packet, generation) ? pass_other(PC_OTHER_ICMP) :
								    drop_reason(PC_REASON_ICMP));
}

/* The passes for banned sources, if there are bans; 0: the source is not banned. */
static __always_inline __u64 ingress_banned(struct xdp_md *ctx, __u32 parsed)
{
	__u64 word = has_bans() ? portcullis_source(ctx, parsed) : 0;
	__u32 reason;

	/* Each call is separate, because the functions called share a short stack. */
	reason = word ? portcullis_banned(ctx, word, noted_ports()) : 0;
	return reason ? portcullis_refuse(ctx, reason, ban_word_unpack(word).length) : 0;
}

/* Passes a packet that is within its limits, and not a fragment. `packed`: a struct limit_word. */
__noinline __u64 portcullis_within(struct xdp_md *ctx, __u64 packed)
{
	const struct pc_generation *generation = generation_current();
	struct limit_word word = limit_word_unpack(packed);
	struct packet packet = {.gather = true};

	if (!generation)
		return 0;
	packet_init(&packet, ctx, frame_length(ctx));
	packet.transport = word.syn ? PC_TCP : PC_UDP;
	packet.local_port = flow_ports_unpack(word.ports).local;
	return carry_out_pass(&packet, generation, pass_port(&packet));
}

#define LIMITED_OVER (~0ULL) /* a value that is no struct decided_word */

/*
 * Asks the limit of a TCP SYN to this host of which the first pass has read the headers, and passes
 * it. LIMITED_OVER: it is over its limit. 0: the later passes have to test it. `packed`: a struct
 * limit_word. A function of its own, because the first pass has no stack for the test.
 */
__noinline __u64 portcullis_limited_syn(struct xdp_md *ctx, __u64 packed, __u32 length)
{
	struct limit_word word = limit_word_unpack(packed);
	const struct pc_generation *generation = limit_generation(word);
	struct packet packet = {.gather = true,
				.ip = word.ip,
				.ipv6 = word.ipv6,
				.transport = PC_TCP,
				.local_port = flow_ports_unpack(word.ports).local,
				.remote_port = flow_ports_unpack(word.ports).remote};
	struct address source;
	__u32 limit;

	packet_init(&packet, ctx, length);
	if (!generation || !packet_address_linear(&packet, true, &source))
		return 0;
	limit = limit_of_all(&packet, generation);
	if (!limit)
		return 0;
	word.limit = limit - 1;
	if (!limit_take(source.first, source.second, limit_word_pack(word), 0))
		return LIMITED_OVER;
	return carry_out_pass(&packet, generation, pass_port(&packet));
}

/* The end of the passes after the first one. `word`: the result of the last one. */
static __always_inline int ingress_end(struct xdp_md *ctx, __u64 word)
{
	__u32 how;

	if (icmp_error_unpack(word).set)
		word = portcullis_icmp_error(ctx, word);
	how = decided_unpack(word).how;
	if (word &&
	    (explains || how & DECIDED_NOTE || (filter.listeners && !(how & DECIDED_SILENT))))
		tell_ingress(ctx, word);
	return action_of(how);
}

/* The passes that decide packets for this host. */
static __always_inline __u64 ingress_host(struct xdp_md *ctx, __u32 parsed)
{
	__u64 limit = ingress_limit(ctx, parsed);
	bool over = limit && limit_is_over(ctx, limit, 0);

	return limit && !over && limit_word_unpack(limit).whole ?
		       portcullis_within(ctx, limit) :
		       portcullis_gather(ctx, parsed, over);
}

/* The passes after the first one. `machines`: there are machines behind this host. */
static __always_inline int ingress_rest(struct xdp_md *ctx, bool machines)
{
	__u32 parsed = frame_parse(ctx);
	__u64 word = ingress_banned(ctx, parsed);

	if (!word && machines)
		word = ingress_machine(ctx, parsed);
	return ingress_end(ctx, word ? word : ingress_host(ctx, parsed));
}

/*
 * Ingress has several passes. A pass decides the frame, or hands it over to the next one, which
 * reads the active generation itself. So one generation alone decides a frame, whatever is swapped
 * meanwhile.
 *
 *	ingress			TCP and UDP in the linear part, no fragments
 *	   |			packet_parse, portcullis_banned, decide_port, carry_out;
 *	   |			what is for a machine behind this host: portcullis_machine_port;
 *	   |			SYNs to ports with a limit: portcullis_limited_syn
 *	   |
 *	   | other frames: again from the first byte
 *	   v
 *	frame_parse		packet_parse, frame_note: those below begin with packet_noted
 *	   |
 *	   v
 *	portcullis_source	where there are bans: all frames
 *	   |			portcullis_banned; if so, portcullis_refuse, the end
 *	   |
 *	   v
 *	portcullis_machine_find	where there are machines behind this host: what is for them
 *	portcullis_machine	packet_find_machine; decide, carry_out; of TCP and UDP
 *	   |			portcullis_machine_port
 *	   |
 *	   v
 *	portcullis_limited	where there are limits: what they ask about (limit_is_over);
 *	   |			for a machine before portcullis_machine_port
 *	   |			portcullis_within, the end
 *	   |
 *	   | what is over a limit, or has none
 *	   v
 *	portcullis_gather	all frames, their headers in any buffer
 *	   |			decide, carry_out
 *	   |
 *	   | ICMP errors: struct icmp_error
 *	   v
 *	portcullis_icmp_error	ICMP errors
 *				icmp_error_admitted (quote_read, quote_was_sent), carry_out
 *
 * carry_out is the only exit of a decided frame: it counts the verdict. `drops`, listeners and
 * `explain` get it when the passes are over, because only then is there enough stack.
 */
static __always_inline int ingress(struct xdp_md *ctx, bool kernel_context)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	enum parsed parsed;

	if (!generation)
		return XDP_PASS;
	packet_init(&packet, ctx, kernel_context ? frame_length_inline(ctx) : frame_length(ctx));
	packet.link = generation->link;
	packet.marks = kernel_context;
	parsed = packet_parse(&packet);
	if (parsed != PARSED_PORT || packet.fragment)
		return ingress_rest(ctx, generation->machines);
	if (generation->machines) {
		struct machine_found found = packet_find_machine_linear(&packet);

		if (found.place && !has_bans()) {
			__u64 word = portcullis_machine_port(
				ctx, machine_packet_pack(&packet, found), flow_ports_pack(&packet),
				packet.tcp, packet.length);

			if (word)
				return ingress_end(ctx, word);
		}
		/* Also for packets that were found by another generation. */
		if (found.place || found.generation != (__u32)generation->number)
			return ingress_rest(ctx, true);
	}
	/* The verifier still follows TCP and UDP separately: forgetting that would cost a drop 1
	 * ns. */
	packet.ipv6 = forgotten(packet.ipv6, packet.local_port);
	if (has_bans() && !ban_elsewhere4(&packet)) {
		__u32 reason = portcullis_banned(ctx, ban_word_of(&packet, generation, PARSED_PORT),
						 flow_ports_pack(&packet));

		if (reason && is_observing(&packet, generation))
			return ingress_end(ctx, portcullis_refuse(ctx, reason, packet.length));
		if (reason)
			return carry_out_drop(&packet, generation, drop_banned(reason));
	}
	if (limit_begins(&packet, generation)) {
		__u64 word = packet.transport == PC_TCP ?
				     portcullis_limited_syn(ctx, limit_asks(&packet, generation, 0),
							    packet.length) :
				     0;

		if (!word || word == LIMITED_OVER) {
			parsed = frame_parse(ctx);
			word = word ? portcullis_gather(ctx, parsed, true) :
				      ingress_host(ctx, parsed);
		}
		return ingress_end(ctx, word);
	}
	/* Sharing an exit with the other frames would cost a usual frame 5 ns. */
	return carry_out(&packet, generation, decide_port(&packet, generation, false));
}

/* Loaded from Linux 6.2 on; portcullis_old before. */
SEC("xdp")
int portcullis(struct xdp_md *ctx)
{
	return ingress(ctx, true);
}

/* Loaded before Linux 6.2, where a program cannot read the kernel's context. */
SEC("xdp")
int portcullis_old(struct xdp_md *ctx)
{
	return ingress(ctx, false);
}

/*
 * In a test run, passes the result of devices_of to the loader: it replaces the first bytes of the
 * frame. Loaded together with `portcullis`.
 */
SEC("xdp")
int portcullis_devices(struct xdp_md *ctx)
{
	struct pc_devices *devices = (void *)(long)ctx->data;

	if ((void *)(devices + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*devices = devices_of(ctx);
	return XDP_PASS;
}

/*
 * Explains incoming packets: loaded instead of the others where `explains` is set. It has no first
 * pass, so that the first pass need not test whether it explains.
 */
SEC("xdp")
int portcullis_explain(struct xdp_md *ctx)
{
	__u32 parsed = frame_parse(ctx);
	__u64 word = ingress_banned(ctx, parsed);

	if (!word)
		word = ingress_machine(ctx, parsed);
	return ingress_end(ctx, word ? word : ingress_host(ctx, parsed));
}

static __always_inline void send_pass(const struct packet *packet,
				      const struct pc_generation *generation, __u64 sent,
				      struct verdict verdict)
{
	bool explaining = is_explaining(packet);

	if (!explaining) {
		if (packet->fragment)
			fragment_remember(packet, verdict.cell, verdict.second);
		account_pass(packet, generation, verdict);
	}
	if (explaining || filter.listeners)
		tell_egress(packet->ctx, decided_pack(packet, generation, verdict.cell, 0), sent);
}

/* Returns whether to drop the packet. */
static __always_inline bool send_drop(const struct packet *packet,
				      const struct pc_generation *generation, __u64 sent,
				      struct verdict verdict)
{
	bool would = is_observing(packet, generation), explaining = is_explaining(packet);
	__u32 how = DECIDED_DROP | (would ? DECIDED_WOULD : 0);

	if (!explaining) {
		if (is_attaching(generation))
			return false;
		how |= account_drop(packet, generation, verdict, would);
	}
	if (!(how & DECIDED_SILENT))
		tell_egress(packet->ctx, decided_pack(packet, generation, verdict.cell, how), sent);
	return !would;
}

/* Counts a machine's packet by its decision, and returns the decision: a struct decided_word. */
static __always_inline __u64 send_machine(const struct packet *packet,
					  const struct pc_generation *generation,
					  struct verdict verdict)
{
	struct decided_word passed;
	__u32 how = 0;
	bool would;

	if (!verdict.drop) {
		if (!explains)
			account_pass(packet, generation, verdict);
		passed = decided_unpack(decided_pack(packet, generation, verdict.cell, 0));
		passed.set = !!verdict.second;
		return bits_as(__u64, passed);
	}
	would = is_observing(packet, generation);
	if (!explains && is_attaching(generation))
		how = DECIDED_SILENT;
	else if (!explains)
		how = account_drop(packet, generation, verdict, would);
	return decided_pack(packet, generation, verdict.cell,
			    how | DECIDED_DROP | (would ? DECIDED_WOULD : 0));
}

/*
 * Decides on a packet that a machine behind this host sends, and counts it. `sent`: kind_pack.
 * Returns what was decided; 0: this host sends it. It is apart from the rules for this host for the
 * reason given at portcullis_machine_find. The caller remembers fragments, reports the packet and
 * learns from it, because it has more stack.
 */
__noinline __u64 portcullis_machine_egress(struct __sk_buff *skb, __u64 sent, __u32 fragment_at)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	enum parsed parsed;

	if (!generation || !generation->machines)
		return 0;
	packet_init_egress(&packet, skb);
	packet.asked = explains;
	packet.link = generation->link;
	packet.fragment_at = fragment_at;
	parsed = kind_unpack(&packet, sent);
	generation = packet_set_machine(&packet, generation);
	if (!generation || !packet_class(&packet))
		return 0;
	packet.behind = true;
	parsed = kind_again(&packet, sent);
	return send_machine(
		&packet, generation,
		verdict_settle(&packet, decide_outbound(&packet, generation, parsed, skb)));
}

/* `explaining`: see packet.asked. */
static __always_inline int egress(struct __sk_buff *skb, bool explaining)
{
	const struct pc_generation *generation = generation_current();
	struct packet packet = {};
	struct verdict verdict;
	__u32 how;
	enum parsed parsed;
	__u64 word = 0, sent;

	if (!generation)
		return TC_ACT_UNSPEC;
	packet_init_egress(&packet, skb);
	packet.asked = explaining;
	packet.link = generation->link;
	parsed = kind_settle(&packet, packet_parse(&packet), &sent);
	if (generation->machines &&
	    (parsed == PARSED_PORT || parsed == PARSED_PACKET || parsed == PARSED_LATER_FRAGMENT))
		word = portcullis_machine_egress(skb, sent, packet.fragment_at);
	barrier(); /* keeps the stack frame below 288 bytes */
	if (word) {
		how = decided_unpack(word).how;
		if (how & DECIDED_DROP ? !(how & DECIDED_SILENT) : explaining || filter.listeners)
			tell_egress(skb, word, sent);
		if (is_dropped(how))
			return TC_ACT_SHOT;
		if (packet.fragment && !explaining && !(how & DECIDED_DROP))
			fragment_remember(&packet, PC_CELL_EGRESS,
					  decided_unpack(word).set ?
						  PC_CELL_OUT + PC_PORT(packet.transport,
									packet.remote_port) :
						  0);
	} else {
		verdict =
			verdict_settle(&packet, decide_outbound(&packet, generation, parsed, skb));
		parsed = kind_again(&packet, sent);
		if (!verdict.drop)
			send_pass(&packet, generation, sent, verdict);
		else if (send_drop(&packet, generation, sent, verdict))
			return TC_ACT_SHOT;
	}
	if ((!explaining || is_told()) && filter.flag & PC_FILTER_LIMITS &&
	    packet.transport == PC_TCP && parsed == PARSED_PORT)
		limit_note_sent(skb, sent);
	if (!explaining) {
		mark_sent(skb, mark_port_of(&packet, parsed));
		flow_learn(&packet, generation, bits_as(struct kind_word, opaque(sent)), skb,
			   flow_how_behind(decided_unpack(word).class,
					   decided_unpack(word).generation));
	}
	return TC_ACT_UNSPEC;
}

/*
 * Counts, filters and learns from outgoing packets. TC_ACT_UNSPEC, which equals TCX_NEXT, lets the
 * other programs of the hook run.
 */
SEC("tc")
int portcullis_egress(struct __sk_buff *skb)
{
	return egress(skb, false);
}

/* Explains outgoing packets. */
SEC("tc")
int portcullis_explain_egress(struct __sk_buff *skb)
{
	return egress(skb, true);
}
