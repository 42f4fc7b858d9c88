/* SPDX-License-Identifier: GPL-2.0 */
/* The learned flows of a network namespace. */
#ifndef PORTCULLIS_FLOWS_H
#define PORTCULLIS_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

#include "bpf/abi.h"

/* A live flow, small: there may be PC_FLOWS_MAX of them. */
struct flow {
	struct pc_flow key;
	__u32 ifindex; /* whose egress learned it */
	__u32 idle;    /* seconds since its last packet */
	__u8 flags;    /* PC_FLOW_* */
};

/* The maps of a network namespace that hold flows (abi.h). */
enum flow_map {
	FLOWS_CONNECTIONS,
	FLOWS_STREAMS,
	FLOWS_REST,
	FLOW_MAPS,
};

extern const char *const flow_map_name[FLOW_MAPS];

/* What they hold. */
struct flows {
	struct flow *flow; /* only if asked for */
	size_t count;
	struct flow_use {
		size_t used; /* live ones, of all interfaces */
		size_t size; /* the most that the map holds */
	} use[FLOW_MAPS], all;
};

/* Whether the program would still take it, and for how many seconds it was idle. */
bool flow_live(const struct pc_flow *key, const struct pc_flow_state *state, __u64 now,
	       __u32 *idle);
/* Whether the key needs a link: it has an IPv6 link-local address. */
bool flow_has_link(const struct pc_flow *key);
/* Seconds for which it still lives if nothing is sent. */
__u32 flow_expires(const struct flow *flow);
/* "sent", "replied", "stream"; of TCP "sent", "replied", "established", "closing", "reset". */
const char *flow_state_name(const struct flow *flow);

/* {"interface", "protocol", "local", "local_port", "remote", "remote_port", "state", "idle",
 * "expires"}; of an echo "identifier" instead of the ports. */
json_t *flow_json(const struct flow *flow, const char *interface);

/* By interface, family, protocol, remote address, local address, ports: for qsort. */
int flow_compare(const void *a, const void *b);

/* The id by which two filters that share a map are known. Returns 0 or -errno. */
int flows_id(int map, __u32 *id);
/* Counts the live flows of the maps: `use` and `all`. Returns 0 or -errno. */
int flows_count(const int map[FLOW_MAPS], struct flows *flows);
/*
 * Reads those that the egress of `ifindexes` learned (none given: all), sorted. Returns 0 or
 * -errno.
 */
int flows_read(const int map[FLOW_MAPS], const __u32 *ifindex, size_t ifindexes,
	       struct flows *flows);
/* {"used", "size", "connections": {"used", "size"}, "streams", "rest"} */
json_t *flows_use_json(const struct flows *flows);
void flows_free(struct flows *flows);

#endif
