/* SPDX-License-Identifier: GPL-2.0 */
/* A filter: one program with its maps, as descriptors. */
#ifndef PORTCULLIS_FILTER_FILTER_H
#define PORTCULLIS_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"

/*
 * Functions of this layer report an error themselves, where the object is known, and return -errno.
 * On failure they leave nothing behind and outputs untouched, unless documented otherwise.
 */

/* The descriptors of a filter. */
enum filter_fd {
	FILTER_LINK, /* of XDP */
	FILTER_PROGRAM,
	FILTER_GENERATIONS,
	FILTER_TRIES,
	FILTER_STATE, /* the map `filter` */
	FILTER_COUNTERS,
	FILTER_TOTALS,
	FILTER_CARRIES,
	FILTER_RARE,
	FILTER_DROPS,	  /* abi_drops.h */
	FILTER_LISTENERS, /* abi_events.h, as the next three */
	FILTER_HEARD,
	FILTER_EVENTS,
	FILTER_EXPLAINED, /* of a filter that only explains (load.h) */
	FILTER_PAST,
	FILTER_CLEARED, /* what `counters` begins from (cleared.h) */
	FILTER_TALLIES, /* what is counted of machines (tally_maps.h) */
	FILTER_FLOWS,
	FILTER_CONNECTIONS,
	FILTER_STREAMS,
	FILTER_LEARNED,
	FILTER_CAME_IN,
	FILTER_MARKS, /* abi_marks.h */
	FILTER_FRAGMENTS,
	FILTER_LARGE,
	FILTER_SHARED,
	FILTER_BANS, /* abi_bans.h, as the next one */
	FILTER_BAN_CHUNKS,
	FILTER_GRANTS,	/* abi_grants.h */
	FILTER_LIMITER, /* abi_limits.h, as the next one */
	FILTER_LIMIT_CELLS,
	FILTER_EGRESS,	    /* the egress program */
	FILTER_EGRESS_LINK, /* of a tcx hook; none with clsact */
	FILTER_DEVICES,	    /* the program that tells pc_devices; none where marks are not used */
	FILTER_FDS,
};

enum filter_fd_flags {
	FD_HEAD = 1,	  /* every layout has it, also one that this version does not know */
	FD_NAMESPACE = 2, /* one a network namespace: a new filter shares it with the others */
	FD_KEPT = 4,	  /* a filter that takes another one over uses it again */
	FD_OPTIONAL = 8,  /* not every filter has it */
	FD_APART = 16,	  /* is pinned before or after the others, because its pin has a meaning */
	FD_FROZEN = 32,	  /* only programs write it */
	FD_EXPLAINING = 64, /* a filter that only explains has it, and no other */
	FD_ASKED = 128,	    /* such a filter reads it, as it does those of FD_NAMESPACE */
	FD_REPLAYED = 256,  /* a filter of a replay reads it, and no other one's */
};

/* Describes each descriptor: a new map is a row. */
extern const struct filter_descriptor {
	const char *pin;
	const char *map; /* its name in the BPF object; NULL: no map of that */
	unsigned int flags;
} filter_descriptor[FILTER_FDS];

/* One program with its maps. */
struct filter {
	char id[20];	    /* name of its folder below PINS; empty: not pinned */
	int fd[FILTER_FDS]; /* -1 where there is none */
	int emptied;	    /* the generation that filter_stop took away */
	/* The interface of the XDP hook, also before it is attached; 0: none, or it was deleted. */
	unsigned int ifindex;
	struct installed {
		int generation;		    /* inner map of `generations` */
		int recipe;		    /* the recipe it was made from */
		struct pc_generation *copy; /* of the generation, NULL if there is none */
		bool mapped; /* the copy is by generation_map: behind its head it is the map */
	} current;	     /* active: the programs use it */
	struct installed prepared; /* the next one: filter_commit makes it active */
	struct installed replaced; /* the one before filter_commit; filter_finish frees it */
	struct installed
		fallback; /* the generation that comes back if a pending change is not confirmed */
	struct installed reverted; /* was not confirmed in time, and gave way to the current one */
	struct slot_update *placing; /* of the next generation's trie, NULL: none under way */
	struct slot_update *begun;   /* of the first generation, likewise */
	__u32 program_id;
	bool frags; /* after filter_load: it takes frames of several buffers */
};

#define INSTALLED_NONE ((struct installed){-1, -1, NULL, false})

#define FILTER_NONE                                           \
	((struct filter){.fd = {[0 ... FILTER_FDS - 1] = -1}, \
			 .emptied = -1,                       \
			 .current = {-1, -1, NULL, false},    \
			 .prepared = {-1, -1, NULL, false},   \
			 .replaced = {-1, -1, NULL, false},   \
			 .fallback = {-1, -1, NULL, false},   \
			 .reverted = {-1, -1, NULL, false}})

/* Closes and frees a generation; leaves it as one that is not there. */
void installed_close(struct installed *installed);

void filter_close(struct filter *filter);

#endif
