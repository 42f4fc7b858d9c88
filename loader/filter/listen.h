/* SPDX-License-Identifier: GPL-2.0 */
/* Listens at a filter: gets packets with their verdicts as they happen (abi_events.h). */
#ifndef PORTCULLIS_FILTER_LISTEN_H
#define PORTCULLIS_FILTER_LISTEN_H

#include <net/if.h>
#include <stdbool.h>

#include "loader/filter/filter.h"

struct perf_buffer;

/* An event, and the captured bytes of its frame. Both are valid in the call only. */
typedef void listen_take(void *context, const struct pc_event *event, const __u8 *frame);

/* The conditions of a listener, at each of its interfaces. */
struct listen_wish {
	struct pc_listener entry; /* without `until` and `owner` */
	unsigned int buffer;	  /* bytes of a buffer, of which each CPU has one */
	int epoll;		  /* gets a descriptor of each buffer: then listen_read is due */
	listen_take *take;
};

/* Events that the program did not send. */
struct listen_lost {
	__u64 over; /* more than the rate */
	__u64 full; /* no room in a buffer */
};

/* A listener at one interface. */
struct listen {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	char id[20]; /* of the filter's folder */
	__u32 program_id;
	struct listen_wish wish;
	void *context;		       /* of wish.take */
	int events, heard, counters;   /* maps */
	int entered;		       /* `events`, as long as buffers are entered there */
	struct pc_filter *filter;      /* mapped */
	struct pc_listener *listeners; /* mapped */
	__u32 slot, until;	       /* what it has, as it wrote it */
	struct perf_buffer **buffer;   /* by CPU; NULL: the CPU is off */
	__u32 cpus;
	bool unopened;			  /* a CPU that came has no buffer */
	struct listen_lost began, before; /* at this slot; at slots that it had */
	struct listen_lost counted;	  /* when it was counted last */
};

#define LISTEN_NONE ((struct listen){.events = -1, .heard = -1, .counters = -1, .entered = -1})

/*
 * Claims a slot of the interface's filter, under the lock of pins, and opens buffers. Keeps nothing
 * of `filter` that holds it at its hook. -EBUSY if all slots are taken, or -errno, with a message.
 */
int listen_begin(struct listen *listen, const char *name, const struct filter *filter,
		 const struct listen_wish *wish, void *context);

/* Passes on what is in the buffers. */
void listen_read(struct listen *listen);

enum listen_state {
	LISTEN_ON,
	LISTEN_LAPSED,	 /* this process was stopped, and heard nothing for a time: `*seconds` */
	LISTEN_DETACHED, /* the last three: there is nothing to hear any more */
	LISTEN_REPLACED, /* another filter, or one of another version, is at the interface */
	LISTEN_DELETED,	 /* the interface */
	LISTEN_FAILED,	 /* reported */
};

/* To be called each second: renews the lease, opens buffers for CPUs that came. */
enum listen_state listen_renew(struct listen *listen, __u32 *seconds);

/* The events that were lost since listen_begin. Returns 0 or -errno. */
int listen_count_lost(struct listen *listen, struct listen_lost *lost);

/* Gives the slot back. */
void listen_end(struct listen *listen);

#endif
