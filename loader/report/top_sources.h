/* SPDX-License-Identifier: GPL-2.0 */
/* The rows of `top` for dropped sources: recorded drops by address. */
#ifndef PORTCULLIS_REPORT_TOP_SOURCES_H
#define PORTCULLIS_REPORT_TOP_SOURCES_H

#include "loader/report/top_looks.h"

/* Sorts the recorded drops by address, which top_sources needs. */
void top_sources_order(struct top_looks *looks);

/*
 * Calls `take` with a row for each address. If many addresses were seen once or are estimates, they
 * become one row: a sender that forges addresses leaves them.
 */
void top_sources(const struct top_looks *now, const struct top_looks *before,
		 void (*take)(void *context, const struct top_row *row), void *context);

/* The texts of a row; the caller frees. */
char *top_source_address(const struct top_looks *looks, const struct top_row *row);
char *top_source_ports(const struct top_looks *looks, const struct top_row *row);
char *top_source_reason(const struct top_looks *looks, const struct top_row *row);
char *top_source_last(const struct top_looks *looks, const struct top_row *row);

#endif
