/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of spans of source ports, for a service or a port. Each span has the sources that it
 * admits.
 */
#ifndef PORTCULLIS_COMPILE_SPANS_H
#define PORTCULLIS_COMPILE_SPANS_H

#include <stddef.h>

#include "bpf/abi.h"
#include "loader/base/pool.h"

/* Sorted, disjoint; each span admits at least one source. */
struct spans {
	struct pc_span *span;
	size_t count;
};

/* The start (step 1) or end (step -1) of a span. The span is borrowed. */
struct span_edge {
	__u32 at;
	__u32 step;
	const struct pc_span *span;
};

/* Appends both edges of a span to an array, NULL at first; the caller frees it. */
void spans_add_edges(struct span_edge **edge, size_t *edges, const struct pc_span *span);

/*
 * Fills `spans`, empty before, with the union of lists of spans, given as all their edges (sorted
 * here). In the lists, `limit` is 1 + the number of a limit; in the union it is 1 + the number of a
 * struct pc_limit_set in `sets`, which has the limits of the span. Without `sets` all lists must
 * have the same limit; the union has it, too. -E2BIG: a span has more than PC_LIMITS_OF_SPAN
 * limits.
 */
int spans_unite(struct span_edge *edge, size_t edges, struct pool *sets, struct spans *spans);
void spans_free(struct spans *spans);

#endif
