/* SPDX-License-Identifier: GPL-2.0 */
/* The recent drops: the entries of the map `drops`, and the rows of a view of them. */
#ifndef PORTCULLIS_REPORT_DROPS_H
#define PORTCULLIS_REPORT_DROPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "loader/catalog/group.h"
#include "loader/report/counters.h"

/* The sums of one row. */
enum drops_by {
	DROPS_BY_KEY, /* nothing: each address, port and reason has a row */
	DROPS_BY_SOURCE,
	DROPS_BY_PREFIX,
	DROPS_BY_PORT,
	DROPS_BY_REASON,
};

/* The fields that all packets of a row have in common. */
#define DROPS_ONE_ADDRESS  1
#define DROPS_ONE_PREFIX   2
#define DROPS_ONE_PORT	   4 /* with its protocol; of ICMP the type and code */
#define DROPS_ONE_PROTOCOL 8
#define DROPS_ONE_REASON   16

/* An entry, or several that were added up. A field says nothing if its DROPS_ONE_* is not set. */
struct drops_row {
	size_t filter;	   /* its place in the caller's list of filters */
	__u32 machine;	   /* pc_drop.machine, or what the caller put in its place; 0: this host */
	__be32 address[4]; /* as in struct pc_drop */
	__u32 first, last; /* CLOCK_BOOTTIME seconds */
	__u32 sources, ports;
	struct count drop, would_drop;
	__u16 port;
	__u8 protocol;
	__u8 reason;  /* enum pc_reason */
	__u8 family;  /* 4, 6; 0: there was no IP header */
	__u8 one;     /* DROPS_ONE_* */
	bool out;     /* at egress: the address and port are the destination's */
	bool sampled; /* some of the counts are estimates */
	bool again;   /* it came in more than one second */
};

/* The content of the tables of some filters. */
struct drops {
	struct drops_row *row;
	size_t count;
	__u32 since;	       /* CLOCK_BOOTTIME seconds: of what was recorded since, all is here */
	__u64 forgotten;       /* entries that gave way to others; those of samples do not count */
	bool sampled;	       /* in a flood only a sample was recorded */
	json_t *protocol[256]; /* names, NULL: not looked up yet */
};

void drops_free(struct drops *drops);

/* The table of the filter `filter` is complete since then, unless entries gave way. */
void drops_begin(struct drops *drops, __u32 since);
/*
 * Adds the entries of a bucket. Those that were seen last before `since` are left out: they were
 * cleared. `flood`: the bucket is in the part of floods.
 */
void drops_add(struct drops *drops, size_t filter, const struct pc_drop_bucket *bucket, bool flood,
	       __u32 since);

/* Notes that entries gave way in a bucket that is not in the part of floods. */
void drops_forgot(struct drops *drops, const struct pc_drop_bucket *bucket, __u32 since);

/*
 * The buckets that entries of a prefix may have, by index (PC_DROP_PEACE): what gave way elsewhere
 * was not of it. NULL if it may have any: it is shorter than /24, or /64 of IPv6. The caller frees.
 */
bool *drops_buckets(const struct prefix *prefix, __u32 secret);

/* Which rows are wanted. */
struct drops_select {
	struct prefix source; /* of the remote address; family 0: any */
	int port;	      /* PC_PORT; -1: any */
	unsigned int reasons; /* bit n: enum pc_reason n; 0: any */
	__u32 since;	      /* seen since then, CLOCK_BOOTTIME seconds */
};

/*
 * Makes one row of the entries of one key, which tables may have several times (enforced and
 * observed, exact and sampled), and leaves those that are wanted.
 */
void drops_choose(struct drops *drops, const struct drops_select *select);

/* Adds up the rows of one filter and direction that have the same source, prefix, port or reason.
 */
void drops_sum(struct drops *drops, enum drops_by by);

/*
 * Adds up what a scan or a flood leaves: the rows of one prefix if they are many; then rows of one
 * port and reason, and then of one protocol and reason, if they are very many and each is an
 * estimate or was seen in one second only.
 */
void drops_collapse(struct drops *drops);

/* The latest rows first, or those with the most packets. */
void drops_sort(struct drops *drops, bool most);

/*
 * {"interface", "machine", "direction", "source", "protocol", "port", "reason", "services",
 * "first", "last", "drop", "would_drop", "sampled", "sources", "ports"}, and "destination", "type"
 * and "code". `machine`: its name, NULL: this host. `services`: those that list the port, or NULL.
 * `booted`: CLOCK_REALTIME ns of the boot.
 */
json_t *drops_json(struct drops *drops, const struct drops_row *row, const char *interface,
		   const char *machine, json_t *services, __u64 booted);

/* True if the services of the row's port are to be told. `*port`: PC_PORT. */
bool drops_port(const struct drops_row *row, __u32 *port);

#endif
