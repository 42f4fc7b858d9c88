// SPDX-License-Identifier: GPL-2.0
/* What the host knows of packets before this one: sockets, learned flows, fragments, observed. */
#include <arpa/inet.h>
#include <string.h>

#include "tests/packet/model_parts.h"

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

/* In seconds: those of abi.h, once more. */
static uint64_t lifetime(const struct model_flow *flow)
{
	if (flow->tuple.protocol != 6)
		return flow->flags & PC_FLOW_REPLIED ? 180 : 30;
	if (flow->flags & PC_FLOW_RESET)
		return 10;
	if (flow->flags & PC_FLOW_FIN_OUT || !(flow->flags & PC_FLOW_REPLIED))
		return 120;
	/* What the remote side says of an end may be forged. */
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
		*flow = (struct model_flow){.tuple = *tuple};
	} else if (!model_flow_live(state, tuple)) {
		flow->flags = 0;
	}
	flow->age = 0;
	return flow;
}

bool model_observed(const struct model_state *state, const struct pc_flow *tuple)
{
	size_t kept = state->observeds < MODEL_OBSERVED ? state->observeds : MODEL_OBSERVED;

	for (size_t i = 0; i < kept; i++)
		if (same(&state->observed[i], tuple))
			return true;
	return false;
}

static int window_now(const struct model_state *state)
{
	return (int)(state->elapsed / MODEL_WINDOW);
}

bool model_crowded(const struct model_state *state, uint32_t port)
{
	for (size_t i = 0; i < state->strangers; i++) {
		const struct model_strangers *them = &state->stranger[i];

		if (them->port != port)
			continue;
		if (them->window == window_now(state))
			return them->count >= MODEL_CROWD || them->before >= MODEL_CROWD;
		return them->window == window_now(state) - 1 && them->count >= MODEL_CROWD;
	}
	return false;
}

static void count_stranger(struct model_state *state, uint32_t port)
{
	struct model_strangers *them = state->stranger;
	int window = window_now(state);

	while (them < state->stranger + state->strangers && them->port != port)
		them++;
	if (them == state->stranger + state->strangers) {
		if (state->strangers == MODEL_STRANGERS)
			return;
		state->strangers++;
		*them = (struct model_strangers){.port = port, .window = window};
	}
	if (them->window != window) {
		them->before = them->window == window - 1 ? them->count : 0;
		them->count = 0;
		them->window = window;
	}
	them->count++;
}

void model_observe(struct model_state *state, const struct pc_flow *tuple, uint32_t port)
{
	count_stranger(state, port);
	if (!model_observed(state, tuple))
		state->observed[state->observeds++ % MODEL_OBSERVED] = *tuple;
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
