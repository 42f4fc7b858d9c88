/* SPDX-License-Identifier: GPL-2.0 */
/* The state of the filters that `top` read at one time, and the kinds of its rows. */
#ifndef PORTCULLIS_REPORT_TOP_LOOKS_H
#define PORTCULLIS_REPORT_TOP_LOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/base/names.h"
#include "loader/report/counters.h"
#include "loader/report/drops.h"
#include "loader/report/top_listing.h"
#include "loader/report/top_machines.h"

/* One interface's filter at one time. Owns all its members. */
struct top_look {
	char *interface;
	__u64 generation, made_at; /* made_at distinguishes generations with the same number */
	__u64 began;		   /* wall clock in ns at which counting began */
	__u64 deadline;		   /* clock_boot ns; 0: no change is pending */
	bool observe;
	bool reverted; /* the last change was not confirmed in time */
	struct counters *counters;
	struct top_listing *listing;
	struct top_machines *behind; /* NULL: no machines */
	struct names
		machines; /* the machine of a drop is 1 + its index in these names; 0: this host */
};

/* All interfaces that are shown. */
struct top_looks {
	struct top_look *look;
	size_t count;
	struct drops drops;	     /* `filter` is an index of `look` (top_sources_order) */
	__u64 wall, monotonic, boot; /* time in ns at which the counters were read */
};

void top_looks_free(struct top_looks *looks);

/* The index of an interface among the looks; looks->count: it is not among them. */
size_t top_look_index(const struct top_looks *looks, const char *interface);

enum top_kind {
	TOP_SERVICE,  /* `at`: index in the listing */
	TOP_UNLISTED, /* `at`: PC_PORT */
	TOP_OTHER,    /* `at`: enum pc_other */
	TOP_REASON,   /* `at`: enum pc_reason */
	TOP_SOURCE,   /* `at`: index in the look's drops */
	TOP_MACHINE,  /* `at`: index in `behind` */
};

/* The counts of one row. */
struct top_row {
	__u32 look; /* index of its look */
	enum top_kind kind;
	bool out;
	__u32 at;
	/* totals since counting began; refused: drop and would-drop */
	struct count passed, refused;
	double packets, bits, drops;  /* rates a second since the look before; -1: unknown */
	/* Of TOP_SOURCE: how many addresses were added up, and what all have in common
	 * (DROPS_ONE_*). */
	__u32 sources;
	__u8 same;
};

#endif
