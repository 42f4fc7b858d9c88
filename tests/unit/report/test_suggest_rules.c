// SPDX-License-Identifier: GPL-2.0
/* What nftables rules admit, in nft's JSON: its own rules, those of ufw and firewalld. */
#include "loader/report/suggest_rules.h"

#include "tests/unit/expect.h"

#define CHAIN(family, name, rest) \
	"{\"chain\": {\"family\": \"" family "\", \"table\": \"t\", \"name\": \"" name "\"" rest "}},"
#define INPUT(family, name, policy)  \
	CHAIN(family, name,          \
	      ", \"type\": \"filter\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"" policy "\"")
#define RULE(family, chain, handle, expr)                                                        \
	"{\"rule\": {\"family\": \"" family "\", \"table\": \"t\", \"chain\": \"" chain          \
	"\", \"handle\": " handle ", \"expr\": [" expr "]}},"
#define MATCH(left, right) \
	"{\"match\": {\"op\": \"==\", \"left\": {" left "}, \"right\": " right "}},"
#define PAYLOAD(protocol, field) \
	"\"payload\": {\"protocol\": \"" protocol "\", \"field\": \"" field "\"}"
#define DPORT(right)  MATCH(PAYLOAD("tcp", "dport"), right)
#define SOURCE(right) MATCH(PAYLOAD("ip", "saddr"), right)
#define COUNTER	      "{\"counter\": {\"packets\": 1, \"bytes\": 2}},"
#define ACCEPT	      "{\"accept\": null}"
#define XT_LAST(type, name) "{\"xt\": {\"type\": \"" type "\", \"name\": \"" name "\"}}"
#define XT(type, name)	    XT_LAST(type, name) ","
#define STATE(right) \
	"{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": " right "}},"

/* "anyone", "nobody", or the sources; then the rules that cannot be evaluated. */
static char *asked(const char *rules, enum pc_transport transport, __u16 port)
{
	__free_text char *text = xasprintf("{\"nftables\": [%s {}]}", rules);
	json_t *ruleset = json_loads(text, 0, NULL);
	__free_text char *sources = NULL, *unknown = NULL;
	struct suggest_answer answer;
	char *all;

	assert_non_null(ruleset);
	suggest_rules_ask(ruleset, "eth0", transport, port, &answer);
	sources = names_join(&answer.sources, " ");
	unknown = names_join(&answer.unknown, " ");
	all = xasprintf("%s%s%s",
			!answer.asked			     ? "not asked" :
			answer.admits == SUGGEST_ANYONE ? "anyone" :
			answer.admits == SUGGEST_NOBODY ? "nobody" :
							       sources,
			*unknown ? "; " : "", unknown);
	suggest_answer_free(&answer);
	json_decref(ruleset);
	return all;
}

static void expect_asked(const char *rules, enum pc_transport transport, __u16 port,
			 const char *expected)
{
	__free_text char *all = asked(rules, transport, port);

	assert_string_equal(all, expected);
}

/* Rules as of ufw: nft names a module of iptables, and not its conditions. */
static void test_modules(void **state)
{
	static const char rules[] =
		INPUT("inet", "in", "drop") CHAIN("inet", "not-local", "") CHAIN("inet", "user", "")
			RULE("inet", "in", "1", "{\"jump\": {\"target\": \"not-local\"}}")
				RULE("inet", "in", "2", "{\"jump\": {\"target\": \"user\"}}")
		RULE("inet", "not-local", "3", XT("match", "addrtype") COUNTER "{\"return\": null}")
			RULE("inet", "not-local", "4", XT("target", "LOG") COUNTER "{\"drop\": null}")
		RULE("inet", "user", "5", SOURCE("{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}") DPORT("143") ACCEPT)
			RULE("inet", "user", "6", DPORT("25") XT("match", "comment") ACCEPT)
				RULE("inet", "user", "7", XT("match", "multiport") ACCEPT)
		RULE("inet", "user", "8", DPORT("3306") COUNTER XT_LAST("target", "REJECT"))
			RULE("inet", "user", "9", DPORT("3306") ACCEPT);

	(void)state;
	expect_asked(rules, PC_TCP, 25, "anyone; inet t not-local, rule with handle 4");
	expect_asked(rules, PC_TCP, 143,
		     "10.0.0.0/8; inet t not-local, rule with handle 4 inet t user, rule with handle 7");
	expect_asked(rules, PC_TCP, 3306,
		     "nobody; inet t not-local, rule with handle 4 inet t user, rule with handle 7");
}

static void test_list(void **state)
{
	static const char rules[] =
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", STATE("[\"established\", \"related\"]") ACCEPT)
			RULE("inet", "in", "2", MATCH("\"meta\": {\"key\": \"iifname\"}", "\"lo\"") ACCEPT)
				RULE("inet", "in", "3", DPORT("{\"set\": [25, {\"range\": [1000, 1010]}]}") COUNTER ACCEPT)
					RULE("inet", "in", "4", SOURCE("{\"prefix\": {\"addr\": \"10.0.0.0\", \"len\": 8}}") DPORT("22") ACCEPT)
						RULE("inet", "in", "5", SOURCE("\"@admins\"") DPORT("22") ACCEPT)
							RULE("inet", "in", "6", DPORT("443") "{\"limit\": {\"rate\": 5}}," ACCEPT)
		"{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"admins\", \"elem\": [\"192.0.2.7\", {\"elem\": "
		"{\"val\": \"192.0.2.8\", \"timeout\": 5}}]}},";

	(void)state;
	expect_asked(rules, PC_TCP, 25, "anyone");
	expect_asked(rules, PC_TCP, 1005, "anyone");
	expect_asked(rules, PC_TCP, 1011, "nobody");
	expect_asked(rules, PC_UDP, 25, "nobody");
	expect_asked(rules, PC_TCP, 22, "10.0.0.0/8 192.0.2.7/32 192.0.2.8/32");
	expect_asked(rules, PC_TCP, 443, "nobody; inet t in, rule with handle 6");
	expect_asked("", PC_TCP, 25, "not asked");
	expect_asked(INPUT("inet", "in", "accept"), PC_TCP, 25, "anyone");
	/* Chains that say nothing of what comes in to this host. */
	expect_asked(CHAIN("inet", "f", ", \"type\": \"filter\", \"hook\": \"forward\", \"prio\": 0, \"policy\": \"drop\""),
		     PC_TCP, 25, "not asked");
	expect_asked(CHAIN("inet", "n", ", \"type\": \"nat\", \"hook\": \"input\", \"prio\": 0, \"policy\": \"drop\""),
		     PC_TCP, 25, "not asked");
	expect_asked(INPUT("bridge", "in", "drop"), PC_TCP, 25, "not asked");
}

/* Rules as of firewalld: zones by interface, and a reject at the end. */
static void test_chains(void **state)
{
	static const char rules[] =
		INPUT("inet", "in", "accept") CHAIN("inet", "zones", "") CHAIN("inet", "public", "") CHAIN("inet", "allow", "")
			RULE("inet", "in", "1", "{\"jump\": {\"target\": \"zones\"}}")
				RULE("inet", "in", "2", "{\"reject\": {\"type\": \"icmpx\"}}")
					RULE("inet", "zones", "3", MATCH("\"meta\": {\"key\": \"iifname\"}", "\"eth1\"") "{\"accept\": null}")
						RULE("inet", "zones", "4",
						     MATCH("\"meta\": {\"key\": \"iifname\"}", "\"eth*\"") "{\"goto\": {\"target\": \"public\"}}")
							RULE("inet", "public", "5", "{\"jump\": {\"target\": \"allow\"}}")
								RULE("inet", "public", "6", DPORT("9") "{\"return\": null}")
									RULE("inet", "allow", "7", DPORT("22") STATE("{\"set\": [\"new\", \"untracked\"]}") ACCEPT);

	(void)state;
	expect_asked(rules, PC_TCP, 22, "anyone");
	expect_asked(rules, PC_TCP, 23, "nobody");
	expect_asked(rules, PC_TCP, 9, "nobody");
	/* Jumps for some sources: an accept admits these. */
	expect_asked(INPUT("ip", "in", "drop") CHAIN("ip", "c", "")
			     RULE("ip", "in", "1", SOURCE("\"192.0.2.1\"") "{\"jump\": {\"target\": \"c\"}}")
				     RULE("ip", "c", "2", ACCEPT) INPUT("ip6", "in", "drop"),
		     PC_TCP, 5, "192.0.2.1/32");
	/* A return that is not understood is of its own chain, not of those that it jumps to, or that jumped to it. */
	expect_asked(INPUT("inet", "in", "accept") CHAIN("inet", "c", "")
			     RULE("inet", "in", "1", XT("match", "addrtype") "{\"return\": null}")
				     RULE("inet", "in", "2", "{\"goto\": {\"target\": \"c\"}}")
					     RULE("inet", "c", "3", DPORT("5") "{\"drop\": null}")
						     RULE("inet", "c", "4", ACCEPT),
		     PC_TCP, 5, "anyone; inet t in, rule with handle 2");
	expect_asked(INPUT("inet", "in", "accept") CHAIN("inet", "c", "")
			     RULE("inet", "in", "1", "{\"jump\": {\"target\": \"c\"}}")
				     RULE("inet", "in", "2", "{\"drop\": null}")
					     RULE("inet", "c", "3", XT("match", "addrtype") "{\"return\": null}"),
		     PC_TCP, 5, "nobody");
	/* A ring of jumps, as only a broken list has it, ends. */
	expect_asked(INPUT("inet", "in", "drop") RULE("inet", "in", "1", "{\"jump\": {\"target\": \"in\"}}"),
		     PC_TCP, 5, "nobody");
}

#define VMAP(left, data) "{\"vmap\": {\"key\": {" left "}, \"data\": " data "}}"
#define VSET(pairs)      "{\"set\": [" pairs "]}"

/* Verdict maps: each pair is like a rule. */
static void test_maps(void **state)
{
	static const char rules[] =
		INPUT("inet", "in", "drop") CHAIN("inet", "web", "")
			RULE("inet", "in", "1",
			     VMAP("\"ct\": {\"key\": \"state\"}",
				  VSET("[\"established\", {\"accept\": null}], [\"invalid\", {\"drop\": null}]")))
		RULE("inet", "in", "2",
		     VMAP(PAYLOAD("tcp", "dport"),
			  VSET("[25, {\"accept\": null}], [{\"range\": [80, 90]}, {\"jump\": {\"target\": \"web\"}}], "
			       "[23, {\"drop\": null}]")))
			RULE("inet", "in", "3", VMAP(PAYLOAD("tcp", "dport"), "\"@more\""))
				RULE("inet", "in", "4", SOURCE("\"192.0.2.9\"") VMAP(PAYLOAD("tcp", "dport"), VSET("[23, {\"accept\": null}], [24, {\"accept\": null}]")))
					RULE("inet", "web", "5", SOURCE("\"192.0.2.7\"") ACCEPT)
		"{\"map\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"more\", \"map\": \"verdict\", \"elem\": [[143, "
		"{\"accept\": null}]]}},";

	(void)state;
	expect_asked(rules, PC_TCP, 25, "anyone");
	expect_asked(rules, PC_UDP, 25, "nobody");
	expect_asked(rules, PC_TCP, 85, "192.0.2.7/32");
	expect_asked(rules, PC_TCP, 23, "nobody");
	expect_asked(rules, PC_TCP, 24, "192.0.2.9/32");
	expect_asked(rules, PC_TCP, 143, "anyone");
	expect_asked(rules, PC_TCP, 144, "nobody");
	/* The key of the map is unknown, or there is no such map. */
	expect_asked(INPUT("inet", "in", "drop")
			     RULE("inet", "in", "1", VMAP("\"concat\": []", VSET("[5, {\"accept\": null}]"))),
		     PC_TCP, 5, "nobody; inet t in, rule with handle 1");
	expect_asked(INPUT("inet", "in", "drop") RULE("inet", "in", "1", VMAP(PAYLOAD("tcp", "dport"), "\"@none\"")),
		     PC_TCP, 5, "nobody; inet t in, rule with handle 1");
}

/* As ufw has it: tables of ip and ip6, matches of iptables, which nft does not explain. */
static void test_families(void **state)
{
	static const char rules[] =
		INPUT("ip", "INPUT", "drop") INPUT("ip6", "INPUT", "drop")
			RULE("ip", "INPUT", "1", "{\"xt\": {\"type\": \"match\", \"name\": \"conntrack\"}}," ACCEPT)
				RULE("ip", "INPUT", "2", DPORT("80") COUNTER ACCEPT)
					RULE("ip6", "INPUT", "3", DPORT("80") "{\"xt\": {\"type\": \"match\", \"name\": \"comment\"}}," COUNTER ACCEPT)
						RULE("ip", "INPUT", "4", SOURCE("\"198.51.100.0\"") DPORT("81") ACCEPT);

	(void)state;
	expect_asked(rules, PC_TCP, 80, "anyone; ip t INPUT, rule with handle 1");
	expect_asked(rules, PC_TCP, 81, "198.51.100.0/32; ip t INPUT, rule with handle 1");
	expect_asked(rules, PC_TCP, 82, "nobody; ip t INPUT, rule with handle 1");
	/* Rules only for IPv4: that there are none for IPv6 is no reason to open a port. */
	expect_asked(INPUT("ip", "in", "drop") RULE("ip", "in", "1", DPORT("80") ACCEPT)
			     RULE("ip", "in", "2", SOURCE("\"192.0.2.1\"") DPORT("81") ACCEPT),
		     PC_TCP, 80, "anyone");
	expect_asked(INPUT("ip", "in", "drop") RULE("ip", "in", "1", SOURCE("\"192.0.2.1\"") DPORT("81") ACCEPT),
		     PC_TCP, 81, "192.0.2.1/32");
	expect_asked(INPUT("ip", "in", "drop"), PC_TCP, 80, "nobody");
	expect_asked(INPUT("ip6", "in", "drop"), PC_TCP, 80, "nobody");
	/* Two chains must both admit. */
	expect_asked(INPUT("inet", "a", "accept") INPUT("inet", "b", "drop") RULE("inet", "b", "1", DPORT("5") ACCEPT)
			     RULE("inet", "a", "2", DPORT("5") "{\"drop\": null}"),
		     PC_TCP, 5, "nobody");
}

/* A condition in another form than nft's never holds. */
static void test_broken(void **state)
{
	static const char *const rules[] = {
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", DPORT("\"ssh\"") ACCEPT),
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", DPORT("{\"set\": [[1, 2]]}") ACCEPT),
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", DPORT("\"@none\"") ACCEPT),
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", SOURCE("{\"range\": [\"1.1.1.1\", \"1.1.1.9\"]}") ACCEPT),
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", "{\"match\": 5}," ACCEPT),
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", "{\"vmap\": {}}"),
		INPUT("inet", "in", "drop") RULE("inet", "in", "1", "5, null, [], " ACCEPT),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		__free_text char *all = asked(rules[i], PC_TCP, 22);

		if (i < 6)
			assert_string_equal(all, "nobody; inet t in, rule with handle 1");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests_name("report/suggest_rules", tests, NULL, NULL);
}
