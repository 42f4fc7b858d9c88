/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources and the ports that they used, and what a recipe should open for them. It tells
 * customers from scanners.
 */
#ifndef PORTCULLIS_REPORT_SUGGEST_EVIDENCE_H
#define PORTCULLIS_REPORT_SUGGEST_EVIDENCE_H

#include "loader/report/counters.h"
#include "loader/report/suggest.h"

#define SUGGEST_KNOCKS 262144 /* rows that are read; a flood leaves more */

/* The packets of one source to a port of this host. */
struct suggest_knock {
	__u8 address[16];
	__u8 family; /* AF_INET or AF_INET6 */
	enum pc_transport transport;
	__u16 port;
	bool answered; /* only from a capture: a connection was made, or a datagram answered */
	__u64 packets;
	__u64 first, last; /* seconds since 1970 */
	bool scans;	   /* set here: it came to ports without a listener */
	bool roams;	   /* set here: it scans, and used more than one such port */
};

struct suggest_evidence {
	struct suggest_knock *knock;
	size_t count;
	const struct counters
		*counters;  /* passed packets; NULL: for a capture, where `knock` has them */
	__u64 since, until; /* seconds since 1970 */
	bool sampled;	    /* there was a flood, of which only a part is recorded */
};

/*
 * Opens closed ports to the sources that used them, beyond SUGGEST_GROUP of them to anyone; names
 * the other ports, and why they stay closed; and names the services that got no packets.
 */
void suggest_evidence(const struct suggest_evidence *evidence, struct catalog *catalog,
		      const struct suggest_host *host, struct suggestion *suggestion,
		      struct diag *diag);

/* A duration as an administrator says it: "6 d", "3 h". The caller frees. */
char *suggest_span(__u64 seconds);

#endif
