/* SPDX-License-Identifier: GPL-2.0 */
/* The state of the filters that `top` read at one time, and what a row of it is. */
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

/* One interface's filter at one time. All owned. */
struct top_look {
	char *interface;
	__u64 generation, made_at; /* made_at tells generations of one number apart */
	__u64 began;		   /* wall ns: the counters count from here */
	__u64 deadline;		   /* clock_boot ns; 0: nothing waits to be confirmed */
	bool observe;
	bool reverted; /* the last change was not confirmed in time */
	struct counters *counters;
	struct top_listing *listing;
	struct top_machines *behind; /* NULL: no machines */
	struct names
		machines; /* a machine of the drops is 1 + its place among these; 0: this host */
};

/* All interfaces that are shown. */
struct top_looks {
	struct top_look *look;
	size_t count;
	struct drops drops;	     /* `filter` is a place in `look` (top_sources_order) */
	__u64 wall, monotonic, boot; /* ns: when the counters were read */
};

void top_looks_free(struct top_looks *looks);

/* The place of an interface among the looks; looks->count: it is not there. */
size_t top_look_index(const struct top_looks *looks, const char *interface);

enum top_kind {
	TOP_SERVICE,  /* `at`: its place in the listing */
	TOP_UNLISTED, /* `at`: PC_PORT */
	TOP_OTHER,    /* `at`: enum pc_other */
	TOP_REASON,   /* `at`: enum pc_reason */
	TOP_SOURCE,   /* `at`: its place in the looks' drops */
	TOP_MACHINE,  /* `at`: its place among those of `behind` */
};

/* The counts under one name. */
struct top_row {
	__u32 look; /* its place among the looks */
	enum top_kind kind;
	bool out;
	__u32 at;
	struct count passed, refused; /* since counting began; refused: drop and would-drop */
	double packets, bits, drops;  /* a second, since the look before; -1: not known */
	/* Of TOP_SOURCE: how many addresses were added up, and what all have in common
	 * (DROPS_ONE_*). */
	__u32 sources;
	__u8 same;
};

#endif
