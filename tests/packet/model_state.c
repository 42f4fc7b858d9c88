// SPDX-License-Identifier: GPL-2.0
/* What the host remembers of earlier packets: sockets, learned flows, fragments, observed
 * tuples. */
#include <arpa/inet.h>
#include <string.h>

#include "tests/packet/model_parts.h"

static size_t observed_kept(const struct model_state *state)
{
	return state->observeds < MODEL_OBSERVED ? state->observeds : MODEL_OBSERVED;
}

void model_copy(struct model_state *to, const struct model_state *from)
{
	memcpy(to->socket, from->socket, from->sockets * sizeof(*from->socket));
	memcpy(to->flow, from->flow, from->flows * sizeof(*from->flow));
	memcpy(to->fragment, from->fragment, from->fragments * sizeof(*from->fragment));
	memcpy(to->observed, from->observed, observed_kept(from) * sizeof(*from->observed));
	memcpy(to->large, from->large, from->larges * sizeof(*from->large));
	to->sockets = from->sockets;
	to->flows = from->flows;
	to->fragments = from->fragments;
	to->observeds = from->observeds;
	to->larges = from->larges;
	to->elapsed = from->elapsed;
	to->machine = from->machine;
}

struct pc_flow model_tuple(int family, uint8_t protocol, const void *remote, const void *local,
			   uint16_t remote_port, uint16_t local_port)
{
	struct pc_flow tuple = {.protocol = protocol, .family = family == AF_INET ? 4 : 6};

	if (family == AF_INET) {
		memcpy(&tuple.ipv4.remote, remote, 4);
		memcpy(&tuple.ipv4.local, local, 4);
		tuple.ipv4.remote_port = htons(remote_port);
		tuple.ipv4.local_port = htons(local_port);
	} else {
		memcpy(tuple.ipv6.remote, remote, 16);
		memcpy(tuple.ipv6.local, local, 16);
		tuple.ipv6.remote_port = htons(remote_port);
		tuple.ipv6.local_port = htons(local_port);
	}
	return tuple;
}

static bool same(const struct pc_flow *a, const struct pc_flow *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool model_socket_live(const struct model_state *state, const struct pc_flow *tuple)
{
	for (size_t i = 0; i < state->sockets; i++)
		if (state->socket[i].state == MODEL_CONNECTED &&
		    same(&state->socket[i].tuple, tuple))
			return true;
	return false;
}

/* Lifetimes in seconds: those of abi_flows.h, written a second time. */
static uint64_t lifetime(const struct model_flow *flow)
{
	bool assured = flow->flags & PC_FLOW_ASSURED;

	if (flow->tuple.protocol != 6)
		return assured ? 120 : 30;
	if (flow->flags & PC_FLOW_RESET)
		return 10;
	if (flow->flags & PC_FLOW_FIN_OUT || !assured)
		return 120;
	/* The remote side's word that a connection has ended may be forged. */
	return flow->flags & (PC_FLOW_FIN_IN | PC_FLOW_RESET_IN) ? 124 * 60 : 5 * 24 * 3600;
}

static struct model_flow *find(struct model_state *state, const struct pc_flow *tuple)
{
	for (size_t i = 0; i < state->flows; i++)
		if (same(&state->flow[i].tuple, tuple))
			return &state->flow[i];
	return NULL;
}

struct model_flow *model_flow_live(struct model_state *state, const struct pc_flow *tuple)
{
	struct model_flow *flow = find(state, tuple);

	return flow && flow->age < lifetime(flow) * PC_SECOND ? flow : NULL;
}

struct model_flow *model_flow_make(struct model_state *state, const struct pc_flow *tuple)
{
	struct model_flow *flow = find(state, tuple);

	if (!flow) {
		flow = &state->flow[state->flows < MODEL_FLOWS ? state->flows++ : MODEL_FLOWS - 1];
	}
	*flow = (struct model_flow){.tuple = *tuple};
	return flow;
}

bool model_observed(const struct model_state *state, const struct pc_flow *tuple)
{
	for (size_t i = 0; i < observed_kept(state); i++)
		if (same(&state->observed[i], tuple))
			return true;
	return false;
}

void model_observe(struct model_state *state, const struct pc_flow *tuple)
{
	if (!model_observed(state, tuple))
		state->observed[state->observeds++ % MODEL_OBSERVED] = *tuple;
}

void model_flow_went_on(struct model_flow *flow)
{
	if (flow->tuple.protocol != 17 || !(flow->flags & PC_FLOW_REPLIED) ||
	    flow->begun < 2 * PC_SECOND)
		return;
	flow->flags |= PC_FLOW_ASSURED;
	flow->kept = true;
}

bool model_flow_closed(const struct model_flow *flow)
{
	bool both = flow->flags & PC_FLOW_FIN_IN && flow->flags & PC_FLOW_FIN_OUT;

	return both || flow->flags & (PC_FLOW_RESET | PC_FLOW_RESET_IN);
}

struct model_fragment *model_fragment_find(struct model_state *state, const struct pc_fragment *key)
{
	for (size_t i = 0; i < state->fragments; i++)
		if (!memcmp(&state->fragment[i].key, key, sizeof(*key)))
			return &state->fragment[i];
	return NULL;
}

void model_fragment_note(struct model_state *state, const struct pc_fragment *key,
			 const struct model_verdict *first)
{
	struct model_fragment *fragment = model_fragment_find(state, key);

	if (!fragment) {
		if (state->fragments == MODEL_FRAGMENTS)
			return;
		fragment = &state->fragment[state->fragments++];
	}
	*fragment = (struct model_fragment){.key = *key, .first = *first};
}

bool model_large(const struct model_state *state, const struct pc_flow *tuple)
{
	for (size_t i = 0; i < state->larges; i++)
		if (!memcmp(&state->large[i], tuple, sizeof(*tuple)))
			return true;
	return false;
}

void model_note_large(struct model_state *state, const struct pc_flow *tuple)
{
	if (state->larges < MODEL_LARGE && !model_large(state, tuple))
		state->large[state->larges++] = *tuple;
}
