/* SPDX-License-Identifier: GPL-2.0 */
/* Compares the rules of a filter with what its host does: the findings of `audit`. */
#ifndef PORTCULLIS_REPORT_AUDIT_H
#define PORTCULLIS_REPORT_AUDIT_H

#include <jansson.h>

#include "loader/report/counters.h"

#define AUDIT_TRANSLATES "nftables" /* the process, for a port that nftables translates */

/* A receiver of packets that come in by the interface: a socket, or a port that nftables
 * translates. */
struct audit_listener {
	enum pc_transport transport;
	__u16 port;
	const char *process, *unit, *container; /* NULL: unknown */
};

struct audit_host {
	const char *interface;
	const json_t *kept;		 /* recipe and profiles of the filter's generation */
	const struct counters *counters; /* NULL: no port is reported as unused */
	/* report_machine_counters with all ports; NULL: as for `counters` */
	const json_t *machines;
	const struct audit_listener *listener;
	size_t listeners;
};

/*
 * A list of {"kind", "interface", "machine", "protocol", "port", "services", "group", "process",
 * "unit", "container", "fix"}:
 *
 *	listens		something listens on a port that no service opens
 *	published as listens, for a port that a process or nftables passes to a container
 *	silent		a service has the port open, and nothing listens there
 *	unused		a service has counted no packet since counting began
 *	empty-group	a service is open to a group that has no prefix
 *
 * A service for certain source ports alone (a DHCP client's) is neither silent nor unused, and a
 * range of more than 16 ports is not silent: a server opens only those in use.
 *
 * Of machines behind the interface, the last two are told: what listens on them is not known here.
 *
 * `fix` is null, for the caller to set.
 */
json_t *audit_findings(const struct audit_host *host);

/* True if an open service of the kept text has the port. */
bool audit_opens(const json_t *kept, enum pc_transport transport, __u16 port);

/*
 * "8443/tcp (java) and 2 more ports listen and are closed; 1 open port is silent"; NULL: no such
 * finding. The caller frees.
 */
char *audit_summary(const json_t *findings);

#endif
