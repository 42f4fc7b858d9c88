/* SPDX-License-Identifier: GPL-2.0 */
/* Listens at a filter: gets packets with their verdicts as they happen (abi_events.h). */
#ifndef PORTCULLIS_FILTER_LISTEN_H
#define PORTCULLIS_FILTER_LISTEN_H

#include <net/if.h>
#include <stdbool.h>

#include "loader/filter/filter.h"

struct perf_buffer;

/* Takes an event, and the captured bytes of its frame. Both are valid during the call only. */
typedef void listen_take(void *context, const struct pc_event *event, const __u8 *frame);

/* What a listener wants to get, at each of its interfaces. */
struct listen_wish {
	struct pc_listener entry; /* `until` and `owner` are not set */
	unsigned int buffer;	  /* bytes of a buffer; each CPU has one */
	/* each buffer's descriptor is added to it; if one is ready, call listen_read */
	int epoll;
	listen_take *take;
};

/* Events that the program did not send. */
struct listen_lost {
	__u64 over; /* above the rate */
	__u64 full; /* a buffer had no room */
};

/* A listener at one interface. */
struct listen {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	char id[20]; /* name of the filter's folder */
	__u32 program_id;
	struct listen_wish wish;
	void *context;		       /* context for wish.take */
	int events, heard, counters;   /* descriptors of maps */
	int entered;		       /* `events`, while buffers are entered in it */
	struct pc_filter *filter;      /* mapped */
	struct pc_listener *listeners; /* mapped */
	/* the slot it has, and the end of the lease as it wrote it */
	__u32 slot, until;
	struct perf_buffer **buffer;   /* for each CPU; NULL: the CPU is offline */
	__u32 cpus;
	bool unopened;			  /* a CPU that was added has no buffer */
	/* counts at the start of this slot; losses in former slots */
	struct listen_lost began, before;
	struct listen_lost counted;	  /* result of the last count */
};

#define LISTEN_NONE ((struct listen){.events = -1, .heard = -1, .counters = -1, .entered = -1})

/*
 * Claims a slot of the interface's filter, under the lock of pins, and opens buffers. Keeps no
 * descriptor of `filter` that would keep its program attached. -EBUSY if all slots are taken, or
 * -errno, with a message.
 */
int listen_begin(struct listen *listen, const char *name, const struct filter *filter,
		 const struct listen_wish *wish, void *context);

/* Passes the events in the buffers to wish.take. */
void listen_read(struct listen *listen);

enum listen_state {
	LISTEN_ON,
	LISTEN_LAPSED,	 /* this process was stopped and got no events for `*seconds` */
	LISTEN_DETACHED, /* this and the next two: no more events will come */
	LISTEN_REPLACED, /* another filter, or one of another version, is at the interface */
	LISTEN_DELETED,	 /* the interface was deleted */
	LISTEN_FAILED,	 /* an error, which was reported */
};

/* Call it each second: it renews the lease, and opens buffers for CPUs that were added. */
enum listen_state listen_renew(struct listen *listen, __u32 *seconds);

/* Counts the events that were lost since listen_begin. Returns 0 or -errno. */
int listen_count_lost(struct listen *listen, struct listen_lost *lost);

/* Gives the slot back. */
void listen_end(struct listen *listen);

#endif
