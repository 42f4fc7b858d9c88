// SPDX-License-Identifier: GPL-2.0
/* Unites lists of spans by a sweep over their edges. */
#include "loader/compile/spans.h"

#include <stdbool.h>
#include <stdlib.h>

#include "loader/base/memory.h"

void spans_free(struct spans *spans)
{
	free(spans->span);
	*spans = (struct spans){0};
}

static bool same_admission(const struct pc_span *a, const struct pc_span *b)
{
	return a->anyone == b->anyone && a->link_local == b->link_local && a->groups == b->groups &&
	       a->word == b->word;
}

/* Appends a span behind the others; joins it with the last where they touch and admit the same. */
static void spans_add(struct spans *spans, struct pc_span span)
{
	struct pc_span *last = spans->count ? &spans->span[spans->count - 1] : NULL;

	if (span.anyone) { /* then no group makes a difference */
		span.link_local = 0;
		span.groups = 0;
	}
	if (!span.groups) /* equal spans of all recipes are one */
		span.word = 0;

	if (!span.anyone && !span.link_local && !span.groups)
		return;
	if (last && last->last + 1 == span.first && same_admission(last, &span)) {
		last->last = span.last;
		return;
	}
	spans->span = grow(spans->span, spans->count, sizeof(*spans->span));
	spans->span[spans->count++] = span;
}

/* Counts, for each set, how many of the spans in force admit it. */
struct tally {
	__u32 anyone, link_local, group[PC_GROUPS];
	__u64 groups; /* those with a count */
};

static void tally_add(struct tally *tally, const struct pc_span *span, __u32 step)
{
	tally->anyone += span->anyone ? step : 0;
	tally->link_local += span->link_local ? step : 0;
	for (__u64 left = span->groups; left; left &= left - 1) {
		int bit = __builtin_ctzll(left);

		tally->group[bit] += step;
		if (tally->group[bit])
			tally->groups |= 1ULL << bit;
		else
			tally->groups &= ~(1ULL << bit);
	}
}

static int compare_edges(const void *a, const void *b)
{
	const struct span_edge *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

void spans_unite(struct span_edge *edge, size_t edges, struct spans *spans)
{
	__u8 word = 0; /* groups of one recipe are in one word */
	struct tally tally = {0};

	if (edges)
		qsort(edge, edges, sizeof(*edge), compare_edges);
	for (size_t i = 0; i < edges;) {
		__u32 at = edge[i].at;

		for (; i < edges && edge[i].at == at; i++) {
			tally_add(&tally, edge[i].span, edge[i].step);
			if (edge[i].span->groups)
				word = edge[i].span->word;
		}
		if (i == edges)
			break;
		spans_add(spans, (struct pc_span){
					 .first = (__u16)at,
					 .last = (__u16)(edge[i].at - 1),
					 .anyone = tally.anyone > 0,
					 .link_local = tally.link_local > 0,
					 .word = word,
					 .groups = tally.groups,
				 });
	}
}

void spans_add_edges(struct span_edge **edge, size_t *edges, const struct pc_span *span)
{
	*edge = grow(*edge, *edges, sizeof(**edge));
	(*edge)[(*edges)++] = (struct span_edge){span->first, 1, span};
	*edge = grow(*edge, *edges, sizeof(**edge));
	(*edge)[(*edges)++] = (struct span_edge){span->last + 1U, -1U, span};
}
