/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the rules of a filter fit its host: the findings of `audit`. */
#ifndef PORTCULLIS_REPORT_AUDIT_H
#define PORTCULLIS_REPORT_AUDIT_H

#include <jansson.h>

#include "loader/report/counters.h"

#define AUDIT_TRANSLATES "nftables" /* the process of a port that its rules hand on */

/* A socket that takes what comes from anywhere by the interface, or a port that nftables hands on.
 */
struct audit_listener {
	enum pc_transport transport;
	__u16 port;
	const char *process, *unit, *container; /* NULL: unknown */
};

struct audit_host {
	const char *interface;
	const json_t *kept;		 /* of its generation */
	const struct counters *counters; /* NULL: nothing is told as unused */
	const json_t *machines;		 /* report_machine_counters, all; NULL: as `counters` */
	const struct audit_listener *listener;
	size_t listeners;
};

/*
 * A list of {"kind", "interface", "machine", "protocol", "port", "services", "group", "process",
 * "unit", "container", "fix"}:
 *
 *	listens		something listens on a port that no service opens
 *	published	likewise, and what listens hands it on to a container, or nftables does
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
 * "8443/tcp (java) and 2 more ports listen and are closed; 1 open port is silent"; NULL: there is
 * neither. The caller frees.
 */
char *audit_summary(const json_t *findings);

#endif
