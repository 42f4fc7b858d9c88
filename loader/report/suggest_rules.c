// SPDX-License-Identifier: GPL-2.0
/* The sources that the present rules of nftables admit. */
#include "loader/report/suggest_rules.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/compose.h"
#include "loader/report/text.h"

#define JUMPS	16  /* depth of chains that call each other, as in the kernel */
#define SOURCES 256 /* prefixes of one port */
#define STEPS	65536

/* The packet in question, of one family. */
struct asking {
	const json_t *ruleset;
	const char *interface;
	enum pc_transport transport;
	__u16 port;
	bool ipv6;
	struct suggest_answer *answer;
	struct names sources; /* prefixes that this base chain admits */
	size_t steps;
	bool may_return; /* a rule of this chain that cannot be evaluated returns */
};

/* What a condition says about the source. */
enum truth {
	NEVER,
	ALWAYS,
	BY_SOURCE, /* restricts the sources: they were added to a list */
	UNKNOWN,
};

/* How a chain ends for the sources that it has not decided about. */
enum course {
	GOES_ON,
	ACCEPTS,
	DROPS,
	RETURNS,
};

/* --- parts of the ruleset --- */

static const json_t *item(const json_t *ruleset, size_t at, const char *kind)
{
	return json_object_get(json_array_get(json_object_get(ruleset, "nftables"), at), kind);
}

static size_t items(const json_t *ruleset)
{
	return json_array_size(json_object_get(ruleset, "nftables"));
}

static bool same_table(const json_t *a, const json_t *b)
{
	return !strcmp(text_of(a, "family"), text_of(b, "family")) &&
	       !strcmp(text_of(a, "table"), text_of(b, "table"));
}

/* --- right sides --- */

/* Calls `take` for each member of a value, which may be a set; `of`: the rule, to find named
 * sets. */
typedef bool take_value(const json_t *value, void *context);

static bool each_member(const json_t *list, take_value *take, void *context)
{
	const json_t *value;
	size_t i;

	json_array_foreach (list, i, value) {
		const json_t *inner = json_object_get(json_object_get(value, "elem"), "val");

		if (!take(inner ?: value, context))
			return false;
	}
	return true;
}

static const json_t *named_set(const struct asking *asking, const json_t *rule, const char *name)
{
	for (size_t i = 0; i < items(asking->ruleset); i++) {
		const json_t *set = item(asking->ruleset, i, "set");

		if (set && same_table(set, rule) && !strcmp(text_of(set, "name"), name))
			return set;
	}
	return NULL;
}

/* False if a value cannot be evaluated. */
static bool each_value(const struct asking *asking, const json_t *rule, const json_t *right,
		       take_value *take, void *context)
{
	const char *text = json_string_value(right);
	const json_t *list = json_object_get(right, "set"), *set;

	if (text && *text == '@') {
		set = named_set(asking, rule, text + 1);
		return set && each_member(json_object_get(set, "elem"), take, context);
	}
	if (json_is_array(list))
		return each_member(list, take, context);
	if (json_is_array(right))
		return each_member(right, take, context);
	return take(list ?: right, context);
}

/* --- conditions --- */

struct looking_for {
	long number;	  /* compares a port */
	const char *word; /* compares an interface, a protocol, a state */
	bool found;
	struct names *sources; /* list to which source addresses are added */
	bool ipv6;
};

static bool take_port(const json_t *value, void *context)
{
	struct looking_for *looking = context;
	const json_t *range = json_object_get(value, "range");

	if (json_is_integer(value)) {
		looking->found |= json_integer_value(value) == looking->number;
		return true;
	}
	if (!json_is_integer(json_array_get(range, 0)) ||
	    !json_is_integer(json_array_get(range, 1)))
		return false;
	looking->found |= looking->number >= json_integer_value(json_array_get(range, 0)) &&
			  looking->number <= json_integer_value(json_array_get(range, 1));
	return true;
}

/* "eth*" matches as nft matches it. */
static bool take_word(const json_t *value, void *context)
{
	struct looking_for *looking = context;
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;

	if (!length)
		return false;
	if (text[length - 1] == '*')
		looking->found |= !strncmp(text, looking->word, length - 1);
	else
		looking->found |= !strcmp(text, looking->word);
	return true;
}

static bool take_source(const json_t *value, void *context)
{
	struct looking_for *looking = context;
	const json_t *prefix = json_object_get(value, "prefix");
	__free_text char *text = NULL, *why = NULL;
	struct prefix parsed;
	char written[PREFIX_TEXT];

	if (prefix)
		text = xasprintf("%s/%lld", text_of(prefix, "addr"),
				 (long long)json_integer_value(json_object_get(prefix, "len")));
	else
		text = xstrdup(json_string_value(value));
	if (!text || looking->sources->count >= SOURCES || prefix_parse(text, &parsed, &why))
		return false;
	names_add_once(looking->sources, prefix_format(&parsed, written));
	return true;
}

static enum truth truth_of(bool understood, bool found, bool negated)
{
	return !understood ? UNKNOWN : found != negated ? ALWAYS : NEVER;
}

static enum truth match_payload(const struct asking *asking, const json_t *rule,
				const json_t *payload, const json_t *right, bool negated,
				struct names *sources)
{
	const char *protocol = text_of(payload, "protocol"), *field = text_of(payload, "field");
	struct looking_for looking = {.number = asking->port,
				      .word = transport_name[asking->transport],
				      .sources = sources,
				      .ipv6 = asking->ipv6};
	bool understood;

	if (!strcmp(protocol, "tcp") || !strcmp(protocol, "udp") || !strcmp(protocol, "th")) {
		if (strcmp(protocol, "th") != 0 && strcmp(protocol, looking.word) != 0)
			return NEVER;
		if (strcmp(field, "dport") != 0)
			return UNKNOWN;
		understood = each_value(asking, rule, right, take_port, &looking);
		return truth_of(understood, looking.found, negated);
	}
	if (strcmp(protocol, asking->ipv6 ? "ip6" : "ip") != 0)
		return !strcmp(protocol, "ip") || !strcmp(protocol, "ip6") ||
				       !strncmp(protocol, "icmp", 4) ?
			       NEVER :
			       UNKNOWN;
	if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr")) {
		understood = each_value(asking, rule, right, take_word, &looking);
		return truth_of(understood, looking.found, negated);
	}
	if (strcmp(field, "saddr") != 0 || negated)
		return UNKNOWN;
	return each_value(asking, rule, right, take_source, &looking) ? BY_SOURCE : UNKNOWN;
}

static enum truth match_meta(const struct asking *asking, const json_t *rule, const char *key,
			     const json_t *right, bool negated)
{
	struct looking_for looking = {};
	bool understood;

	if (!strcmp(key, "iifname") || !strcmp(key, "iif"))
		looking.word = asking->interface;
	else if (!strcmp(key, "l4proto"))
		looking.word = transport_name[asking->transport];
	else if (!strcmp(key, "nfproto"))
		looking.word = asking->ipv6 ? "ipv6" : "ipv4";
	else
		return UNKNOWN;
	understood = each_value(asking, rule, right, take_word, &looking);
	return truth_of(understood, looking.found, negated);
}

static enum truth match_state(const struct asking *asking, const json_t *rule, const json_t *right,
			      bool negated)
{
	struct looking_for looking = {.word = "new"};
	bool understood = each_value(asking, rule, right, take_word, &looking);

	return truth_of(understood, looking.found, negated);
}

static enum truth match(const struct asking *asking, const json_t *rule, const json_t *match_of,
			struct names *sources)
{
	const json_t *left = json_object_get(match_of, "left");
	const json_t *right = json_object_get(match_of, "right");
	const json_t *payload = json_object_get(left, "payload");
	const json_t *meta = json_object_get(left, "meta"), *ct = json_object_get(left, "ct");
	const char *op = text_of(match_of, "op");
	bool negated = !strcmp(op, "!=");

	if (strcmp(op, "==") != 0 && strcmp(op, "in") != 0 && !negated)
		return UNKNOWN;
	if (payload)
		return match_payload(asking, rule, payload, right, negated, sources);
	if (meta)
		return match_meta(asking, rule, text_of(meta, "key"), right, negated);
	if (ct && !strcmp(text_of(ct, "key"), "state"))
		return match_state(asking, rule, right, negated);
	/* A new connection is not translated to this host's ports. */
	if (ct && !strcmp(text_of(ct, "key"), "status"))
		return truth_of(true, false, negated);
	return UNKNOWN;
}

/* --- rules --- */

static enum course follow(struct asking *asking, const json_t *of, const char *chain,
			  unsigned int depth);

static void note_unknown(struct asking *asking, const json_t *rule)
{
	__free_text char *text =
		xasprintf("%s %s %s, rule with handle %lld", text_of(rule, "family"),
			  text_of(rule, "table"), text_of(rule, "chain"),
			  (long long)json_integer_value(json_object_get(rule, "handle")));

	names_add_once(&asking->answer->unknown, text);
}

/* Statements that neither decide nor restrict. */
static bool is_idle(const char *name)
{
	static const char *const idle[] = {"counter", "log", "comment", "notrack", "mangle"};

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (!strcmp(name, idle[i]))
			return true;
	return false;
}

/* The restriction of a rule's conditions together, so far. */
struct rule_state {
	enum truth truth;
	struct names sources;
};

static void narrow(struct rule_state *state, enum truth truth)
{
	if (truth == NEVER || state->truth == NEVER)
		state->truth = NEVER;
	else if (truth == UNKNOWN || (truth == BY_SOURCE && state->truth == BY_SOURCE))
		state->truth = UNKNOWN;
	else if (truth == BY_SOURCE)
		state->truth = BY_SOURCE;
}

static void admit_sources(struct asking *asking, const struct rule_state *state)
{
	for (size_t i = 0; i < state->sources.count; i++)
		names_add_once(&asking->sources, state->sources.name[i]);
}

/* A verdict for packets that meet the rule's conditions. */
static enum course conclude(struct asking *asking, const json_t *rule,
			    const struct rule_state *state, enum course course)
{
	if (state->truth == ALWAYS)
		return course;
	if (state->truth == BY_SOURCE && course == ACCEPTS)
		admit_sources(asking, state);
	else if (course == ACCEPTS || course == DROPS)
		note_unknown(asking, rule); /* and what some sources are refused */
	else if (course == RETURNS)
		asking->may_return = true;
	return GOES_ON;
}

static enum course conclude_jump(struct asking *asking, const json_t *rule,
				 const struct rule_state *state, const char *target, bool is_goto,
				 unsigned int depth)
{
	struct names before = asking->sources;
	enum course course;

	if (state->truth == UNKNOWN) {
		note_unknown(asking, rule);
		return GOES_ON;
	}
	asking->sources = (struct names){};
	course = follow(asking, rule, target, depth + 1);
	if (state->truth == ALWAYS) {
		names_add_all(&before, &asking->sources);
		names_free(&asking->sources);
		asking->sources = before;
		return course == RETURNS || course == GOES_ON ? (is_goto ? RETURNS : GOES_ON) :
								course;
	}
	/* If it is only for some sources, an accept admits them; anything else is not used. */
	if (asking->sources.count || course == DROPS)
		note_unknown(asking, rule);
	names_free(&asking->sources);
	asking->sources = before;
	if (course == ACCEPTS)
		admit_sources(asking, state);
	return GOES_ON;
}

/* A match or target of iptables, of which nft gives only the name. */
static enum course extension(struct asking *asking, const json_t *rule, struct rule_state *state,
			     const json_t *value)
{
	static const char *const idle[] = {"comment", "LOG", "NFLOG"};
	const char *name = text_of(value, "name");

	if (!strcmp(name, "REJECT"))
		return conclude(asking, rule, state, DROPS);
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (!strcmp(name, idle[i]))
			return GOES_ON;
	narrow(state, UNKNOWN);
	return GOES_ON;
}

static enum course statement(struct asking *asking, const json_t *rule, struct rule_state *state,
			     const char *name, const json_t *value, unsigned int depth);

/* The pairs of a verdict map, which may have a name. False if there is no such map. */
static bool pairs_of(const struct asking *asking, const json_t *rule, const json_t *map,
		     const json_t **pairs)
{
	const json_t *data = json_object_get(map, "data");
	const char *name = json_string_value(data);

	for (size_t i = 0; name && *name == '@' && i < items(asking->ruleset); i++) {
		const json_t *named = item(asking->ruleset, i, "map");

		if (named && same_table(named, rule) && !strcmp(text_of(named, "name"), name + 1)) {
			*pairs = json_object_get(named, "elem");
			return true;
		}
	}
	*pairs = json_object_get(data, "set");
	return *pairs;
}

/* A pair of a verdict map decides like a rule of its own. */
static enum course run_pair(struct asking *asking, const json_t *rule,
			    const struct rule_state *state, const json_t *key, const json_t *pair,
			    unsigned int depth)
{
	const json_t *word = json_array_get(pair, 0), *inner = json_object_get(word, "elem");
	json_t *condition = json_pack("{s:s, s:O, s:O}", "op", "==", "left", key, "right",
				      json_object_get(inner, "val") ?: word);
	struct rule_state own = {.truth = state->truth};
	enum course course = GOES_ON;
	const json_t *value;
	const char *name;

	names_add_all(&own.sources, &state->sources);
	narrow(&own, condition ? match(asking, rule, condition, &own.sources) : UNKNOWN);
	if (own.truth != NEVER)
		json_object_foreach (json_array_get(pair, 1), name, value)
			course = statement(asking, rule, &own, name, value, depth);
	names_free(&own.sources);
	json_decref(condition);
	return course;
}

static enum course run_map(struct asking *asking, const json_t *rule, struct rule_state *state,
			   const json_t *map, unsigned int depth)
{
	const json_t *pairs, *pair;
	enum course course = GOES_ON;
	size_t i;

	if (!pairs_of(asking, rule, map, &pairs))
		note_unknown(asking, rule);
	json_array_foreach (pairs, i, pair) {
		course = run_pair(asking, rule, state, json_object_get(map, "key"), pair, depth);
		if (course != GOES_ON)
			break;
	}
	return course;
}

static enum course statement(struct asking *asking, const json_t *rule, struct rule_state *state,
			     const char *name, const json_t *value, unsigned int depth)
{
	if (!strcmp(name, "match")) {
		narrow(state, match(asking, rule, value, &state->sources));
		return GOES_ON;
	}
	if (!strcmp(name, "accept"))
		return conclude(asking, rule, state, ACCEPTS);
	if (!strcmp(name, "drop") || !strcmp(name, "reject"))
		return conclude(asking, rule, state, DROPS);
	if (!strcmp(name, "return"))
		return conclude(asking, rule, state, RETURNS);
	if (!strcmp(name, "jump") || !strcmp(name, "goto"))
		return conclude_jump(asking, rule, state, text_of(value, "target"),
				     !strcmp(name, "goto"), depth);
	if (!strcmp(name, "vmap"))
		return run_map(asking, rule, state, value, depth);
	if (!strcmp(name, "xt"))
		return extension(asking, rule, state, value);
	if (!is_idle(name))
		narrow(state, UNKNOWN);
	return GOES_ON;
}

static enum course run_rule(struct asking *asking, const json_t *rule, unsigned int depth)
{
	struct rule_state state = {.truth = ALWAYS};
	enum course course = GOES_ON;
	const json_t *part, *value;
	const char *name;
	size_t i;

	json_array_foreach (json_object_get(rule, "expr"), i, part) {
		json_object_foreach ((json_t *)part, name, value)
			course = statement(asking, rule, &state, name, value, depth);
		if (course != GOES_ON || state.truth == NEVER)
			break;
	}
	names_free(&state.sources);
	return course;
}

static enum course follow(struct asking *asking, const json_t *of, const char *chain,
			  unsigned int depth)
{
	bool outer = asking->may_return;
	enum course course = GOES_ON;

	asking->may_return = false;
	for (size_t i = 0; course == GOES_ON && depth < JUMPS && i < items(asking->ruleset); i++) {
		const json_t *rule = item(asking->ruleset, i, "rule");

		if (!rule || !same_table(rule, of) || strcmp(text_of(rule, "chain"), chain) != 0)
			continue;
		if (++asking->steps > STEPS)
			break;
		course = run_rule(asking, rule, depth);
		if (course != DROPS || !asking->may_return)
			continue;
		/* It is unknown which sources the rule drops, but it does not drop all. */
		note_unknown(asking, rule);
		course = RETURNS;
	}
	asking->may_return = outer;
	return course;
}

/* --- base chains --- */

static bool is_of_family(const json_t *chain, bool ipv6)
{
	const char *family = text_of(chain, "family");

	return !strcmp(family, "inet") || !strcmp(family, ipv6 ? "ip6" : "ip");
}

/* The sources that a base chain admits, together with the chains before it. */
static void ask_chain(struct asking *asking, const json_t *chain, enum suggest_admits *admits,
		      struct names *sources)
{
	enum course course = follow(asking, chain, text_of(chain, "name"), 0);

	if (course != ACCEPTS && course != DROPS)
		course = !strcmp(text_of(chain, "policy"), "drop") ? DROPS : ACCEPTS;
	if (course == ACCEPTS) {
		names_free(&asking->sources);
		return;
	}
	if (*admits == SUGGEST_ANYONE) {
		*admits = asking->sources.count ? SUGGEST_SOME : SUGGEST_NOBODY;
		names_free(sources);
		*sources = asking->sources;
		asking->sources = (struct names){};
	} else {
		names_free(&asking->sources);
	}
}

static enum suggest_admits ask_family(struct asking *asking, struct names *sources)
{
	enum suggest_admits admits = SUGGEST_ANYONE;

	for (size_t i = 0; i < items(asking->ruleset); i++) {
		const json_t *chain = item(asking->ruleset, i, "chain");

		if (!chain || strcmp(text_of(chain, "hook"), "input") != 0 ||
		    strcmp(text_of(chain, "type"), "filter") != 0 ||
		    !is_of_family(chain, asking->ipv6))
			continue;
		asking->answer->asked = true;
		ask_chain(asking, chain, &admits, sources);
	}
	return admits;
}

void suggest_answer_free(struct suggest_answer *answer)
{
	names_free(&answer->sources);
	names_free(&answer->unknown);
}

void suggest_rules_ask(const json_t *ruleset, const char *interface, enum pc_transport transport,
		       __u16 port, struct suggest_answer *answer)
{
	enum suggest_admits admits[2];
	bool asked[2];

	*answer = (struct suggest_answer){};
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct names sources = {};
		struct asking asking = {.ruleset = ruleset,
					.interface = interface,
					.transport = transport,
					.port = port,
					.ipv6 = ipv6,
					.answer = answer};

		answer->asked = false;
		admits[ipv6] = ask_family(&asking, &sources);
		asked[ipv6] = answer->asked;
		names_add_all(&answer->sources, &sources);
		names_free(&asking.sources);
		names_free(&sources);
	}
	answer->asked = asked[0] || asked[1];
	/* If no chain is for a family, as where only iptables was used, there is no result for
	 * it. */
	if (asked[0] != asked[1])
		admits[asked[0]] = admits[asked[1]];
	if (admits[0] == SUGGEST_ANYONE || admits[1] == SUGGEST_ANYONE)
		answer->admits = admits[0] == admits[1] || !answer->sources.count ? SUGGEST_ANYONE :
										    SUGGEST_SOME;
	else
		answer->admits = answer->sources.count ? SUGGEST_SOME : SUGGEST_NOBODY;
}
