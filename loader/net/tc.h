/* SPDX-License-Identifier: GPL-2.0 */
/* Lists the filters at an interface's clsact, of either side, and the qdisc itself. */
#ifndef PORTCULLIS_NET_TC_H
#define PORTCULLIS_NET_TC_H

#include <stdbool.h>
#include <stddef.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/types.h>

#define TC_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define TC_EGRESS  TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

struct tc_filter {
	__u32 parent;
	__u32 handle;
	__u32 info; /* priority << 16 | protocol */
	__u32 chain;
	__u32 program_id; /* 0: the filter runs no program */
};

struct tc_filters {
	__u32 parent;
	struct tc_filter *filter;
	size_t count;
};

/* The sockets are NETLINK_ROUTE ones; each function returns 0 or -errno unless said otherwise. */

/* Adds the filters of one side; none if the interface has no clsact, or is gone. */
int tc_filters_list(struct mnl_socket *socket, unsigned int ifindex, __u32 parent,
		    struct tc_filters *filters);
void tc_filters_free(struct tc_filters *filters);
bool tc_filters_have(const struct tc_filters *filters, __u32 program_id);

/* Deletes a filter of the kind bpf. */
int tc_filter_delete(struct mnl_socket *socket, unsigned int ifindex,
		     const struct tc_filter *filter);

enum tc_qdisc {
	TC_QDISC_NONE,
	TC_QDISC_CLSACT,
	TC_QDISC_OTHER, /* the older kind `ingress`, which takes the place of clsact */
};

/* Finds the qdisc at the place of clsact. */
int tc_qdisc_find(struct mnl_socket *socket, unsigned int ifindex, enum tc_qdisc *found);

/* Deletes the clsact, with all filters in it. */
int tc_qdisc_delete(struct mnl_socket *socket, unsigned int ifindex);

#endif
