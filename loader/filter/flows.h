/* SPDX-License-Identifier: GPL-2.0 */
/* The learned flows of a network namespace. */
#ifndef PORTCULLIS_FILTER_FLOWS_H
#define PORTCULLIS_FILTER_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

#include "bpf/abi.h"
#include "loader/report/flow.h"

/* The flow maps of a network namespace (abi_flows.h). */
enum flow_map {
	FLOWS_CONNECTIONS,
	FLOWS_STREAMS,
	FLOWS_REST,
	FLOW_MAPS,
};

extern const char *const flow_map_name[FLOW_MAPS];

/* The flows in each map. */
struct flows {
	struct flow *flow; /* only if they were asked for */
	size_t count;
	struct flow_use {
		size_t used; /* live flows, of all interfaces */
		size_t size; /* flows for which the map has room */
	} use[FLOW_MAPS], all;
};

/* The id of a map: filters that share the map have the same. Returns 0 or -errno. */
int flows_id(int map, __u32 *id);
/* Counts the live flows of the maps: `use` and `all`. Returns 0 or -errno. */
int flows_count(const int map[FLOW_MAPS], struct flows *flows);
/*
 * Reads the flows that were learned from packets sent by `ifindexes` (none given: all flows),
 * sorted. Returns 0 or -errno.
 */
int flows_read(const int map[FLOW_MAPS], const __u32 *ifindex, size_t ifindexes,
	       struct flows *flows);
/* Makes {"used", "size", "connections": {"used", "size"}, "streams", "rest"}. */
json_t *flows_use_json(const struct flows *flows);
void flows_free(struct flows *flows);

#endif
