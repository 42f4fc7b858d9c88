/* SPDX-License-Identifier: GPL-2.0 */
/* Recent drops: the entries of the map `drops`, and the rows of a view of them. */
#ifndef PORTCULLIS_REPORT_DROPS_H
#define PORTCULLIS_REPORT_DROPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "loader/catalog/group.h"
#include "loader/report/counters.h"

/* What the rows add up. */
enum drops_by {
	DROPS_BY_KEY, /* no adding up: each address, port and reason has a row */
	DROPS_BY_SOURCE,
	DROPS_BY_PREFIX,
	DROPS_BY_PORT,
	DROPS_BY_REASON,
};

/* The fields in which all packets of a row are equal. */
#define DROPS_ONE_ADDRESS  1
#define DROPS_ONE_PREFIX   2
#define DROPS_ONE_PORT	   4 /* port with its protocol; for ICMP type and code */
#define DROPS_ONE_PROTOCOL 8
#define DROPS_ONE_REASON   16

/* An entry, or several that were added up. A field is only valid if its DROPS_ONE_* is set. */
struct drops_row {
	size_t filter;	   /* index in the caller's list of filters */
	__u32 machine;	   /* pc_drop.machine, or the caller's replacement; 0: this host */
	__be32 address[4]; /* as in struct pc_drop */
	__u32 first, last; /* CLOCK_BOOTTIME seconds */
	__u32 sources, ports;
	struct count drop, would_drop;
	__u16 port;
	__u8 protocol;
	__u8 reason;  /* enum pc_reason */
	__u8 family;  /* 4, 6; 0: the packet had no IP header */
	__u8 one;     /* DROPS_ONE_* */
	bool out;     /* egress: address and port are those of the destination */
	bool sampled; /* some of the counts are estimates */
	bool again;   /* the packets came in more than one second */
};

/* The content of some filters' tables. */
struct drops {
	struct drops_row *row;
	size_t count;
	__u32 since;	       /* CLOCK_BOOTTIME second from which on the record is complete */
	__u64 forgotten;       /* entries that were replaced by others, without those of samples */
	bool sampled;	       /* in a flood only a sample was recorded */
	json_t *protocol[256]; /* names of protocols; NULL: not looked up yet */
};

void drops_free(struct drops *drops);

/* Tells that the table of `filter` is complete from that second on, apart from replaced entries. */
void drops_begin(struct drops *drops, __u32 since);
/*
 * Adds the entries of a bucket, except those last seen before `since`, which were cleared. `flood`:
 * the bucket is in the part for floods.
 */
void drops_add(struct drops *drops, size_t filter, const struct pc_drop_bucket *bucket, bool flood,
	       __u32 since);

/* Counts entries that were replaced in a bucket outside the part for floods. */
void drops_forgot(struct drops *drops, const struct pc_drop_bucket *bucket, __u32 since);

/*
 * The buckets in which entries of a prefix can be, by index (PC_DROP_PEACE): entries that were
 * replaced in other buckets did not belong to it. NULL: in every bucket, because the prefix is
 * shorter than /24, or /64 for IPv6. The caller frees.
 */
bool *drops_buckets(const struct prefix *prefix, __u32 secret);

/* Which rows are wanted. */
struct drops_select {
	struct prefix source; /* of the remote address; family 0: any */
	int port;	      /* PC_PORT; -1: any */
	unsigned int reasons; /* bit n: enum pc_reason n; 0: any */
	__u32 since;	      /* last seen at or after this CLOCK_BOOTTIME second */
};

/*
 * Adds up the entries of one key, which tables may have several times (enforced and observed, exact
 * and sampled), and removes rows that are not wanted.
 */
void drops_choose(struct drops *drops, const struct drops_select *select);

/* Adds up the rows of one filter and direction that have the same source, prefix, port or reason.
 */
void drops_sum(struct drops *drops, enum drops_by by);

/*
 * Adds up the rows that a scan or a flood leaves: rows of one prefix if they are many; then rows of
 * one port and reason, and then of one protocol and reason, if they are very many and each is an
 * estimate or was seen in one second only.
 */
void drops_collapse(struct drops *drops);

/* Sorts the latest rows first, or those with the most packets. */
void drops_sort(struct drops *drops, bool most);

/*
 * {"interface", "machine", "direction", "source", "protocol", "port", "reason", "services",
 * "first", "last", "drop", "would_drop", "sampled", "sources", "ports"}, and "destination", "type"
 * and "code". `machine`: its name, NULL: this host. `services`: those that list the port, or NULL.
 * `booted`: CLOCK_REALTIME ns of the boot.
 */
json_t *drops_json(struct drops *drops, const struct drops_row *row, const char *interface,
		   const char *machine, json_t *services, __u64 booted);

/* True if a row has a port whose services can be named. `*port`: PC_PORT. */
bool drops_port(const struct drops_row *row, __u32 *port);

#endif
