/* SPDX-License-Identifier: GPL-2.0 */
/* A filter: one program with its maps, as descriptors. */
#ifndef PORTCULLIS_FILTER_FILTER_H
#define PORTCULLIS_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"

/*
 * Functions of this layer report an error themselves, because they know the object, and return
 * -errno. Unless documented otherwise, a failed call leaves nothing behind and does not change its
 * outputs.
 */

/* The descriptors of a filter. */
enum filter_fd {
	FILTER_LINK, /* the XDP link */
	FILTER_PROGRAM,
	FILTER_GENERATIONS,
	FILTER_TRIES,
	FILTER_STATE, /* the map `filter` */
	FILTER_COUNTERS,
	FILTER_TOTALS,
	FILTER_CARRIES,
	FILTER_RARE,
	FILTER_DROPS,	  /* see abi_drops.h */
	FILTER_LISTENERS, /* see abi_events.h; also the next three */
	FILTER_HEARD,
	FILTER_EVENTS,
	FILTER_EXPLAINED, /* only of a filter that explains (load.h) */
	FILTER_PAST,
	FILTER_CLEARED, /* the values that `counters` subtracts (cleared.h) */
	FILTER_TALLIES, /* what counts for which machine (tally_maps.h) */
	FILTER_FLOWS,
	FILTER_CONNECTIONS,
	FILTER_STREAMS,
	FILTER_LEARNED,
	FILTER_CAME_IN,
	FILTER_MARKS, /* see abi_marks.h */
	FILTER_FRAGMENTS,
	FILTER_LARGE,
	FILTER_SHARED,
	FILTER_BANS, /* see abi_bans.h; also the next one */
	FILTER_BAN_CHUNKS,
	FILTER_GRANTS,	/* see abi_grants.h */
	FILTER_LIMITER, /* see abi_limits.h; also the next one */
	FILTER_LIMIT_CELLS,
	FILTER_EGRESS,	    /* the egress program */
	FILTER_EGRESS_LINK, /* the tcx link; none with clsact */
	FILTER_DEVICES,	    /* the program that reads pc_devices; none where marks are not used */
	FILTER_FDS,
};

enum filter_fd_flags {
	FD_HEAD = 1,	  /* every layout version has it, even one that is unknown here */
	/* one for each network namespace: a new filter shares it with the others */
	FD_NAMESPACE = 2,
	FD_KEPT = 4,	  /* a filter that takes over another one continues to use it */
	FD_OPTIONAL = 8,  /* some filters do not have it */
	FD_APART = 16,	  /* pinned before or after the others, because its pin has a meaning */
	FD_FROZEN = 32,	  /* only programs write it */
	FD_EXPLAINING = 64, /* only a filter that explains has it */
	/* a filter that explains reads it from the live one, as it does FD_NAMESPACE */
	FD_ASKED = 128,
	FD_REPLAYED = 256,  /* a filter of a replay reads it from the live one, and no others */
	FD_LENT = 512,	    /* filter_open_shared opens it, as it does FD_NAMESPACE */
};

/* Describes each descriptor. A new map needs one row here. */
extern const struct filter_descriptor {
	const char *pin;
	const char *map; /* its name in the BPF object; NULL: no map of the object */
	unsigned int flags;
} filter_descriptor[FILTER_FDS];

/* One program with its maps. */
struct filter {
	char id[20];	    /* name of its folder below PINS; empty: not pinned */
	int fd[FILTER_FDS]; /* -1: there is none */
	int emptied;	    /* the generation that filter_stop took away */
	/* The interface of the XDP hook, even before the attach; 0: none, or it was deleted. */
	unsigned int ifindex;
	struct installed {
		int generation;		    /* inner map of `generations` */
		int recipe;		    /* the map of the recipe from which it was made */
		struct pc_generation *copy; /* copy of the generation; NULL: there is none */
		/* made by generation_map: only the head is a copy, the rest is the map itself */
		bool mapped;
	} current;	     /* active: the programs use it */
	struct installed prepared; /* the next one: filter_commit makes it active */
	struct installed replaced; /* the one before filter_commit; filter_finish frees it */
	struct installed
		fallback; /* the generation that comes back if a pending change is not confirmed */
	/* was not confirmed in time; the current generation replaced it */
	struct installed reverted;
	/* places the next generation's trie; NULL: nothing to wait for */
	struct slot_update *placing;
	struct slot_update *begun;   /* places the first generation; NULL: nothing to wait for */
	__u32 program_id;
	bool frags; /* set by filter_load: the program takes frames of several buffers */
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

/* Closes and frees a generation, and marks it as absent. */
void installed_close(struct installed *installed);

void filter_close(struct filter *filter);

#endif
