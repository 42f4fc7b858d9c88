// SPDX-License-Identifier: GPL-2.0
/* Compiles a composition into the port table, its rules, and the prefixes of the groups. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/compile.h"

#define PORT_END  65536U
#define SPANS_MAX (64 * PC_SPANS) /* counting stops here: it is an error long since */

/* --- equal byte strings, numbered in order of first sight; lengths are multiples of 8 --- */

struct pool_item {
	size_t offset, length;
	__u64 hash;
};

struct pool {
	unsigned char *bytes; /* of all items, one behind the other */
	size_t used, room;
	struct pool_item *item;
	size_t count;
	__u32 *slot; /* open addressing: number of an item + 1, or 0 */
	size_t slots;
};

static void pool_free(struct pool *pool)
{
	free(pool->bytes);
	free(pool->item);
	free(pool->slot);
}

/* One step is a bijection of the state for a given word, so words in one place never collide. */
static __u64 digest(__u64 state, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	__u64 word;

	for (size_t i = 0; i < length; i += sizeof(word)) {
		memcpy(&word, at + i, sizeof(word));
		state = (state ^ word) * 0x9e3779b97f4a7c15ULL;
		state ^= state >> 32;
	}
	return state;
}

static __u32 *pool_slot(struct pool *pool, __u64 hash, const void *bytes, size_t length)
{
	for (size_t i = hash & (pool->slots - 1);; i = (i + 1) & (pool->slots - 1)) {
		const struct pool_item *item;

		if (!pool->slot[i])
			return &pool->slot[i];
		item = &pool->item[pool->slot[i] - 1];
		if (item->hash == hash && item->length == length &&
		    (!length || !memcmp(pool->bytes + item->offset, bytes, length)))
			return &pool->slot[i];
	}
}

static void pool_grow(struct pool *pool)
{
	pool->slots = pool->slots ? 2 * pool->slots : 64;
	free(pool->slot);
	pool->slot = xcalloc(pool->slots, sizeof(*pool->slot));
	for (size_t i = 0; i < pool->count; i++) {
		const struct pool_item *item = &pool->item[i];

		*pool_slot(pool, item->hash, pool->bytes + item->offset, item->length) =
			(__u32)i + 1;
	}
}

static size_t pool_number(struct pool *pool, const void *bytes, size_t length)
{
	__u64 hash = digest(length, bytes, length);
	__u32 *slot;

	if (2 * (pool->count + 1) > pool->slots)
		pool_grow(pool);
	slot = pool_slot(pool, hash, bytes, length);
	if (*slot)
		return *slot - 1;
	if (pool->used + length >= pool->room) { /* so that `bytes` is never NULL */
		pool->room = 2 * (pool->used + length) + 64;
		pool->bytes = xrealloc(pool->bytes, pool->room, 1);
	}
	if (length) /* an empty list has no bytes to copy from */
		memcpy(pool->bytes + pool->used, bytes, length);
	pool->item = grow(pool->item, pool->count, sizeof(*pool->item));
	pool->item[pool->count++] = (struct pool_item){pool->used, length, hash};
	pool->used += length;
	*slot = (__u32)pool->count;
	return pool->count - 1;
}

/* --- lists of spans: sorted, disjoint, without spans that admit nobody --- */

struct spans {
	struct pc_span *span;
	size_t count;
};

static void spans_free(struct spans *spans)
{
	free(spans->span);
	*spans = (struct spans){0};
}

static bool same_admission(const struct pc_span *a, const struct pc_span *b)
{
	return a->anyone == b->anyone && a->link_local == b->link_local && a->groups == b->groups;
}

/* Appends a span behind the others; joins it with the last where they touch and admit the same. */
static void spans_add(struct spans *spans, struct pc_span span)
{
	struct pc_span *last = spans->count ? &spans->span[spans->count - 1] : NULL;

	if (span.anyone) { /* what else is admitted makes no difference then */
		span.link_local = 0;
		span.groups = 0;
	}
	if (!span.anyone && !span.link_local && !span.groups)
		return;
	if (last && last->last + 1 == span.first && same_admission(last, &span)) {
		last->last = span.last;
		return;
	}
	spans->span = grow(spans->span, spans->count, sizeof(*spans->span));
	spans->span[spans->count++] = span;
}

/* How many of the spans in force admit whom. */
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

/* Where a span begins (step 1) or has ended (step -1). */
struct edge {
	__u32 at;
	__u32 step;
	const struct pc_span *span;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The union of lists of spans, given as the edges of them all. */
static void spans_unite(struct edge *edge, size_t edges, struct spans *spans)
{
	struct tally tally = {0};

	if (edges)
		qsort(edge, edges, sizeof(*edge), compare_edges);
	for (size_t i = 0; i < edges;) {
		__u32 at = edge[i].at;

		for (; i < edges && edge[i].at == at; i++)
			tally_add(&tally, edge[i].span, edge[i].step);
		if (i == edges)
			break;
		spans_add(spans, (struct pc_span){
					 .first = (__u16)at,
					 .last = (__u16)(edge[i].at - 1),
					 .anyone = tally.anyone > 0,
					 .link_local = tally.link_local > 0,
					 .groups = tally.groups,
				 });
	}
}

static void add_edges(struct edge **edge, size_t *edges, const struct pc_span *span)
{
	*edge = grow(*edge, *edges, sizeof(**edge));
	(*edge)[(*edges)++] = (struct edge){span->first, 1, span};
	*edge = grow(*edge, *edges, sizeof(**edge));
	(*edge)[(*edges)++] = (struct edge){span->last + 1U, -1U, span};
}

/* --- the state of one compilation --- */

/* Where a range of ports with one admission begins or has ended. */
struct port_edge {
	__u32 at;
	__u32 admission;
	__u32 step;
};

struct compiler {
	const struct composition *composition;
	struct diag *diag;
	const struct group **group; /* group of each bit */
	size_t groups;
	struct pool admissions; /* lists of spans: whom a service admits */
	struct pool sets;	/* bitmaps of admissions: the services of a port */
	struct pool rules;	/* lists of spans: whom a port admits */
	__u32 *entry;		/* of each set: PC_PORT_* */
	struct port_edge *edge; /* of one transport */
	size_t edges;
	__u32 port[PC_PORTS];
};

static void compiler_free(struct compiler **pointer)
{
	struct compiler *compiler = *pointer;

	pool_free(&compiler->admissions);
	pool_free(&compiler->sets);
	pool_free(&compiler->rules);
	free(compiler->group);
	free(compiler->entry);
	free(compiler->edge);
	free(compiler);
}

static bool is_compiled(const struct composed *composed)
{
	return composed->why == WHY_OPEN && composed->direction & DIRECTION_IN;
}

/* --- groups --- */

static size_t group_bit(const struct compiler *compiler, const struct group *group)
{
	size_t bit = 0;

	while (bit < compiler->groups && compiler->group[bit] != group)
		bit++;
	return bit;
}

/* Only defined groups count: of the others nobody is a member. link-local needs no bit. */
static int number_groups(struct compiler *compiler)
{
	const struct composition *composition = compiler->composition;

	for (size_t i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		for (size_t j = 0; is_compiled(composed) && j < composed->from.count; j++) {
			const struct group *group =
				groups_find(&composition->recipe->groups, composed->from.name[j]);

			if (!group || group_bit(compiler, group) < compiler->groups)
				continue;
			compiler->group = grow(compiler->group, compiler->groups,
					       sizeof(const struct group *));
			compiler->group[compiler->groups++] = group;
		}
	}
	if (compiler->groups <= PC_GROUPS)
		return 0;
	diag_error(compiler->diag, NULL,
		   "the open services are restricted to %zu groups; the limit is %d",
		   compiler->groups, PC_GROUPS);
	return -EINVAL;
}

/* --- ports --- */

/* Whom a service admits, as a span over all source ports. */
static struct pc_span whole_span(const struct compiler *compiler, const struct composed *composed)
{
	struct pc_span span = {.last = PORT_END - 1, .anyone = !composed->from.count};

	for (size_t i = 0; i < composed->from.count; i++) {
		const char *name = composed->from.name[i];
		const struct group *group =
			groups_find(&compiler->composition->recipe->groups, name);

		if (!strcmp(name, GROUP_LINK_LOCAL))
			span.link_local = 1;
		else if (group)
			span.groups |= 1ULL << group_bit(compiler, group);
	}
	return span;
}

/* The number of the admission: the same span of groups over each range of source ports. */
static __u32 number_admission(struct compiler *compiler, const struct composed *composed,
			      enum pc_transport transport)
{
	struct pc_span whole = whole_span(compiler, composed);
	__cleanup(spans_free) struct spans spans = {0};
	__cleanup(text_free) struct pc_span *part =
		xcalloc(composed->from_port.count, sizeof(*part));
	__cleanup(text_free) struct edge *edge = NULL;
	size_t edges = 0;

	if (!composed->from_port.count)
		add_edges(&edge, &edges, &whole);
	for (size_t i = 0; i < composed->from_port.count; i++) {
		const struct port_range *range = &composed->from_port.range[i];

		if (!(range->transports & 1 << transport))
			continue;
		part[i] = whole;
		part[i].first = range->first;
		part[i].last = range->last;
		add_edges(&edge, &edges, &part[i]);
	}
	spans_unite(edge, edges, &spans);
	return (__u32)pool_number(&compiler->admissions, spans.span,
				  spans.count * sizeof(*spans.span));
}

static void add_port_edge(struct compiler *compiler, __u32 at, __u32 admission, __u32 step)
{
	compiler->edge = grow(compiler->edge, compiler->edges, sizeof(*compiler->edge));
	compiler->edge[compiler->edges++] = (struct port_edge){at, admission, step};
}

static void add_service(struct compiler *compiler, const struct composed *composed,
			enum pc_transport transport)
{
	__u32 admission = 0;
	bool numbered = false;

	for (size_t i = 0; i < composed->ports.count; i++) {
		const struct port_range *range = &composed->ports.range[i];

		if (!(range->transports & 1 << transport))
			continue;
		if (!numbered)
			admission = number_admission(compiler, composed, transport);
		numbered = true;
		add_port_edge(compiler, range->first, admission, 1);
		add_port_edge(compiler, range->last + 1U, admission, -1U);
	}
}

/* Adds the edges of one admission, or says that it opens the port by itself. */
static bool add_admission(const struct compiler *compiler, size_t number, struct edge **edge,
			  size_t *edges)
{
	const struct pool_item *item = &compiler->admissions.item[number];
	const struct pc_span *span = (const void *)(compiler->admissions.bytes + item->offset);
	size_t spans = item->length / sizeof(*span);

	if (spans && span->anyone && span->first == 0 && span->last == PORT_END - 1)
		return true;
	for (size_t i = 0; i < spans; i++)
		add_edges(edge, edges, &span[i]);
	return false;
}

/* The port entry for a set of admissions, given as a bitmap. */
static int make_entry(struct compiler *compiler, const __u64 *set, size_t words, __u32 port,
		      __u32 *entry)
{
	__cleanup(spans_free) struct spans spans = {0};
	__cleanup(text_free) struct edge *edge = NULL;
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
	spans_unite(edge, edges, &spans);
	*entry = PC_PORT_CLOSED;
	if (!spans.count)
		return 0;
	if (spans.span->anyone && !spans.span->first && spans.span->last == PORT_END - 1) {
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
	*entry = PC_PORT_RULE + (__u32)pool_number(&compiler->rules, spans.span,
						   spans.count * sizeof(*spans.span));
	return 0;
}

/* As make_entry, but each set is worked out once. */
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

/* Goes over the ports once, from edge to edge: between two of them all ports are equal. */
static int sweep(struct compiler *compiler, enum pc_transport transport)
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
			compiler->port[PC_PORT(transport, at)] = entry;
		if (compiler->rules.used / sizeof(struct pc_span) > SPANS_MAX)
			break;
	}
	return 0;
}

static int compile_ports(struct compiler *compiler)
{
	const struct composition *composition = compiler->composition;

	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		compiler->edges = 0;
		for (size_t i = 0; i < composition->services; i++) {
			if (is_compiled(&composition->service[i]))
				add_service(compiler, &composition->service[i],
					    (enum pc_transport)transport);
		}
		if (compiler->edges && sweep(compiler, (enum pc_transport)transport))
			return -EINVAL;
	}
	return 0;
}

static int write_ports(const struct compiler *compiler, struct pc_generation *generation)
{
	const struct pool *rules = &compiler->rules;
	size_t spans = rules->used / sizeof(struct pc_span);

	if (rules->count > PC_RULES)
		diag_error(compiler->diag, NULL,
			   "the ports need %zu different rules; the limit is %d", rules->count,
			   PC_RULES);
	if (spans > PC_SPANS)
		diag_error(compiler->diag, NULL,
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
	for (size_t i = 0; i < PC_PORTS; i++)
		generation->port[i] = (__u16)compiler->port[i];
	return 0;
}

/* --- tries --- */

struct member {
	struct prefix prefix;
	__u64 groups;
};

static int compare_members(const void *a, const void *b)
{
	return prefix_compare(&((const struct member *)a)->prefix,
			      &((const struct member *)b)->prefix);
}

static bool encloses(const struct prefix *outer, const struct prefix *inner)
{
	int bytes = outer->length / 8, bits = outer->length % 8;

	if (outer->family != inner->family || outer->length > inner->length ||
	    memcmp(outer->address, inner->address, (size_t)bytes))
		return false;
	return !bits || !((outer->address[bytes] ^ inner->address[bytes]) >> (8 - bits));
}

static size_t list_members(const struct compiler *compiler, struct member **list)
{
	size_t count = 0;

	for (size_t bit = 0; bit < compiler->groups; bit++)
		count += compiler->group[bit]->prefixes;
	*list = xcalloc(count, sizeof(**list));
	count = 0;
	for (size_t bit = 0; bit < compiler->groups; bit++) {
		const struct group *group = compiler->group[bit];

		for (size_t i = 0; i < group->prefixes; i++)
			(*list)[count++] = (struct member){group->prefix[i], 1ULL << bit};
	}
	qsort(*list, count, sizeof(**list), compare_members);
	return count;
}

/*
 * Makes one of equal prefixes, and gives each the groups of those around it, as a trie finds only
 * the longest. Sorted, these come before it: a stack holds the ones that enclose the last.
 */
static size_t merge_members(struct member *member, size_t count)
{
	size_t stack[130], depth = 0, kept = 0; /* /0 to /128, and one to spare */

	for (size_t i = 0; i < count; i++) {
		if (kept && !compare_members(&member[kept - 1], &member[i])) {
			member[kept - 1].groups |= member[i].groups;
			continue;
		}
		while (depth && !encloses(&member[stack[depth - 1]].prefix, &member[i].prefix))
			depth--;
		member[kept] = member[i];
		if (depth)
			member[kept].groups |= member[stack[depth - 1]].groups;
		stack[depth++] = kept++;
	}
	return kept;
}

static int check_prefixes(const struct compiler *compiler, size_t count, const char *family)
{
	if (count <= PC_PREFIXES)
		return 0;
	diag_error(compiler->diag, NULL, "the groups in use have %zu %s prefixes; the limit is %d",
		   count, family, PC_PREFIXES);
	return -EINVAL;
}

static void write_tries(const struct member *member, struct tables *tables)
{
	tables->trie4 = xcalloc(tables->tries4, sizeof(*tables->trie4));
	for (size_t i = 0; i < tables->tries4; i++, member++) {
		tables->trie4[i].key.length = member->prefix.length;
		memcpy(tables->trie4[i].key.address, member->prefix.address, 4);
		tables->trie4[i].groups = member->groups;
	}
	tables->trie6 = xcalloc(tables->tries6, sizeof(*tables->trie6));
	for (size_t i = 0; i < tables->tries6; i++, member++) {
		tables->trie6[i].key.length = member->prefix.length;
		memcpy(tables->trie6[i].key.address, member->prefix.address, 16);
		tables->trie6[i].groups = member->groups;
	}
}

static __u64 tries_digest(const struct tables *tables)
{
	__u64 state = tables->tries4 ^ (__u64)tables->tries6 << 32;

	if (!state)
		return 0;
	state = digest(state, tables->trie4, tables->tries4 * sizeof(*tables->trie4));
	state = digest(state, tables->trie6, tables->tries6 * sizeof(*tables->trie6));
	return state ? state : 1;
}

static int compile_tries(const struct compiler *compiler, struct tables *tables)
{
	__cleanup(text_free) struct member *member = NULL;
	size_t count = list_members(compiler, &member);

	count = merge_members(member, count);
	while (tables->tries4 < count && member[tables->tries4].prefix.family == AF_INET)
		tables->tries4++;
	tables->tries6 = count - tables->tries4;
	if (check_prefixes(compiler, tables->tries4, "IPv4") ||
	    check_prefixes(compiler, tables->tries6, "IPv6"))
		return -EINVAL;
	write_tries(member, tables);
	tables->generation->tries_digest = tries_digest(tables);
	return 0;
}

int compile(const struct composition *composition, struct tables *tables, struct diag *diag)
{
	__cleanup(compiler_free) struct compiler *compiler = xcalloc(1, sizeof(*compiler));
	__cleanup(tables_free) struct tables made = {.generation =
							     xcalloc(1, sizeof(*made.generation))};

	compiler->composition = composition;
	compiler->diag = diag;
	if (number_groups(compiler) || compile_ports(compiler) ||
	    write_ports(compiler, made.generation) || compile_tries(compiler, &made))
		return -EINVAL;
	made.generation->policy = (__u8)composition->recipe->policy;
	for (size_t i = 0; i < composition->profiles; i++) {
		for (size_t n = 0; n < ARRAY_SIZE(made.generation->protocol); n++)
			made.generation->protocol[n] |= composition->profile[i]->protocol[n];
	}
	*tables = made;
	made = (struct tables){0};
	return 0;
}

void tables_free(struct tables *tables)
{
	free(tables->generation);
	free(tables->trie4);
	free(tables->trie6);
	*tables = (struct tables){0};
}

/* --- reading the tables as the program does --- */

static bool matches(const __u8 *prefix, __u32 length, const __u8 *address)
{
	for (__u32 bit = 0; bit < length; bit++) {
		if ((prefix[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

/* The groups of the longest prefix that matches. A plain search: this is not the fast path. */
static __u64 groups4(const struct tables *tables, const __u8 *address)
{
	const struct trie4_entry *longest = NULL;

	for (size_t i = 0; i < tables->tries4; i++) {
		const struct trie4_entry *entry = &tables->trie4[i];

		if (matches(entry->key.address, entry->key.length, address) &&
		    (!longest || entry->key.length > longest->key.length))
			longest = entry;
	}
	return longest ? longest->groups : 0;
}

static __u64 groups6(const struct tables *tables, const __u8 *address)
{
	const struct trie6_entry *longest = NULL;

	for (size_t i = 0; i < tables->tries6; i++) {
		const struct trie6_entry *entry = &tables->trie6[i];

		if (matches(entry->key.address, entry->key.length, address) &&
		    (!longest || entry->key.length > longest->key.length))
			longest = entry;
	}
	return longest ? longest->groups : 0;
}

static bool is_link_local(int family, const __u8 *address)
{
	if (family == AF_INET)
		return address[0] == 169 && address[1] == 254;
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static bool span_admits(const struct tables *tables, const struct pc_span *span, int family,
			const __u8 *address)
{
	if (span->anyone || (span->link_local && is_link_local(family, address)))
		return true;
	return span->groups &&
	       (family == AF_INET ? groups4(tables, address) : groups6(tables, address)) &
		       span->groups;
}

enum admit tables_admit(const struct tables *tables, int family, const __u8 *address,
			enum pc_transport transport, __u16 source_port, __u16 port)
{
	const struct pc_generation *generation = tables->generation;
	__u16 entry = generation->port[PC_PORT(transport, port)];
	const struct pc_rule *rule;

	if (entry == PC_PORT_CLOSED)
		return ADMIT_UNLISTED;
	if (entry == PC_PORT_OPEN)
		return ADMIT_PASS;
	rule = &generation->rule[entry - PC_PORT_RULE];
	for (__u32 i = 0; i < rule->spans; i++) {
		const struct pc_span *span = &generation->span[rule->span + i];

		if (source_port >= span->first && source_port <= span->last &&
		    span_admits(tables, span, family, address))
			return ADMIT_PASS;
	}
	return ADMIT_SOURCE;
}
