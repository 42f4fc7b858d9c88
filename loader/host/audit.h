/* SPDX-License-Identifier: GPL-2.0 */
/* Compares a filter with its host: what listens, what is counted. */
#ifndef PORTCULLIS_HOST_AUDIT_H
#define PORTCULLIS_HOST_AUDIT_H

#include <jansson.h>

#include "loader/net/link_graph.h"
#include "loader/net/published.h"
#include "loader/net/socket_owner.h"
#include "loader/report/audit.h"
#include "loader/report/counters.h"

/* The listening sockets of the network namespace, with their processes. */
struct audited_host {
	struct links links;
	struct socket_info *socket;
	struct socket_owner *owner;  /* owner of each socket */
	size_t sockets;		     /* sorted by port, protocol, address */
	/* ports that nftables translates; only audited_host_read sets them */
	struct published *published;
	size_t publishes;
};

/* As audited_host_read, but lists only the sockets, without their owners. */
int audited_host_list(struct audited_host *host);
/* True if a receiver takes what comes in by the interface to this port. */
bool audited_listens(const struct audited_host *host, unsigned int ifindex,
		     enum pc_transport transport, __u16 port);

/* Returns 0 or -errno; call audited_host_free in both cases. */
int audited_host_read(struct audited_host *host);
void audited_host_free(struct audited_host *host);

/* True if a socket takes what comes in by an interface. */
bool audited_takes(const struct audited_host *host, const struct socket_info *socket,
		   unsigned int ifindex);

/* A socket of the list, with its owner; its texts belong to the host. */
struct audit_listener audited_listener(const struct audited_host *host, size_t at);

/*
 * The receivers of packets that come in by an interface: sockets, and ports that nftables
 * translates, because the filter sees them before. `addressed`: also those of rules about one
 * destination address. The caller frees the list; its texts belong to the host.
 */
struct audit_listener *audited_listeners(const struct audited_host *host, unsigned int ifindex,
					 bool addressed, size_t *count);

/* Makes audit_findings of an interface's filter. `kept`: of its generation. `machines`: their
 * counters. */
json_t *audited_findings(const struct audited_host *host, const char *interface,
			 unsigned int ifindex, const json_t *kept, const struct counters *counters,
			 const json_t *machines);

#endif
