/* SPDX-License-Identifier: GPL-2.0 */
/* The rows of `top`: rates between two readings of the counters, and their order. */
#ifndef PORTCULLIS_REPORT_TOP_MODEL_H
#define PORTCULLIS_REPORT_TOP_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "loader/report/top_looks.h"

/*
 * Gives each look its listing and its machines: the ones of the same generation in `before`, which
 * loses them, else new ones. `profiles` returns the profiles of look `at`, which top_listings
 * releases, and sets `behind` of the look.
 */
void top_listings(struct top_looks *looks, struct top_looks *before,
		  json_t *(*profiles)(void *context, size_t at, struct top_machines **behind),
		  void *context);

enum top_panel {
	TOP_SERVICES,
	TOP_REASONS,
	TOP_SOURCES,
	TOP_PANELS,
};

enum top_sort {
	TOP_BY_PACKETS, /* a second */
	TOP_BY_BITS,	/* a second */
	TOP_BY_TOTAL,	/* packets since counting began */
	TOP_SORTS,
};
extern const char *const top_sort_name[TOP_SORTS];

/* The first rows of a panel in their order; a flood to all ports leaves 131,072 rows. */
#define TOP_ROWS_MOST 1000
struct top_rows {
	struct top_row *row;
	size_t count;
	size_t left_out;
};

/*
 * Makes the rows of a panel, sorted by `sort`. `before` may be empty, or lack an interface: then
 * rates are unknown. The caller frees `rows->row`.
 */
void top_rows(const struct top_looks *now, const struct top_looks *before, enum top_panel panel,
	      enum top_sort sort, struct top_rows *rows);

/* Counts all packets of an interface in one direction. */
void top_total(const struct top_looks *now, const struct top_looks *before, size_t look, bool out,
	       struct top_row *row);

/* The ports of a row ("60000-60099/udp", "80/tcp, 443/tcp", ""), and its name. The caller frees. */
char *top_row_ports(const struct top_looks *looks, const struct top_row *row);
char *top_row_name(const struct top_looks *looks, const struct top_row *row);

#endif
