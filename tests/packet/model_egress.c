// SPDX-License-Identifier: GPL-2.0
/* Outgoing packets: which ones outbound enforcement lets through, what is counted, what is
 * learned. */
#include <string.h>
#include <sys/socket.h>

#include "loader/compile/admit.h"
#include "tests/packet/model_parts.h"

static struct model_verdict pass(unsigned int out)
{
	return (struct model_verdict){MODEL_PASS, MODEL_PASS_EGRESS, -1, out};
}

static struct model_verdict drop(int port)
{
	return (struct model_verdict){MODEL_DROP, MODEL_OUTBOUND, port, 0};
}

/* A destination that stands for neighbours on the link. */
static bool is_link_multicast(int family, const uint8_t *address)
{
	if (family == AF_INET)
		return address[0] == 224 && address[1] == 0 && address[2] == 0;
	return address[0] == 0xff && address[1] == 0x02;
}

static bool is_for_many(int family, const uint8_t *address)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	if (family == AF_INET)
		return address[0] >> 4 == 14 || !memcmp(address, broadcast, 4);
	return address[0] == 0xff;
}

/* Whether an open `in` service would admit the packet with source and destination exchanged. */
static bool reverse_is_admitted(const struct upper *upper, enum pc_transport transport,
				const struct judge *judge)
{
	static const uint8_t link_local4[4] = {169, 254, 0, 1};
	static const uint8_t link_local6[16] = {0xfe, 0x80, [15] = 1};
	uint16_t local = model_read16(upper->data), remote = model_read16(upper->data + 2);

	if (tables_admit_class(judge->tables, model_class(judge), upper->family, upper->destination,
			       transport, remote, local) == ADMIT_PASS)
		return true;
	return is_link_multicast(upper->family, upper->destination) &&
	       tables_admit_class(judge->tables, model_class(judge), upper->family,
				  upper->family == AF_INET ? link_local4 : link_local6, transport,
				  remote, local) == ADMIT_PASS;
}

static struct pc_flow tuple_of(const struct upper *upper)
{
	return model_tuple(upper->family, upper->protocol, upper->destination, upper->source,
			   model_read16(upper->data + 2), model_read16(upper->data));
}

/* Whether a TCP socket of this host has the packet's tuple; in time-wait the kernel itself
 * sends. */
static bool has_socket(const struct upper *upper, const struct judge *judge)
{
	struct pc_flow tuple = tuple_of(upper);

	return model_socket_live(judge->state, &tuple);
}

/*
 * Whether the socket that BPF_PROG_TEST_RUN attaches to every packet looks like the sender: its
 * ports are 0, and its addresses those of the packet, if no tag stands before the IP header.
 */
static bool is_of_run(const struct upper *upper, const struct judge *judge)
{
	uint16_t type = upper->family == AF_INET ? 0x0800 : 0x86dd;

	return !model_read32(upper->data) && model_read16(judge->frame + 12) == type &&
	       !judge->tables->generation->forward;
}

/* Whether connections that a sender behind this host begins are learned: of a machine, or of
 * another host. */
static bool learns_forwarded(const struct judge *judge)
{
	return judge->tables->generation->forward &
	       (model_class(judge) ? PC_FORWARD_MACHINES : PC_FORWARD_OTHERS);
}

static bool is_connected(const struct upper *upper, const struct judge *judge)
{
	struct pc_flow tuple = tuple_of(upper);

	return has_socket(upper, judge) || model_flow_live(judge->state, &tuple);
}

/* Whether a packet acknowledges the last data of the remote side, or up to 64 KiB more. */
static bool acknowledges(const struct upper *upper, const struct model_flow *flow)
{
	uint32_t ahead = (model_read32(upper->data + 8) >> 8) - (flow->heard >> 8);

	return (upper->data[13] & 0x17) == 0x10 && flow->flags & PC_FLOW_REPLIED &&
	       !model_flow_closed(flow) && (ahead & 0xffffff) <= 256;
}

/* Notes in a flow what this side did. */
static void speak(const struct upper *upper, struct model_flow *flow)
{
	uint8_t flags = upper->protocol == 6 ? upper->data[13] : 0;

	flow->age = 0;
	if ((flags & 0x12) == 0x02 && !flow->kept)
		flow->flags = 0;
	flow->flags &= (uint8_t) ~(PC_FLOW_RESET | PC_FLOW_RESET_IN);
	flow->flags |= (flags & 1 ? PC_FLOW_FIN_OUT : 0) | (flags & 4 ? PC_FLOW_RESET : 0);
	if (upper->protocol != 6) {
		model_flow_went_on(flow);
	} else if (flow->kept && model_flow_closed(flow)) {
		flow->kept = false;
		flow->heard = 0;
	} else if (!flow->kept && acknowledges(upper, flow)) {
		flow->flags |= PC_FLOW_ASSURED;
		flow->kept = true;
	}
}

/* Refreshes the packet's flow, and makes it if this packet `may` make one. */
static void learn(const struct upper *upper, const struct judge *judge, bool may)
{
	bool tcp = upper->protocol == 6, echo = !tcp && upper->protocol != 17;
	uint8_t flags = tcp ? upper->data[13] & 0x17 : 0;
	uint16_t local = model_read16(upper->data + (echo ? 4 : 0));
	uint16_t remote = echo ? 0 : model_read16(upper->data + 2);
	struct pc_flow tuple = model_tuple(upper->family, upper->protocol, upper->destination,
					   upper->source, remote, local);
	struct model_flow *flow = model_flow_live(judge->state, &tuple);

	if (flow) {
		speak(upper, flow);
		return;
	}
	if (!may || flags & 4 || is_for_many(upper->family, upper->destination))
		return;
	/* With TCP a SYN begins a connection, and a SYN-ACK answers one. */
	if (tcp && flags & 2 ? flags & 0x10 : !echo && model_observed(judge->state, &tuple))
		return;
	flow = model_flow_make(judge->state, &tuple);
	flow->flags = flags & 1 ? PC_FLOW_FIN_OUT : 0;
}

/* Whether an `in` service lists the UDP port for any port of the remote side. */
static bool asks_no_source_port(const struct judge *judge, uint16_t local)
{
	const struct pc_generation *generation = judge->tables->generation;
	uint16_t entry = tables_entry(generation, model_class(judge), 0, PC_PORT(PC_UDP, local));
	const struct pc_span *span;

	if (entry < PC_PORT_RULE)
		return entry == PC_PORT_OPEN;
	span = &generation->span[generation->rule[entry - PC_PORT_RULE].span];
	return span->first == 0 && span->last == 65535;
}

static struct model_verdict port(const struct upper *upper, const struct judge *judge)
{
	enum pc_transport transport = upper->protocol == 6 ? PC_TCP : PC_UDP;
	uint16_t remote = model_read16(upper->data + 2);
	int index = (int)PC_PORT(transport, remote);
	bool covered = tables_covers_class(judge->tables, model_class(judge), upper->family,
					   upper->destination, transport, remote);
	bool reversed = reverse_is_admitted(upper, transport, judge);
	bool syn = transport == PC_TCP && (upper->data[13] & 0x12) == 0x02;
	struct pc_flow tuple = tuple_of(upper);
	bool known = model_flow_live(judge->state, &tuple);
	bool passes = covered ||
		      (!syn && (reversed || (transport == PC_TCP && is_connected(upper, judge))));

	if (model_enforces_outbound(judge) && !passes) {
		covered = model_granted_out(judge->tables, upper->family, upper->destination,
					    transport, remote);
		passes = covered ||
			 (!syn && model_granted(judge->tables, model_class(judge), upper->family,
						upper->destination, transport, remote,
						model_read16(upper->data)));
	}
	if (model_enforces_outbound(judge) && !passes && !model_observes(judge))
		return drop(index);
	if (judge->forwarded)
		learn(upper, judge, learns_forwarded(judge) && !reversed);
	else if (transport == PC_UDP ||
		 (!has_socket(upper, judge) && !is_of_run(upper, judge))) /* a raw socket's TCP */
		learn(upper, judge, !reversed);
	if (transport == PC_UDP && !known && upper->length > 1200 + 8 && reversed &&
	    !is_for_many(upper->family, upper->destination) &&
	    asks_no_source_port(judge, model_read16(upper->data)))
		model_note_large(judge->state, &tuple);
	if (!passes)
		return drop(index);
	return pass(covered ? PC_CELL_OUT + (unsigned int)index : 0);
}

static struct model_verdict icmp(const struct upper *upper, const struct judge *judge)
{
	if (upper->data[0] == (upper->family == AF_INET ? 8 : 128))
		learn(upper, judge, !judge->forwarded || learns_forwarded(judge));
	return pass(0);
}

struct model_verdict model_outbound(const struct upper *upper, const struct judge *judge)
{
	bool ipv4 = upper->family == AF_INET;

	if (upper->protocol == 6 || upper->protocol == 17)
		return port(upper, judge);
	if (upper->protocol == (ipv4 ? 1 : 58))
		return icmp(upper, judge);
	if (upper->protocol == 2 && ipv4)
		return pass(0);
	return model_named(upper->protocol, judge) ? pass(0) : drop(-1);
}
