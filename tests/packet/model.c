// SPDX-License-Identifier: GPL-2.0
/* The rules of portcullis(8), VERDICTS, implemented a second time: plainly, for one frame at a
 * time. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/compile/admit.h"
#include "tests/packet/model_parts.h"

const char *const model_action_name[] = {
	[MODEL_PASS] = "pass",
	[MODEL_DROP] = "drop",
	[MODEL_WOULD_DROP] = "would-drop",
};

const char *const model_why_name[MODEL_WHYS] = {
	[MODEL_MALFORMED] = "malformed",
	[MODEL_BANNED] = "banned",
	[MODEL_DENIED] = "denied",
	[MODEL_FRAGMENT] = "fragment",
	[MODEL_ICMP] = "icmp",
	[MODEL_SOURCE] = "source",
	[MODEL_PROTOCOL] = "protocol",
	[MODEL_UNLISTED] = "unlisted",
	[MODEL_PASS_PORT] = "(port)",
	[MODEL_PASS_NON_IP] = "(non-ip)",
	[MODEL_PASS_ICMP] = "(icmp)",
	[MODEL_PASS_PROTOCOL] = "(protocol)",
	[MODEL_OUTBOUND] = "outbound",
	[MODEL_PASS_REPLY] = "(reply)",
	[MODEL_PASS_EGRESS] = "(egress)",
};

static struct model_verdict drop(enum model_why why)
{
	return (struct model_verdict){MODEL_DROP, why, -1, 0};
}

static struct model_verdict pass(enum model_why why)
{
	return (struct model_verdict){MODEL_PASS, why, -1, 0};
}

static const struct model_ban *bans;
static size_t ban_count;

void model_bans(const struct model_ban *ban, size_t count)
{
	bans = ban;
	ban_count = count;
}

static struct ban_set grants;

void model_grants(const struct ban *grant, size_t count)
{
	grants = (struct ban_set){.ban = (struct ban *)grant, .count = count};
}

bool model_granted(const struct tables *tables, uint16_t class, int family, const uint8_t *address,
		   enum pc_transport transport, uint16_t source_port, uint16_t port)
{
	return tables_granted(tables, class, &grants, 1, family, address, transport, source_port,
			      port);
}

bool model_granted_out(const struct tables *tables, int family, const uint8_t *address,
		       enum pc_transport transport, uint16_t remote_port)
{
	return tables_granted_out(tables, &grants, 1, family, address, transport, remote_port);
}

static const struct model_machine *machines;
static size_t machine_count;

void model_machines(const struct model_machine *machine, size_t count)
{
	machines = machine;
	machine_count = count;
}

const struct model_machine *model_machine(int family, const uint8_t *address)
{
	const struct model_machine *longest = NULL;

	for (size_t i = 0; i < machine_count; i++)
		if (prefix_contains(&machines[i].prefix, (uint8_t)family, address) &&
		    (!longest || machines[i].prefix.length > longest->prefix.length))
			longest = &machines[i];
	return longest && longest->class ? longest : NULL;
}

void model_place(const struct judge *judge, int family, const uint8_t *local)
{
	judge->state->machine = model_machine(family, local);
}

uint16_t model_class(const struct judge *judge)
{
	return judge->state->machine ? judge->state->machine->class : 0;
}

/* NULL: the packet is this host's. */
static const struct pc_class *class_of(const struct judge *judge)
{
	uint16_t class = model_class(judge);

	return class ? &judge->tables->generation->class[class - 1] : NULL;
}

bool model_observes(const struct judge *judge)
{
	const struct pc_class *class = class_of(judge);

	return (class ? class->policy : judge->tables->generation->policy) == PC_POLICY_OBSERVE;
}

bool model_enforces_outbound(const struct judge *judge)
{
	const struct pc_class *class = class_of(judge);

	return (class ? class->outbound : judge->tables->generation->outbound) ==
	       PC_OUTBOUND_ENFORCE;
}

/* DHCP between its ports passes within a ban of a wider prefix than its source. */
static bool is_dhcp(const struct upper *upper)
{
	int least = upper->family == AF_INET ? 67 : 546;
	int from = upper->protocol == 17 ? model_read16(upper->data) - least : -1;
	int to = upper->protocol == 17 ? model_read16(upper->data + 2) - least : -1;

	return from >= 0 && from < 2 && to >= 0 && to < 2;
}

/* Whether a grant makes a source a member of `never-ban`. */
static bool is_never(int family, const uint8_t *source, const struct judge *judge)
{
	const struct pc_generation *generation = judge->tables->generation;

	for (size_t i = 0; i < grants.count; i++)
		for (size_t bit = 0; ban_holds(&grants.ban[i], 1) && bit < PC_GROUPS; bit++)
			if (generation->never_ban >> bit & 1 &&
			    generation->group[0][bit] == pc_group_id(grants.ban[i].list) &&
			    prefix_contains(&grants.ban[i].prefix, (uint8_t)family, source))
				return true;
	return false;
}

/*
 * The rules `banned` and `denied`: the longest prefix that contains the source and has not ended
 * decides. MODEL_WHYS: neither rule applies.
 */
static enum model_why refusal(int family, const uint8_t *source, bool dhcp,
			      const struct judge *judge)
{
	const struct model_ban *longest = NULL;

	if (is_never(family, source, judge))
		return MODEL_WHYS;
	for (size_t i = 0; i < ban_count; i++)
		if (bans[i].kind != BAN_ENDED &&
		    prefix_contains(&bans[i].prefix, (uint8_t)family, source) &&
		    (!longest || bans[i].prefix.length > longest->prefix.length))
			longest = &bans[i];
	if (dhcp && (!longest || longest->prefix.length < (family == AF_INET ? 32 : 128)))
		return MODEL_WHYS;
	if (longest)
		return longest->kind == BAN_NEVER ? MODEL_WHYS : MODEL_BANNED;
	return tables_denied(judge->tables, family, source) ? MODEL_DENIED : MODEL_WHYS;
}

/* The rule `reply`. Notes in a learned flow what the remote side did. */
static bool is_reply(const struct upper *upper, const struct pc_flow *tuple,
		     const struct judge *judge)
{
	uint8_t flags = upper->protocol == 6 ? upper->data[13] : 0;
	struct model_flow *flow;

	if ((flags & 0x12) == 0x02) /* SYN and not ACK begins a connection */
		return false;
	if (model_socket_live(judge->state, tuple))
		return true;
	flow = model_flow_live(judge->state, tuple);
	if (!flow)
		return false;
	flow->age = 0;
	model_flow_went_on(flow);
	flow->flags |= PC_FLOW_REPLIED;
	if (flags & 1)
		flow->flags |= PC_FLOW_FIN_IN;
	if (flags & 4)
		flow->flags |= PC_FLOW_RESET_IN;
	if (upper->protocol == 6 && !flow->kept)
		flow->heard = model_read32(upper->data + 4);
	if (upper->protocol == 6 && flow->kept && model_flow_closed(flow)) {
		flow->kept = false;
		flow->heard = 0;
	}
	return true;
}

/* The rules `service`, `reply`, `source` and `unlisted`. */
static struct model_verdict judge_port(const struct upper *upper, enum pc_transport transport,
				       const struct judge *judge)
{
	uint16_t remote = model_read16(upper->data), port = model_read16(upper->data + 2);
	struct pc_flow tuple = model_tuple(upper->family, upper->protocol, upper->source,
					   upper->destination, remote, port);
	int index = (int)PC_PORT(transport, port);
	enum admit admit = tables_admit_class(judge->tables, model_class(judge), upper->family,
					      upper->source, transport, remote, port);

	if (admit == ADMIT_PASS || model_granted(judge->tables, model_class(judge), upper->family,
						 upper->source, transport, remote, port))
		return (struct model_verdict){MODEL_PASS, MODEL_PASS_PORT, index, 0};
	if (is_reply(upper, &tuple, judge)) {
		struct model_verdict reply = pass(MODEL_PASS_REPLY);

		if (tables_covers_class(judge->tables, model_class(judge), upper->family,
					upper->source, transport, remote))
			reply.out = PC_CELL_OUT + PC_PORT(transport, remote);
		return reply;
	}
	if (model_observes(judge))
		model_observe(judge->state, &tuple);
	return (struct model_verdict){
		MODEL_DROP, admit == ADMIT_SOURCE ? MODEL_SOURCE : MODEL_UNLISTED, index, 0};
}

/* The rule `malformed`, above IP: the header must be whole. */
static bool is_whole(const struct upper *upper)
{
	bool ipv4 = upper->family == AF_INET;
	size_t header;

	if (upper->protocol == 17 || upper->protocol == (ipv4 ? 1 : 58))
		return upper->length >= 8;
	if (upper->protocol != 6)
		return true;
	if (upper->length < 20)
		return false;
	header = (size_t)(upper->data[12] >> 4) * 4;
	return header >= 20 && header <= upper->length;
}

bool model_named(uint8_t protocol, const struct judge *judge)
{
	const struct pc_class *class = class_of(judge);

	switch (protocol) {
	case 0:
	case 1:
	case 2:
	case 6:
	case 17:
	case 43:
	case 44:
	case 58:
	case 60: return false;
	default: return (class ? class->protocol : judge->tables->generation->protocol)[protocol];
	}
}

static bool is_discovery(const struct upper *upper)
{
	return upper->family == AF_INET6 && upper->protocol == 58 && upper->hop_limit == 255 &&
	       upper->data[0] >= 133 && upper->data[0] <= 136;
}

/* Packets of a banned or denied source pass under observe, but nothing must be learned from
 * them. */
static struct model_verdict judge_refused(const struct upper *upper, enum model_why why,
					  const struct judge *judge)
{
	if (model_observes(judge) && (upper->protocol == 6 || upper->protocol == 17)) {
		struct pc_flow tuple = model_tuple(upper->family, upper->protocol, upper->source,
						   upper->destination, model_read16(upper->data),
						   model_read16(upper->data + 2));

		model_observe(judge->state, &tuple);
	}
	return drop(why);
}

static struct model_verdict judge_upper(const struct upper *upper, const struct judge *judge)
{
	enum model_why why;
	bool ipv4 = upper->family == AF_INET;

	if (!is_whole(upper))
		return drop(MODEL_MALFORMED);
	model_place(judge, upper->family, judge->egress ? upper->source : upper->destination);
	if (judge->egress)
		return model_outbound(upper, judge);
	why = refusal(upper->family, upper->source, is_dhcp(upper), judge);
	if (why != MODEL_WHYS && !is_discovery(upper))
		return judge_refused(upper, why, judge);
	if (upper->protocol == 6)
		return judge_port(upper, PC_TCP, judge);
	if (upper->protocol == 17)
		return judge_port(upper, PC_UDP, judge);
	if (upper->protocol == (ipv4 ? 1 : 58))
		return model_icmp(upper, judge);
	if (upper->protocol == 2 && ipv4) /* IGMP, which is not parsed */
		return pass(MODEL_PASS_ICMP);
	return model_named(upper->protocol, judge) ? pass(MODEL_PASS_PROTOCOL) :
						     drop(MODEL_PROTOCOL);
}

/* Decides a packet, or the first fragment of one; later fragments get the same verdict. */
static struct model_verdict judge_first(const struct upper *upper, const struct pc_fragment *key,
					const struct judge *judge)
{
	struct model_verdict verdict = judge_upper(upper, judge);

	if (judge->egress && !model_enforces_outbound(judge))
		verdict = (struct model_verdict){MODEL_PASS, MODEL_PASS_EGRESS, -1, verdict.out};
	if (upper->first_fragment && verdict.action == MODEL_PASS)
		model_fragment_note(judge->state, key, &verdict);
	return verdict;
}

/* The rule `fragment`: a later fragment, `units` of 8 bytes into its packet. */
static struct model_verdict judge_later_fragment(unsigned units, uint8_t protocol,
						 const struct pc_fragment *key,
						 const struct judge *judge)
{
	const struct model_fragment *known = model_fragment_find(judge->state, key);
	int family = key->family == 4 ? AF_INET : AF_INET6;
	enum model_why why;

	/* RFC 1858, 3128: offset 8 would overwrite the TCP flags of the first fragment. */
	if (units == 1 && protocol == 6)
		return drop(MODEL_MALFORMED);
	model_place(judge, family,
		    (const uint8_t *)(judge->egress ? key->source : key->destination));
	if (!judge->egress) {
		why = refusal(family, (const uint8_t *)key->source, false, judge);
		if (why != MODEL_WHYS)
			return drop(why);
	}
	if (!known || known->age >= 30 * PC_SECOND)
		return drop(MODEL_FRAGMENT);
	return known->first;
}

static struct model_verdict judge_ipv4(const uint8_t *ip, size_t rest, const struct judge *judge)
{
	struct upper upper = {.family = AF_INET};
	struct pc_fragment key = {.family = 4, .egress = judge->egress};
	size_t header, total;
	unsigned fragment;

	if (rest < 20)
		return drop(MODEL_MALFORMED);
	header = (size_t)(ip[0] & 15) * 4;
	if (ip[0] >> 4 != 4 || header < 20 || header > rest)
		return drop(MODEL_MALFORMED);
	total = model_read16(ip + 2);
	if (total == 0 && rest > 65535) /* BIG TCP */
		total = rest;
	if (total < header || total > rest)
		return drop(MODEL_MALFORMED);

	fragment = model_read16(ip + 6);
	key.protocol = ip[9];
	memcpy(key.source, ip + 12, 4);
	memcpy(key.destination, ip + 16, 4);
	memcpy(&key.id, ip + 4, 2);
	if (fragment & 0x1fff)
		return judge_later_fragment(fragment & 0x1fff, ip[9], &key, judge);

	upper.source = ip + 12;
	upper.destination = ip + 16;
	upper.protocol = ip[9];
	upper.hop_limit = ip[8];
	upper.first_fragment = fragment & 0x2000;
	upper.data = ip + header;
	upper.length = total - header;
	return judge_first(&upper, &key, judge);
}

static struct model_verdict judge_ipv6(const uint8_t *ip, size_t rest, const struct judge *judge)
{
	struct upper upper = {.family = AF_INET6};
	struct pc_fragment key = {.family = 6, .egress = judge->egress};
	unsigned extensions = 0;
	size_t payload;

	if (rest < 40 || ip[0] >> 4 != 6)
		return drop(MODEL_MALFORMED);
	payload = model_read16(ip + 4);
	if (payload == 0 && rest - 40 > 65535) /* BIG TCP */
		payload = rest - 40;
	if (payload > rest - 40)
		return drop(MODEL_MALFORMED);

	upper.source = ip + 8;
	upper.destination = ip + 24;
	memcpy(key.source, upper.source, 16);
	memcpy(key.destination, upper.destination, 16);
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
			unsigned fragment = model_read16(upper.data + 2);

			/* the outermost fragment header, if there are several */
			if (!upper.first_fragment)
				memcpy(&key.id, upper.data + 4, 4);
			if (fragment >> 3)
				return judge_later_fragment(fragment >> 3, upper.data[0], &key,
							    judge);
			if (fragment & 1)
				upper.first_fragment = true;
		}
		upper.protocol = upper.data[0];
		upper.data += header;
		upper.length -= header;
	}
	return judge_first(&upper, &key, judge);
}

static struct model_verdict judge_ethernet(const uint8_t *frame, size_t length,
					   const struct judge *judge)
{
	unsigned tags = 0;
	uint16_t type;
	size_t at = 14;

	if (length < 14)
		return drop(MODEL_MALFORMED);
	type = model_read16(frame + 12);
	while (type == 0x8100 || type == 0x88a8) {
		if (++tags > 2 || at + 4 > length)
			return drop(MODEL_MALFORMED);
		type = model_read16(frame + at + 2);
		at += 4;
	}
	if (type == 0x0800)
		return judge_ipv4(frame + at, length - at, judge);
	if (type == 0x86dd)
		return judge_ipv6(frame + at, length - at, judge);
	return pass(MODEL_PASS_NON_IP);
}

static enum pc_frame frames;

void model_frames(enum pc_frame kind)
{
	frames = kind;
}

/*
 * A VLAN tag of VLAN 0 and priority 3 where a GRE header's payload begins, before another tag or
 * IP. With a tag of another VLAN or priority it is not an IPv6 packet, or is not delivered.
 */
static bool is_tag(const uint8_t *frame, size_t length)
{
	uint16_t next;

	if (length < 6 || model_read16(frame) != 0x6000)
		return false;
	next = model_read16(frame + 2);
	return next == 0x8100 || next == 0x88a8 || (next == 0x0800 && frame[4] >> 4 == 4) ||
	       (next == 0x86dd && frame[4] >> 4 == 6);
}

static struct model_verdict judge_frame(const uint8_t *frame, size_t length,
					const struct judge *judge)
{
	if (frames == PC_FRAME_ETHERNET)
		return judge_ethernet(frame, length, judge);
	if (length && frame[0] >> 4 == 4)
		return judge_ipv4(frame, length, judge);
	if (!length || frame[0] >> 4 != 6 || (frames == PC_FRAME_GRE && is_tag(frame, length)))
		return drop(MODEL_MALFORMED);
	return judge_ipv6(frame, length, judge);
}

struct model_verdict model_judge(const uint8_t *frame, size_t length, const struct tables *tables,
				 struct model_state *state)
{
	struct judge judge = {.tables = tables, .state = state, .frame = frame};
	struct model_verdict verdict;

	state->machine = NULL;
	verdict = judge_frame(frame, length, &judge);
	if (verdict.action == MODEL_DROP && model_observes(&judge))
		verdict.action = MODEL_WOULD_DROP;
	return verdict;
}

struct model_verdict model_egress(const uint8_t *frame, size_t length, bool forwarded,
				  const struct tables *tables, struct model_state *state)
{
	struct judge judge = {tables, state, true, forwarded, frame};
	struct model_verdict verdict;

	state->machine = NULL;
	verdict = judge_frame(frame, length, &judge);
	if (verdict.action == MODEL_PASS || !model_enforces_outbound(&judge))
		return (struct model_verdict){MODEL_PASS, MODEL_PASS_EGRESS, -1, verdict.out};
	verdict.why = MODEL_OUTBOUND;
	if (model_observes(&judge))
		verdict.action = MODEL_WOULD_DROP;
	return verdict;
}

bool model_equal(const struct model_verdict *a, const struct model_verdict *b)
{
	return a->action == b->action && a->why == b->why && a->port == b->port && a->out == b->out;
}

unsigned int model_cell(const struct model_verdict *verdict)
{
	static const unsigned int cell[MODEL_WHYS] = {
		[MODEL_MALFORMED] = PC_CELL_REASON + PC_REASON_MALFORMED,
		[MODEL_BANNED] = PC_CELL_REASON + PC_REASON_BANNED,
		[MODEL_DENIED] = PC_CELL_REASON + PC_REASON_DENIED,
		[MODEL_FRAGMENT] = PC_CELL_REASON + PC_REASON_FRAGMENT,
		[MODEL_ICMP] = PC_CELL_REASON + PC_REASON_ICMP,
		[MODEL_SOURCE] = PC_CELL_REASON + PC_REASON_SOURCE,
		[MODEL_PROTOCOL] = PC_CELL_REASON + PC_REASON_PROTOCOL,
		[MODEL_UNLISTED] = PC_CELL_REASON + PC_REASON_UNLISTED,
		[MODEL_OUTBOUND] = PC_CELL_REASON + PC_REASON_OUTBOUND,
		[MODEL_PASS_NON_IP] = PC_CELL_OTHER + PC_OTHER_NON_IP,
		[MODEL_PASS_ICMP] = PC_CELL_OTHER + PC_OTHER_ICMP,
		[MODEL_PASS_PROTOCOL] = PC_CELL_OTHER + PC_OTHER_PROTOCOL,
		[MODEL_PASS_REPLY] = PC_CELL_OTHER + PC_OTHER_REPLY,
		[MODEL_PASS_EGRESS] = PC_CELL_EGRESS,
	};

	if (verdict->why == MODEL_PASS_PORT)
		return PC_CELL_PASS + (unsigned int)verdict->port;
	return cell[verdict->why] +
	       (verdict->action == MODEL_WOULD_DROP ? PC_CELL_REASON_WOULD - PC_CELL_REASON : 0);
}
