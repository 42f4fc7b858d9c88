// SPDX-License-Identifier: GPL-2.0
/* Reads the map of learned flows. */
#include "loader/flows.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/clock.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/object/map_walk.h"

const char *const flow_map_name[FLOW_MAPS] = {
	[FLOWS_CONNECTIONS] = "connections", [FLOWS_STREAMS] = "streams", [FLOWS_REST] = "rest"};

bool flow_live(const struct pc_flow *key, const struct pc_flow_state *state, __u64 now, __u32 *idle)
{
	__u64 age = now > state->seen ? now - state->seen : 0; /* seen after `now` was taken */

	if (age >= pc_flow_lifetime(key->protocol, state->flags))
		return false;
	*idle = age / PC_SECOND;
	return true;
}

bool flow_has_link(const struct pc_flow *key)
{
	return key->family == 6 &&
	       (IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)key->ipv6.remote) ||
		IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)key->ipv6.local));
}

__u32 flow_expires(const struct flow *flow)
{
	return pc_flow_lifetime(flow->key.protocol, flow->flags) / PC_SECOND - flow->idle;
}

const char *flow_state_name(const struct flow *flow)
{
	bool replied = flow->flags & PC_FLOW_REPLIED;

	if (flow->key.protocol != IPPROTO_TCP && flow->flags & PC_FLOW_ASSURED)
		return "stream";
	if (flow->key.protocol != IPPROTO_TCP)
		return replied ? "replied" : "sent";
	if (flow->flags & (PC_FLOW_RESET | PC_FLOW_RESET_IN))
		return "reset";
	if (flow->flags & (PC_FLOW_FIN_OUT | PC_FLOW_FIN_IN))
		return "closing";
	if (flow->flags & PC_FLOW_ASSURED)
		return "established";
	return replied ? "replied" : "sent";
}

static const char *protocol_name(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "icmpv6";
	}
	return "?";
}

json_t *flow_json(const struct flow *flow, const char *interface)
{
	const struct pc_flow *key = &flow->key;
	bool old = key->family == 4;
	bool ports = key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP;
	char local[INET6_ADDRSTRLEN] = "", remote[INET6_ADDRSTRLEN] = "";
	int local_port = ntohs(old ? key->ipv4.local_port : key->ipv6.local_port);
	int remote_port = ntohs(old ? key->ipv4.remote_port : key->ipv6.remote_port);
	json_t *json;

	if (old) {
		inet_ntop(AF_INET, &key->ipv4.local, local, sizeof(local));
		inet_ntop(AF_INET, &key->ipv4.remote, remote, sizeof(remote));
	} else {
		inet_ntop(AF_INET6, key->ipv6.local, local, sizeof(local));
		inet_ntop(AF_INET6, key->ipv6.remote, remote, sizeof(remote));
	}
	json = json_pack("{s:o, s:s, s:s, s:i, s:s}", "interface", text_json(interface), "protocol",
			 protocol_name(key->protocol), "local", local,
			 ports ? "local_port" : "identifier", local_port, "remote", remote);
	if (ports)
		json_object_set_new(json, "remote_port", json_integer(remote_port));
	json_object_set_new(json, "state", json_string(flow_state_name(flow)));
	json_object_set_new(json, "idle", json_integer(flow->idle));
	json_object_set_new(json, "expires", json_integer(flow_expires(flow)));
	return json;
}

static int order(__u32 a, __u32 b)
{
	return a < b ? -1 : a > b;
}

int flow_compare(const void *a, const void *b)
{
	const struct flow *left = a, *right = b;
	int result = order(left->ifindex, right->ifindex);

	if (!result)
		result = order(left->key.family, right->key.family);
	if (!result)
		result = order(left->key.protocol, right->key.protocol);
	/* Network byte order: as numbers. */
	return result ? result : memcmp(&left->key, &right->key, sizeof(left->key));
}

/* --- reading --- */

struct reading {
	struct flows *flows;
	struct flow_use *use; /* of the map that is read */
	__u64 now;
	bool keep;
	const __u32 *ifindex;
	size_t ifindexes;
};

static bool wanted(const struct reading *reading, __u32 ifindex)
{
	size_t i;

	for (i = 0; i < reading->ifindexes; i++)
		if (reading->ifindex[i] == ifindex)
			return true;
	return !reading->ifindexes;
}

static void take(const void *key, const void *value, void *context)
{
	const struct pc_flow_state *state = value;
	struct reading *reading = context;
	struct flows *flows = reading->flows;
	struct flow flow = {.ifindex = state->ifindex, .flags = state->flags};

	memcpy(&flow.key, key, sizeof(flow.key));
	if (!flow_live(&flow.key, state, reading->now, &flow.idle))
		return;
	reading->use->used++;
	if (!reading->keep || !wanted(reading, flow.ifindex))
		return;
	flows->flow = grow(flows->flow, flows->count, sizeof(flow));
	flows->flow[flows->count++] = flow;
}

static int map_info(int map, struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);

	*info = (struct bpf_map_info){};
	return bpf_obj_get_info_by_fd(map, info, &length);
}

int flows_id(int map, __u32 *id)
{
	struct bpf_map_info info;
	int err = map_info(map, &info);

	if (!err)
		*id = info.id;
	return err;
}

static int read_maps(const int map[FLOW_MAPS], struct reading *reading)
{
	struct flows *flows = reading->flows;
	struct bpf_map_info info;
	int err = 0, i;

	*flows = (struct flows){};
	for (i = 0; i < FLOW_MAPS && !err; i++) {
		err = map_info(map[i], &info);
		if (err)
			break;
		reading->use = &flows->use[i];
		reading->use->size = info.max_entries;
		err = map_walk(map[i], sizeof(struct pc_flow), sizeof(struct pc_flow_state), take,
			       reading);
		flows->all.used += reading->use->used;
		flows->all.size += reading->use->size;
	}
	return err;
}

int flows_count(const int map[FLOW_MAPS], struct flows *flows)
{
	struct reading reading = {.flows = flows, .now = clock_monotonic()};

	return read_maps(map, &reading);
}

static json_t *use_json(const struct flow_use *use)
{
	return json_pack("{s:I, s:I}", "used", (json_int_t)use->used, "size",
			 (json_int_t)use->size);
}

json_t *flows_use_json(const struct flows *flows)
{
	json_t *json = use_json(&flows->all);
	int i;

	for (i = 0; i < FLOW_MAPS; i++)
		json_object_set_new(json, flow_map_name[i], use_json(&flows->use[i]));
	return json;
}

/* One that was shown twice stands beside itself. */
static void drop_doubles(struct flows *flows)
{
	size_t kept = 0, i;

	for (i = 0; i < flows->count; i++)
		if (!kept || flow_compare(&flows->flow[kept - 1], &flows->flow[i]))
			flows->flow[kept++] = flows->flow[i];
	flows->count = kept;
}

int flows_read(const int map[FLOW_MAPS], const __u32 *ifindex, size_t ifindexes,
	       struct flows *flows)
{
	struct reading reading = {.flows = flows,
				  .now = clock_monotonic(),
				  .keep = true,
				  .ifindex = ifindex,
				  .ifindexes = ifindexes};
	int err = read_maps(map, &reading);

	if (err) {
		flows_free(flows);
		return err;
	}
	if (flows->count)
		qsort(flows->flow, flows->count, sizeof(*flows->flow), flow_compare);
	drop_doubles(flows);
	return 0;
}

void flows_free(struct flows *flows)
{
	free(flows->flow);
	*flows = (struct flows){};
}
