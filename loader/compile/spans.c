// SPDX-License-Identifier: GPL-2.0
/* Unites lists of spans by a sweep over their edges. */
#include "loader/compile/spans.h"

#include <errno.h>
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
	       a->word == b->word && a->limit == b->limit;
}

/* Appends a span; joins it with the last span if they touch and admit the same. */
static void spans_add(struct spans *spans, struct pc_span span)
{
	struct pc_span *last = spans->count ? &spans->span[spans->count - 1] : NULL;

	/* Where anyone is admitted, groups matter only to a limit: a grant lifts it. */
	if (span.anyone) {
		span.link_local = 0;
		span.groups = span.limit ? span.groups : 0;
	}
	if (!span.groups) /* equal spans of all recipes must have the same number */
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

/* Counts, for each set of sources, how many of the spans at this port admit it. */
struct tally {
	__u32 anyone, link_local, group[PC_GROUPS];
	__u64 groups; /* groups with a count */
};

/* Tallies of all spans, and of those without a limit; and how many spans have which limit. */
struct tallies_of_spans {
	struct tally all, free;
	__u32 limit[PC_LIMITS];
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

static void tallies_add(struct tallies_of_spans *tallies, const struct pc_span *span, __u32 step)
{
	tally_add(&tallies->all, span, step);
	tallies->limit[span->limit] += step;
	if (!span->limit)
		tally_add(&tallies->free, span, step);
}

/*
 * Sets `*limit` (pc_span.limit) to the number of the set of limits of the spans at this port. If a
 * span admits anyone without a limit, there is no limit.
 */
static int number_limits(const struct tallies_of_spans *tallies, struct pool *sets, __u8 *limit)
{
	struct pc_limit_set set = {.free = tallies->free.groups,
				   .free_link_local = tallies->free.link_local > 0};
	size_t count = 0, number;

	*limit = 0;
	for (size_t i = 1; i < PC_LIMITS && !tallies->free.anyone; i++) {
		if (!tallies->limit[i])
			continue;
		if (count == PC_LIMITS_OF_SPAN)
			return -E2BIG;
		set.limit[count++] = (__u8)i;
	}
	if (!count)
		return 0;
	if (!sets) {
		*limit = set.limit[0];
		return 0;
	}
	number = pool_number(sets, &set, sizeof(set));
	*limit = (__u8)(number < PC_LIMITS - 1 ? number + 1 : PC_LIMITS - 1);
	return 0;
}

static int compare_edges(const void *a, const void *b)
{
	const struct span_edge *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

int spans_unite(struct span_edge *edge, size_t edges, struct pool *sets, struct spans *spans)
{
	__u8 word = 0; /* all groups of one recipe are in one word */
	struct tallies_of_spans tallies = {0};
	const struct tally *tally = &tallies.all;
	__u8 limit;

	if (edges)
		qsort(edge, edges, sizeof(*edge), compare_edges);
	for (size_t i = 0; i < edges;) {
		__u32 at = edge[i].at;

		for (; i < edges && edge[i].at == at; i++) {
			tallies_add(&tallies, edge[i].span, edge[i].step);
			if (edge[i].span->groups)
				word = edge[i].span->word;
		}
		if (i == edges)
			break;
		if (number_limits(&tallies, sets, &limit))
			return -E2BIG;
		spans_add(spans, (struct pc_span){
					 .first = (__u16)at,
					 .last = (__u16)(edge[i].at - 1),
					 .anyone = tally->anyone > 0,
					 .link_local = tally->link_local > 0,
					 .limit = limit,
					 .word = word,
					 .groups = tally->groups,
				 });
	}
	return 0;
}

void spans_add_edges(struct span_edge **edge, size_t *edges, const struct pc_span *span)
{
	*edge = grow(*edge, *edges, sizeof(**edge));
	(*edge)[(*edges)++] = (struct span_edge){span->first, 1, span};
	*edge = grow(*edge, *edges, sizeof(**edge));
	(*edge)[(*edges)++] = (struct span_edge){span->last + 1U, -1U, span};
}
