// SPDX-License-Identifier: GPL-2.0
/* The ports that rules of nftables mention, as nft lists them. */
#include "loader/report/suggest_mentioned.h"

#include <string.h>

#include "bpf/abi.h"
#include "loader/report/text.h"

#define RANGE 16 /* ports of the widest range that counts; a wider one does not name services */
#define DEPTH 4	 /* depth of a value: a set, its elements, the value of one */

struct mentions {
	const json_t *ruleset;
	bool *mentioned; /* indexed by PC_PORT */
};

/* The ports that one condition compares. */
struct mention {
	const struct mentions *in;
	bool tcp, udp;
};

static void mark(const struct mention *mention, json_int_t first, json_int_t last)
{
	if (first < 1 || last > 65535 || last - first >= RANGE)
		return;
	for (json_int_t port = first; port <= last; port++) {
		mention->in->mentioned[PC_PORT(PC_TCP, (__u32)port)] |= mention->tcp;
		mention->in->mentioned[PC_PORT(PC_UDP, (__u32)port)] |= mention->udp;
	}
}

/* Marks a port, a range, or a set of them. */
static void mark_value(const struct mention *mention, const json_t *value, unsigned int depth)
{
	const json_t *range = json_object_get(value, "range"), *inner;
	const char *key;
	size_t i;

	if (json_is_integer(value))
		mark(mention, json_integer_value(value), json_integer_value(value));
	else if (range)
		mark(mention, json_integer_value(json_array_get(range, 0)),
		     json_integer_value(json_array_get(range, 1)));
	if (!depth || range)
		return;
	json_array_foreach (value, i, inner)
		mark_value(mention, inner, depth - 1);
	json_object_foreach ((json_t *)value, key, inner)
		if (!strcmp(key, "set") || !strcmp(key, "elem") || !strcmp(key, "val"))
			mark_value(mention, inner, depth - 1);
}

/* Marks the keys of a map's pairs. */
static void mark_pairs(const struct mention *mention, const json_t *pairs)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (pairs, i, pair)
		mark_value(mention, json_array_get(pair, 0), DEPTH);
}

static bool of_ports(const struct mentions *mentions, const json_t *left, struct mention *mention)
{
	const json_t *payload = json_object_get(left, "payload");
	const char *protocol = text_of(payload, "protocol");
	bool any = !strcmp(protocol, "th");

	*mention = (struct mention){.in = mentions,
				    .tcp = any || !strcmp(protocol, "tcp"),
				    .udp = any || !strcmp(protocol, "udp")};
	return payload && !strcmp(text_of(payload, "field"), "dport");
}

/* The elements of a named set or map of this table. */
static const json_t *named(const struct mentions *mentions, const json_t *rule, const char *kind,
			   const json_t *name)
{
	const char *text = json_string_value(name);
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(mentions->ruleset, "nftables"), i, item) {
		const json_t *set = json_object_get(item, kind);

		if (set && text && *text == '@' && !strcmp(text_of(set, "name"), text + 1) &&
		    !strcmp(text_of(set, "table"), text_of(rule, "table")) &&
		    !strcmp(text_of(set, "family"), text_of(rule, "family")))
			return json_object_get(set, "elem");
	}
	return NULL;
}

static void look_at(const struct mentions *mentions, const json_t *rule, const json_t *statement)
{
	const json_t *match = json_object_get(statement, "match");
	const json_t *map = json_object_get(statement, "vmap");
	const json_t *right = json_object_get(match, "right"), *data = json_object_get(map, "data");
	struct mention mention;

	if (match && of_ports(mentions, json_object_get(match, "left"), &mention)) {
		mark_value(&mention, right, DEPTH);
		mark_value(&mention, named(mentions, rule, "set", right), DEPTH);
	}
	if (map && of_ports(mentions, json_object_get(map, "key"), &mention)) {
		mark_pairs(&mention, json_object_get(data, "set"));
		mark_pairs(&mention, named(mentions, rule, "map", data));
	}
}

void suggest_mentioned(const json_t *ruleset, bool *mentioned)
{
	const struct mentions mentions = {.ruleset = ruleset, .mentioned = mentioned};
	const json_t *item, *statement;
	size_t i, j;

	json_array_foreach (json_object_get(ruleset, "nftables"), i, item) {
		const json_t *rule = json_object_get(item, "rule");

		json_array_foreach (json_object_get(rule, "expr"), j, statement)
			look_at(&mentions, rule, statement);
	}
}
