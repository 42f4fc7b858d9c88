// SPDX-License-Identifier: GPL-2.0
/* One learned flow: its lifetime, its state, its JSON form. */
#include "loader/report/flow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/report/json_forms.h"

bool flow_live(const struct pc_flow *key, const struct pc_flow_state *state, __u64 now, __u32 *idle)
{
	/* Signed: a seeded flow may be older than the uptime; a flow seen after `now` has age 0. */
	__s64 difference = (__s64)(now - state->seen);
	__u64 age = difference > 0 ? (__u64)difference : 0;

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

json_t *flow_json(const struct flow *flow, const char *interface, const char *machine)
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
	json = json_pack("{s:o, s:o, s:s, s:s, s:i, s:s}", "interface", text_json(interface),
			 "machine", text_json(machine), "protocol",
			 report_protocol(key->protocol) ?: "?", "local", local,
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
	/* Compares ports in network byte order as numbers. */
	return result ? result : memcmp(&left->key, &right->key, sizeof(left->key));
}
