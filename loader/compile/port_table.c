// SPDX-License-Identifier: GPL-2.0
/* Compiles the services of one recipe into the entry of each port, and the rules of the entries. */
#include "loader/compile/port_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/spans.h"

#define PORT_END  65536U
#define SPANS_MAX (64 * PC_SPANS) /* spans are not counted further: so many are an error anyway */

/* Where a range of ports with one admission begins, or the first port after its end. */
struct port_edge {
	__u32 at;
	__u32 admission;
	__u32 step;
};

/* The state of one recipe's compilation. */
struct compiler {
	struct port_table *table;
	const struct composition *composition;
	struct diag *diag;
	struct group_use *group; /* the groups of the recipe, each once */
	size_t groups;
	int word;		/* the word of pc_groups that has their bits */
	struct pool admissions; /* lists of spans that a service admits */
	struct pool sets;	/* bitmaps of admissions: a set is the services of a port */
	__u32 *entry;		/* the port entry of each set: PC_PORT_* */
	struct port_edge *edge; /* edges of one transport */
	size_t edges;
};

static void compiler_free(struct compiler *compiler)
{
	pool_free(&compiler->admissions);
	pool_free(&compiler->sets);
	free(compiler->group);
	free(compiler->entry);
	free(compiler->edge);
}

bool composed_compiled(const struct composed *composed, enum direction way)
{
	return composed->why == WHY_OPEN && composed->direction & way;
}

/* The groups that a service admits or reaches. */
static const struct names *parties(const struct composed *composed, enum direction way)
{
	return way == DIRECTION_IN ? &composed->from : &composed->to;
}

/* --- groups --- */

/* Finds a group; false: it is not defined. A machine's own group hides its interface's. */
static bool find_group(const struct compiler *compiler, const char *name, struct group_use *use)
{
	const struct composition *composition = compiler->composition;

	use->group = composition_group(composition, name);
	use->granted = !composition->interface || !groups_find(&composition->recipe->groups, name);
	return use->group;
}

static bool has_group(const struct compiler *compiler, const struct group_use *use)
{
	size_t i = 0;

	while (i < compiler->groups && !group_use_same(&compiler->group[i], use))
		i++;
	return i < compiler->groups;
}

/* An undefined group has no members, so it gets no bit. Link-local gets none either. */
static void add_groups(struct compiler *compiler, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		struct group_use use;

		if (!find_group(compiler, names->name[i], &use) || has_group(compiler, &use))
			continue;
		compiler->group = grow(compiler->group, compiler->groups, sizeof(*compiler->group));
		compiler->group[compiler->groups++] = use;
	}
}

/* Groups of `deny` have bits of their own, which grants do not use: a grant never denies. */
static void add_denied(struct compiler *compiler, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		struct group_use use = {
			.group = composition_group(compiler->composition, names->name[i])};

		if (!use.group || has_group(compiler, &use))
			continue;
		compiler->group = grow(compiler->group, compiler->groups, sizeof(*compiler->group));
		compiler->group[compiler->groups++] = use;
	}
}

static int number_groups(struct compiler *compiler)
{
	const struct composition *composition = compiler->composition;

	add_denied(compiler, &composition->recipe->deny);
	add_groups(compiler, &composition->recipe->never_ban);
	for (size_t i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (composed_compiled(composed, DIRECTION_IN))
			add_groups(compiler, &composed->from);
		if (composed_compiled(composed, DIRECTION_IN) && composed->limit)
			add_groups(compiler, &composed->limit->except);
		if (composed_compiled(composed, DIRECTION_OUT))
			add_groups(compiler, &composed->to);
	}
	if (compiler->groups > PC_GROUPS) {
		diag_error(
			compiler->diag, NULL,
			"the open services, deny and never-ban use %zu groups; the limit is %d, so merge some",
			compiler->groups, PC_GROUPS);
		return -EINVAL;
	}
	compiler->word =
		group_words_add(&compiler->table->words, compiler->group, compiler->groups);
	if (compiler->word >= 0)
		return 0;
	diag_error(
		compiler->diag, NULL,
		"this machine and those before it use too many groups of their own: at most %d each, and %d together; merge some, or give machines groups of the interface",
		PC_GROUPS, PC_GROUPS * PC_GROUP_WORDS);
	return -EINVAL;
}

/* --- ports --- */

/* A span over all source ports that admits these groups; with no group it admits anyone. */
static struct pc_span whole_span(const struct compiler *compiler, const struct names *groups)
{
	struct pc_span span = {
		.last = PORT_END - 1, .anyone = !groups->count, .word = (__u8)compiler->word};

	for (size_t i = 0; i < groups->count; i++) {
		const char *name = groups->name[i];
		struct group_use use;

		if (!strcmp(name, GROUP_LINK_LOCAL))
			span.link_local = 1;
		else if (find_group(compiler, name, &use))
			span.groups |= 1ULL << group_words_bit(&compiler->table->words,
							       compiler->word, &use);
	}
	return span;
}

/* --- limits --- */

/* With more packets than this all CPUs would wait for one word, so only a sample is counted. */
#define LIMIT_SAMPLE	   63
#define LIMIT_SAMPLE_FROM  (PC_SECOND / 10) /* a limit with a shorter interval is sampled */
#define LIMIT_SAMPLE_BURST 10

/* How many intervals the load of all cells may be ahead, in thousandths of an interval. */
static __u64 backlog_of(unsigned int burst)
{
	if (burst >= 20)
		return 300ULL * burst;
	return burst >= 10 ? 1500 : burst >= 5 ? 400 : burst >= 3 ? 90 : 2;
}

/* The digest of the service's name, by which the BPF programs know it over swaps. */
static __u64 service_digest(const struct composed *composed)
{
	char text[2 * (NAME_LIMIT + 9) / 8 * 8] = {};

	snprintf(text, sizeof(text), "%s:%s", composed->profile->name, composed->service->name);
	return pool_digest(0, text, sizeof(text));
}

/* The bits of the groups with these names. Sets `*link_local` if link-local is one of them. */
static __u64 group_bits(const struct compiler *compiler, const struct names *names,
			__u8 *link_local)
{
	__u64 bits = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct group_use use;

		if (!strcmp(names->name[i], GROUP_LINK_LOCAL))
			*link_local = 1;
		else if (find_group(compiler, names->name[i], &use))
			bits |= 1ULL
				<< group_words_bit(&compiler->table->words, compiler->word, &use);
	}
	return bits;
}

/* 1 + the number of a service's limit; 0: the service has no limit. */
static __u8 number_limit(struct compiler *compiler, const struct composed *composed)
{
	const struct limit *limit = composed->limit;
	struct pc_limit made = {.service = service_digest(composed), .word = (__u8)compiler->word};
	unsigned int burst, weight;
	size_t number;

	if (!limit)
		return 0;
	burst = limit_burst(limit);
	weight = limit_weight(limit);
	made.anyone = !composed->from.count;
	made.groups = group_bits(compiler, &composed->from, &made.link_local);
	made.except = group_bits(compiler, &limit->except, &made.except_link_local);
	made.interval = limit_interval(limit);
	made.tolerance = (burst - 1) * made.interval;
	made.backlog = made.interval * backlog_of(burst) / 1000;
	if (made.interval < LIMIT_SAMPLE_FROM && burst >= LIMIT_SAMPLE_BURST)
		made.sample = LIMIT_SAMPLE;
	/* The cells hold half of what the rate admits at any time, one interval in each cell. */
	made.load = made.interval * weight * (made.sample + 1ULL) / (PC_LIMIT_CELLS / 2);
	made.length[0] = (__u8)limit->ipv4;
	made.length[1] = (__u8)limit->ipv6;
	number = pool_number(&compiler->table->limits, &made, sizeof(made));
	return (__u8)(number < PC_LIMITS - 1 ? number + 1 : PC_LIMITS - 1);
}

static int write_limits(const struct port_table *table, struct pc_generation *generation,
			struct diag *diag)
{
	size_t limits = table->limits.count, sets = table->sets.count;

	if (limits >= PC_LIMITS || sets >= PC_LIMITS) {
		diag_error(
			diag, NULL,
			"%zu services have a limit, in %zu ways in which ports share them; at most %d are possible",
			limits, sets, PC_LIMITS - 1);
		return -EINVAL;
	}
	if (limits)
		memcpy(generation->limit, table->limits.bytes, table->limits.used);
	if (sets)
		memcpy(generation->limit_set, table->sets.bytes, table->sets.used);
	for (size_t i = 0; i < sets; i++) {
		struct pc_limit_set *set = &generation->limit_set[i];

		set->asks = set->free || set->free_link_local;
		for (size_t j = 0; j < PC_LIMITS_OF_SPAN && set->limit[j]; j++) {
			const struct pc_limit *limit = &generation->limit[set->limit[j] - 1];

			set->asks |= !limit->anyone || limit->except || limit->except_link_local;
			set->word = limit->word;
		}
	}
	generation->limits = (__u32)sets;
	return 0;
}

/*
 * The number of a service's admission: its groups, over each range of its source ports. `out` has
 * no source ports, because from-port belongs to `in`.
 */
static __u32 number_admission(struct compiler *compiler, const struct composed *composed,
			      enum direction way, enum pc_transport transport)
{
	struct pc_span whole = whole_span(compiler, parties(composed, way));
	size_t ranges = way == DIRECTION_IN ? composed->from_port.count : 0;
	__cleanup(spans_free) struct spans spans = {0};
	__cleanup(text_free) struct pc_span *part = xcalloc(ranges, sizeof(*part));
	__cleanup(text_free) struct span_edge *edge = NULL;
	size_t edges = 0;

	if (way == DIRECTION_IN)
		whole.limit = number_limit(compiler, composed);
	if (!ranges)
		spans_add_edges(&edge, &edges, &whole);
	for (size_t i = 0; i < ranges; i++) {
		const struct port_range *range = &composed->from_port.range[i];

		if (!(range->transports & 1 << transport))
			continue;
		part[i] = whole;
		part[i].first = range->first;
		part[i].last = range->last;
		spans_add_edges(&edge, &edges, &part[i]);
	}
	spans_unite(edge, edges, NULL, &spans);
	return (__u32)pool_number(&compiler->admissions, spans.span,
				  spans.count * sizeof(*spans.span));
}

static void add_port_edge(struct compiler *compiler, __u32 at, __u32 admission, __u32 step)
{
	compiler->edge = grow(compiler->edge, compiler->edges, sizeof(*compiler->edge));
	compiler->edge[compiler->edges++] = (struct port_edge){at, admission, step};
}

static void add_service(struct compiler *compiler, const struct composed *composed,
			enum direction way, enum pc_transport transport)
{
	__u32 admission = 0;
	bool numbered = false;

	for (size_t i = 0; i < composed->ports.count; i++) {
		const struct port_range *range = &composed->ports.range[i];

		if (!(range->transports & 1 << transport))
			continue;
		if (!numbered)
			admission = number_admission(compiler, composed, way, transport);
		numbered = true;
		add_port_edge(compiler, range->first, admission, 1);
		add_port_edge(compiler, range->last + 1U, admission, -1U);
	}
}

/* Adds the edges of one admission, or returns that the admission alone opens the port. */
static bool add_admission(const struct compiler *compiler, size_t number, struct span_edge **edge,
			  size_t *edges)
{
	const struct pool_item *item = &compiler->admissions.item[number];
	const struct pc_span *span = (const void *)(compiler->admissions.bytes + item->offset);
	size_t spans = item->length / sizeof(*span);

	if (spans && span->anyone && !span->limit && span->first == 0 && span->last == PORT_END - 1)
		return true;
	for (size_t i = 0; i < spans; i++)
		spans_add_edges(edge, edges, &span[i]);
	return false;
}

/* The port entry for a set of admissions, given as a bitmap. */
static int make_entry(struct compiler *compiler, const __u64 *set, size_t words, __u32 port,
		      __u32 *entry)
{
	__cleanup(spans_free) struct spans spans = {0};
	__cleanup(text_free) struct span_edge *edge = NULL;
	size_t edges = 0;

	for (size_t i = 0; i < words; i++) {
		for (__u64 left = set[i]; left; left &= left - 1) {
			size_t number = 64 * i + (size_t)__builtin_ctzll(left);

			if (!add_admission(compiler, number, &edge, &edges))
				continue;
			*entry = PC_PORT_OPEN;
			return 0;
		}
	}
	if (spans_unite(edge, edges, &compiler->table->sets, &spans)) {
		diag_error(
			compiler->diag, NULL,
			"port %u: more than %d services with a limit share it; leave some limits out",
			port, PC_LIMITS_OF_SPAN);
		return -EINVAL;
	}
	*entry = PC_PORT_CLOSED;
	if (!spans.count)
		return 0;
	if (spans.span->anyone && !spans.span->limit && !spans.span->first &&
	    spans.span->last == PORT_END - 1) {
		*entry = PC_PORT_OPEN;
		return 0;
	}
	if (spans.count > PC_SPANS_OF_RULE) {
		diag_error(
			compiler->diag, NULL,
			"port %u: its services tell %zu ranges of source ports apart; the limit is %d",
			port, spans.count, PC_SPANS_OF_RULE);
		return -EINVAL;
	}
	*entry = PC_PORT_RULE + (__u32)pool_number(&compiler->table->rules, spans.span,
						   spans.count * sizeof(*spans.span));
	for (size_t i = 0; i < spans.count; i++)
		if (spans.span[i].limit)
			*entry |= PC_PORT_LIMITED;
	return 0;
}

/* As make_entry, but makes the entry of each set only once. */
static int find_entry(struct compiler *compiler, const __u64 *set, size_t words, __u32 port,
		      __u32 *entry)
{
	size_t known = compiler->sets.count;
	size_t number = pool_number(&compiler->sets, set, words * sizeof(*set));

	if (number == known) {
		compiler->entry = grow(compiler->entry, number, sizeof(*compiler->entry));
		if (make_entry(compiler, set, words, port, &compiler->entry[number]))
			return -EINVAL;
	}
	*entry = compiler->entry[number];
	return 0;
}

static int compare_port_edges(const void *a, const void *b)
{
	const struct port_edge *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* Walks the ports from edge to edge: between two edges all ports have the same entry. */
static int sweep(struct compiler *compiler, enum pc_transport transport, __u32 *port)
{
	size_t words = (compiler->admissions.count + 63) / 64;
	__cleanup(text_free) __u64 *set = xcalloc(words, sizeof(*set));
	__cleanup(text_free) __u32 *count = xcalloc(64 * words, sizeof(*count));
	const struct port_edge *edge = compiler->edge;
	__u32 entry;

	qsort(compiler->edge, compiler->edges, sizeof(*edge), compare_port_edges);
	for (size_t i = 0; i < compiler->edges;) {
		__u32 at = edge[i].at;

		for (; i < compiler->edges && edge[i].at == at; i++) {
			__u32 number = edge[i].admission;

			count[number] += edge[i].step;
			if (count[number])
				set[number / 64] |= 1ULL << number % 64;
			else
				set[number / 64] &= ~(1ULL << number % 64);
		}
		if (i == compiler->edges)
			break;
		if (find_entry(compiler, set, words, at, &entry))
			return -EINVAL;
		for (; at < edge[i].at; at++)
			port[PC_PORT(transport, at)] = entry;
		if (compiler->table->rules.used / sizeof(struct pc_span) > SPANS_MAX)
			break;
	}
	return 0;
}

static int compile_ports(struct compiler *compiler, enum direction way, __u32 *port)
{
	const struct composition *composition = compiler->composition;

	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		compiler->edges = 0;
		for (size_t i = 0; i < composition->services; i++) {
			if (composed_compiled(&composition->service[i], way))
				add_service(compiler, &composition->service[i], way,
					    (enum pc_transport)transport);
		}
		if (compiler->edges && sweep(compiler, (enum pc_transport)transport, port))
			return -EINVAL;
	}
	return 0;
}

int port_table_compile(struct port_table *table, const struct composition *composition,
		       struct diag *diag)
{
	__cleanup(compiler_free) struct compiler compiler = {
		.table = table, .composition = composition, .diag = diag};

	if (number_groups(&compiler) || compile_ports(&compiler, DIRECTION_IN, table->in) ||
	    compile_ports(&compiler, DIRECTION_OUT, table->out))
		return -EINVAL;
	return 0;
}

__u64 port_table_groups(const struct port_table *table, const struct composition *composition,
			const struct names *names, bool granted)
{
	__u64 bits = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct group_use use = {
			.group = composition_group(composition, names->name[i]),
			.granted = granted};

		if (use.group)
			bits |= 1ULL << group_words_bit(&table->words, 0, &use);
	}
	return bits;
}

int port_table_write_rules(const struct port_table *table, struct pc_generation *generation,
			   struct diag *diag)
{
	const struct pool *rules = &table->rules;
	size_t spans = rules->used / sizeof(struct pc_span);

	if (rules->count > PC_RULES)
		diag_error(diag, NULL, "the ports need %zu different rules; the limit is %d",
			   rules->count, PC_RULES);
	if (spans > PC_SPANS)
		diag_error(diag, NULL,
			   "the rules need %zu%s ranges of source ports; the limit is %d", spans,
			   spans > SPANS_MAX ? " or more" : "", PC_SPANS);
	if (rules->count > PC_RULES || spans > PC_SPANS)
		return -EINVAL;
	for (size_t i = 0; i < rules->count; i++)
		generation->rule[i] = (struct pc_rule){
			.span = (__u32)(rules->item[i].offset / sizeof(struct pc_span)),
			.spans = (__u32)(rules->item[i].length / sizeof(struct pc_span)),
		};
	if (rules->used)
		memcpy(generation->span, rules->bytes, rules->used);
	return write_limits(table, generation, diag);
}

void port_table_free(struct port_table **pointer)
{
	pool_free(&(*pointer)->rules);
	pool_free(&(*pointer)->limits);
	pool_free(&(*pointer)->sets);
	free(*pointer);
}
