/* SPDX-License-Identifier: GPL-2.0 */
/* One learned flow: its lifetime, its state, its JSON form. */
#ifndef PORTCULLIS_REPORT_FLOW_H
#define PORTCULLIS_REPORT_FLOW_H

#include <jansson.h>
#include <stdbool.h>

#include "bpf/abi.h"

/* A live flow. The struct is small, because there may be PC_FLOWS_MAX. */
struct flow {
	struct pc_flow key;
	__u32 ifindex; /* interface whose egress program learned it */
	__u32 idle;    /* seconds since its last packet */
	__u8 flags;    /* PC_FLOW_* */
};

/* True if the program would still accept the flow. `*idle`: the seconds since its last packet. */
bool flow_live(const struct pc_flow *key, const struct pc_flow_state *state, __u64 now,
	       __u32 *idle);
/* True if the key needs a link, because it has an IPv6 link-local address. */
bool flow_has_link(const struct pc_flow *key);
/* The seconds until it ends if no packet follows. */
__u32 flow_expires(const struct flow *flow);
/* "sent", "replied", "stream"; of TCP "sent", "replied", "established", "closing", "reset". */
const char *flow_state_name(const struct flow *flow);

/* {"interface", "machine", "protocol", "local", "local_port", "remote", "remote_port", "state",
 * "idle", "expires"}; of an echo "identifier" instead of the ports. `machine`: that of the local
 * address; NULL: this host, or one that no profile is given for. */
json_t *flow_json(const struct flow *flow, const char *interface, const char *machine);

/* Compares for qsort: interface, family, protocol, remote address, local address, ports. */
int flow_compare(const void *a, const void *b);

#endif
