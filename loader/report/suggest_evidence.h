/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources and the ports that they used, and the conclusions for a recipe: it tells customers
 * from scanners.
 */
#ifndef PORTCULLIS_REPORT_SUGGEST_EVIDENCE_H
#define PORTCULLIS_REPORT_SUGGEST_EVIDENCE_H

#include "loader/report/counters.h"
#include "loader/report/suggest.h"

#define SUGGEST_KNOCKS 262144 /* rows that are looked at; a flood's are more */

/* The packets of one source to a port of this host. */
struct suggest_knock {
	__u8 address[16];
	__u8 family; /* AF_INET or AF_INET6 */
	enum pc_transport transport;
	__u16 port;
	bool answered; /* of a capture: a connection was made, or a datagram answered */
	__u64 packets;
	__u64 first, last; /* seconds since 1970 */
	bool scans;	   /* set here: it came to ports where nothing answers */
	bool roams;	   /* set here: it scans, and came to more than one */
};

struct suggest_evidence {
	struct suggest_knock *knock;
	size_t count;
	const struct counters
		*counters;  /* what passed; NULL: of a capture, where the knocks tell */
	__u64 since, until; /* seconds since 1970 */
	bool sampled;	    /* there was a flood, of which only a part is known */
};

/*
 * Opens closed ports to the sources that used them, beyond SUGGEST_GROUP of them to anyone; names
 * the rest, with why it stays closed; and tells of the services that nothing came to.
 */
void suggest_evidence(const struct suggest_evidence *evidence, struct catalog *catalog,
		      const struct suggest_host *host, struct suggestion *suggestion,
		      struct diag *diag);

/* "6 d", "3 h": for how long, as an administrator says it. The caller frees. */
char *suggest_span(__u64 seconds);

#endif
