// SPDX-License-Identifier: GPL-2.0
/* The compiler: its tables compared with a naive reading of the services, each limit, the time it
 * takes. */
#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/compile.h"
#include "tests/unit/expect.h"

#include <arpa/inet.h>
#include <errno.h>

#define SEED 20260101U

/* A composition made here, without a catalog. */
struct made {
	struct recipe recipe;
	struct profile profile;
	const struct profile *list;
	struct service service;
	struct composition composition;
};

static struct made *make(void)
{
	struct made *made = xcalloc(1, sizeof(*made));

	made->profile.name = (char *)"p";
	made->service.name = (char *)"s";
	made->list = &made->profile;
	made->composition = (struct composition){
		.recipe = &made->recipe, .profile = &made->list, .profiles = 1};
	return made;
}

static void made_free(struct made **pointer)
{
	struct made *made = *pointer;

	made->composition.profile = NULL; /* not from the heap here */
	composition_free(&made->composition);
	recipe_free(&made->recipe);
	free(made);
}

static void define(struct made *made, const char *group)
{
	__cleanup(diag_free) struct diag diag = {0};

	assert_int_equal(0, groups_define(&made->recipe.groups, group, &diag));
}

static struct composed *add(struct made *made)
{
	struct composition *composition = &made->composition;

	composition->service =
		grow(composition->service, composition->services, sizeof(*composition->service));
	composition->service[composition->services] = (struct composed){
		.profile = &made->profile, .service = &made->service, .direction = DIRECTION_IN};
	return &composition->service[composition->services++];
}

static void parse_ports(struct ports *ports, const char *text)
{
	__free_text char *why = NULL;

	if (text)
		assert_int_equal(0, ports_parse_list(text, ports, &why));
}

/* `list` has commas, or is NULL. */
static void add_names(struct names *names, const char *list)
{
	__free_text char *copy = xstrdup(list);
	char *rest = copy, *name;

	while (rest && (name = strsep(&rest, ",")))
		names_add(names, name);
}

/* An open service; `from` is a list of groups with commas, or NULL. */
static struct composed *open_service(struct made *made, const char *ports, const char *from,
				     const char *from_port)
{
	struct composed *composed = add(made);

	parse_ports(&composed->ports, ports);
	parse_ports(&composed->from_port, from_port);
	add_names(&composed->from, from);
	return composed;
}

static struct composed *open_out(struct made *made, const char *ports, const char *to)
{
	struct composed *composed = add(made);

	composed->direction = DIRECTION_OUT;
	parse_ports(&composed->ports, ports);
	add_names(&composed->to, to);
	return composed;
}

static void add_range(struct ports *ports, unsigned int first, unsigned int last)
{
	ports->range = grow(ports->range, ports->count, sizeof(*ports->range));
	ports->range[ports->count++] = (struct port_range){(__u16)first, (__u16)last, 1 << PC_TCP};
}

static void compiled(struct made *made, struct tables *tables)
{
	struct diag diag = {0};
	int result = compile(&made->composition, tables, &diag);

	if (diag.count)
		diag_print(&diag, stderr);
	assert_int_equal(result, 0);
	assert_int_equal(diag.count, 0);
	diag_free(&diag);
}

static void expect_failure(struct made *made, const char *message)
{
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *expected = xasprintf("portcullis: %s\n", message);
	struct tables tables = {0};

	assert_int_equal(-EINVAL, compile(&made->composition, &tables, &diag));
	assert_null(tables.generation);
	expect_said(&diag, expected);
}

static enum admit ask(const struct tables *tables, const char *source, unsigned int source_port,
		      const char *port)
{
	__cleanup(ports_free) struct ports ports = {0};
	int family = strchr(source, ':') ? AF_INET6 : AF_INET;
	__u8 address[16] = {0};

	assert_int_equal(1, inet_pton(family, source, address));
	parse_ports(&ports, port);
	return tables_admit(tables, family, address,
			    ports.range[0].transports == 1 << PC_TCP ? PC_TCP : PC_UDP,
			    (__u16)source_port, ports.range[0].first);
}

static bool covers(const struct tables *tables, const char *remote, const char *port)
{
	__cleanup(ports_free) struct ports ports = {0};
	int family = strchr(remote, ':') ? AF_INET6 : AF_INET;
	__u8 address[16] = {0};

	assert_int_equal(1, inet_pton(family, remote, address));
	parse_ports(&ports, port);
	return tables_covers(tables, family, address,
			     ports.range[0].transports == 1 << PC_TCP ? PC_TCP : PC_UDP,
			     ports.range[0].first);
}

static __u16 entry(const struct tables *tables, unsigned int port)
{
	return tables->generation->port[PC_PORT(PC_TCP, port)];
}

static __u16 out_entry(const struct tables *tables, unsigned int port)
{
	return tables->generation->out[PC_PORT(PC_TCP, port)];
}

/* --- rules --- */

static void test_union_of_pairs(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	const struct pc_generation *generation;

	(void)state;
	define(made, "g=10.0.0.0/8");
	open_service(made, "500/udp", "g", NULL);
	open_service(made, "500/udp", NULL, "67/udp");
	compiled(made, &tables);
	assert_int_equal(ask(&tables, "10.1.1.1", 67, "500/udp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "11.1.1.1", 67, "500/udp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.1.1.1", 1000, "500/udp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "11.1.1.1", 1000, "500/udp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "10.1.1.1", 67, "500/tcp"), ADMIT_UNLISTED);
	assert_int_equal(ask(&tables, "10.1.1.1", 67, "501/udp"), ADMIT_UNLISTED);
	/* As the program sees it: three spans, the middle one for anyone. */
	generation = tables.generation;
	assert_int_equal(generation->port[PC_PORT(PC_UDP, 500)], PC_PORT_RULE);
	assert_int_equal(generation->rule[0].spans, 3);
	assert_int_equal(generation->span[0].first, 0);
	assert_int_equal(generation->span[0].last, 66);
	assert_int_equal(generation->span[0].groups, 1);
	assert_int_equal(generation->span[1].first, 67);
	assert_int_equal(generation->span[1].last, 67);
	assert_int_equal(generation->span[1].anyone, 1);
	assert_int_equal(generation->span[1].groups, 0);
	assert_int_equal(generation->span[2].first, 68);
	assert_int_equal(generation->span[2].last, 65535);
}

static void test_spans(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	define(made, "g=10.0.0.0/8");
	define(made, "h=2001:db8::/32");
	/* Neighbouring spans with equal admission are joined; a span that admits no source is left
	 * out. */
	open_service(made, "1/tcp", "g", "10-20/tcp");
	open_service(made, "1/tcp", "g", "21-30/tcp");
	open_service(made, "1/tcp", "h", "40/tcp");
	/* A port open to anyone from any source port has no rule, however that came about. */
	open_service(made, "2/tcp", "g", NULL);
	open_service(made, "2/tcp", NULL, NULL);
	/* 1 to 65535 is not any source port, because 0 is missing. */
	open_service(made, "3/tcp", NULL, "1-65535/tcp");
	/* Two ports with equal rules share one, even if their services differ. */
	open_service(made, "4/tcp", "g,h", NULL);
	open_service(made, "5/tcp", "g", NULL);
	open_service(made, "5/tcp", "h", NULL);
	open_service(made, "6/tcp", "link-local,nobody", NULL);
	open_service(made, "1-6/udp", NULL, NULL);
	/* Source ports are for the port's own protocol. */
	open_service(made, "8/tcp+udp", NULL, "10/tcp,20/udp");
	/* Also open to anyone: both halves of all source ports, including 0, which no text can
	 * express. */
	add_range(&open_service(made, "9/tcp", NULL, NULL)->from_port, 101, 65535);
	add_range(&open_service(made, "9/tcp", NULL, NULL)->from_port, 0, 100);
	compiled(made, &tables);
	assert_int_equal(ask(&tables, "192.0.2.1", 10, "8/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "192.0.2.1", 20, "8/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "192.0.2.1", 10, "8/udp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "192.0.2.1", 20, "8/udp"), ADMIT_PASS);
	assert_int_equal(entry(&tables, 9), PC_PORT_OPEN);
	assert_int_equal(tables.generation->rule[0].spans, 2);
	assert_int_equal(tables.generation->span[0].first, 10);
	assert_int_equal(tables.generation->span[0].last, 30);
	assert_int_equal(tables.generation->span[1].first, 40);
	assert_int_equal(tables.generation->span[1].last, 40);
	assert_int_equal(entry(&tables, 2), PC_PORT_OPEN);
	assert_int_equal(ask(&tables, "192.0.2.1", 0, "3/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "192.0.2.1", 65535, "3/tcp"), ADMIT_PASS);
	assert_int_equal(entry(&tables, 4), entry(&tables, 5));
	assert_int_equal(ask(&tables, "2001:db8::1", 1, "4/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "169.254.255.255", 1, "6/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "169.253.1.1", 1, "6/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "febf::1", 1, "6/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "fec0::1", 1, "6/tcp"), ADMIT_SOURCE);
	assert_int_equal(entry(&tables, 0), PC_PORT_CLOSED);
	assert_int_equal(entry(&tables, 7), PC_PORT_CLOSED);
	assert_int_equal(tables.generation->port[PC_PORT(PC_UDP, 6)], PC_PORT_OPEN);
}

static void test_only_open_in(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	made->recipe.policy = PC_POLICY_OBSERVE;
	made->profile.protocol[50] = true;
	define(made, "g=10.0.0.0/8");
	open_service(made, "1/tcp", "g", NULL)->why = WHY_FEATURE;
	open_service(made, "2/tcp", "g", NULL)->direction = DIRECTION_OUT;
	open_service(made, "3/tcp,65535/tcp", NULL, NULL)->direction = DIRECTION_BOTH;
	compiled(made, &tables);
	assert_int_equal(entry(&tables, 1), PC_PORT_CLOSED);
	assert_int_equal(entry(&tables, 2), PC_PORT_CLOSED);
	assert_int_equal(out_entry(&tables, 1), PC_PORT_CLOSED);
	assert_int_equal(out_entry(&tables, 2), PC_PORT_OPEN);
	assert_int_equal(entry(&tables, 3), PC_PORT_OPEN);
	assert_int_equal(out_entry(&tables, 3), PC_PORT_OPEN);
	assert_int_equal(entry(&tables, 65535), PC_PORT_OPEN);
	assert_int_equal(tables.generation->policy, PC_POLICY_OBSERVE);
	assert_int_equal(tables.generation->protocol[50], 1);
	assert_int_equal(tables.generation->protocol[51], 0);
	/* A group that no open service needs is in no trie. */
	assert_int_equal(tables.tries4, 0);
	assert_int_equal(tables.generation->tries_digest, 0);
}

/* --- out --- */

static void test_out(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	define(made, "g=10.0.0.0/8");
	define(made, "h=2001:db8::/32,11.0.0.0/8");
	open_out(made, "25/tcp", NULL);
	open_out(made, "53/udp", "g");
	open_out(made, "53/udp", "h,nobody");
	open_out(made, "80-90/tcp", "link-local");
	open_out(made, "65535/tcp", "nobody");
	open_out(made, "993/tcp", "g");
	open_out(made, "993/tcp", NULL);
	open_out(made, "995/tcp", NULL)->why = WHY_FEATURE;
	open_service(made, "22/tcp", NULL, NULL);
	compiled(made, &tables);
	assert_int_equal(out_entry(&tables, 25), PC_PORT_OPEN);
	assert_true(covers(&tables, "192.0.2.1", "25/tcp"));
	assert_false(covers(&tables, "192.0.2.1", "25/udp"));
	assert_false(covers(&tables, "192.0.2.1", "26/tcp"));
	assert_true(covers(&tables, "10.1.1.1", "53/udp"));
	assert_true(covers(&tables, "11.1.1.1", "53/udp"));
	assert_true(covers(&tables, "2001:db8::1", "53/udp"));
	assert_false(covers(&tables, "12.1.1.1", "53/udp"));
	assert_false(covers(&tables, "10.1.1.1", "53/tcp"));
	assert_true(covers(&tables, "169.254.1.1", "80/tcp"));
	assert_true(covers(&tables, "fe80::1", "90/tcp"));
	assert_false(covers(&tables, "10.1.1.1", "90/tcp"));
	assert_false(covers(&tables, "fe80::1", "91/tcp"));
	assert_int_equal(out_entry(&tables, 65535), PC_PORT_CLOSED);
	assert_int_equal(out_entry(&tables, 993), PC_PORT_OPEN);
	assert_int_equal(out_entry(&tables, 995), PC_PORT_CLOSED);
	/* One direction does not affect the other. */
	assert_int_equal(out_entry(&tables, 22), PC_PORT_CLOSED);
	assert_int_equal(entry(&tables, 22), PC_PORT_OPEN);
	assert_int_equal(entry(&tables, 25), PC_PORT_CLOSED);
	assert_int_equal(ask(&tables, "10.1.1.1", 53, "53/udp"), ADMIT_UNLISTED);
}

static void test_both_directions(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	const struct pc_generation *generation;
	const struct pc_span *span;
	struct composed *both;

	(void)state;
	define(made, "g=10.0.0.0/8");
	define(made, "h=11.0.0.0/8");
	both = open_service(made, "100/tcp", "g", "67/tcp");
	both->direction = DIRECTION_BOTH;
	add_names(&both->to, "h,link-local");
	/* Source ports only restrict incoming packets, even if nothing else does. */
	open_service(made, "101/tcp", NULL, "67/tcp")->direction = DIRECTION_BOTH;
	/* The rule for the same groups in the other direction. */
	open_service(made, "102/tcp", "link-local,h", NULL);
	compiled(made, &tables);
	generation = tables.generation;
	assert_int_equal(ask(&tables, "10.1.1.1", 67, "100/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.1.1.1", 68, "100/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "11.1.1.1", 67, "100/tcp"), ADMIT_SOURCE);
	assert_true(covers(&tables, "11.1.1.1", "100/tcp"));
	assert_true(covers(&tables, "169.254.1.1", "100/tcp"));
	assert_false(covers(&tables, "10.1.1.1", "100/tcp"));
	assert_int_equal(entry(&tables, 101), PC_PORT_RULE + 1);
	assert_int_equal(out_entry(&tables, 101), PC_PORT_OPEN);
	assert_int_equal(out_entry(&tables, 100), entry(&tables, 102));
	assert_int_equal(generation->rule[out_entry(&tables, 100) - PC_PORT_RULE].spans, 1);
	span = &generation->span[generation->rule[out_entry(&tables, 100) - PC_PORT_RULE].span];
	assert_int_equal(span->first, 0);
	assert_int_equal(span->last, 65535);
	assert_int_equal(span->anyone, 0);
	assert_int_equal(span->link_local, 1);
	assert_int_equal(span->groups, 2);
}

static void test_settings(void **state)
{
	static const struct {
		unsigned int limit;
		__u32 interval;
	} cases[] = {
		{0, 0}, {1, 1000000000}, {3, 333333333}, {100, 10000000}, {PC_ECHO_LIMIT_MAX, 1000},
	};
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables plain = {0}, set = {0};

	(void)state;
	compiled(made, &plain);
	assert_int_equal(plain.generation->policy, PC_POLICY_ENFORCE);
	assert_int_equal(plain.generation->outbound, PC_OUTBOUND_TRACK);
	assert_int_equal(plain.generation->forward, 0);
	assert_int_equal(plain.generation->echo_interval, 10000000);
	made->recipe.outbound = PC_OUTBOUND_ENFORCE;
	made->recipe.forward = true;
	compiled(made, &set);
	assert_int_equal(set.generation->policy, PC_POLICY_ENFORCE);
	assert_int_equal(set.generation->outbound, PC_OUTBOUND_ENFORCE);
	assert_int_equal(set.generation->forward, PC_FORWARD_ALL);
	for (int i = 0; i < PROFILE_OUTBOUNDS; i++) {
		struct profile profile = {.outbound = (enum profile_outbound)i};
		const struct profile *list[] = {&profile};
		__cleanup(tables_free) struct tables tables = {0};

		made->composition.profile = list;
		made->composition.profiles = 1;
		compiled(made, &tables);
		made->composition.profile = NULL;
		made->composition.profiles = 0;
		assert_int_equal(tables.generation->outbound, i == PROFILE_OUTBOUND_ANY ?
								      PC_OUTBOUND_TRACK :
								      PC_OUTBOUND_ENFORCE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(tables_free) struct tables tables = {0};

		recipe_limit_echo(&made->recipe, cases[i].limit);
		compiled(made, &tables);
		assert_int_equal(tables.generation->echo_interval, cases[i].interval);
	}
}

/* --- tries --- */

static void test_nested_prefixes(void **state)
{
	static const struct {
		__u8 address[4];
		__u32 length;
		__u64 groups;
	} expected[] = {
		{{0, 0, 0, 0}, 0, 4},	{{10, 0, 0, 0}, 8, 5},	{{10, 1, 0, 0}, 16, 7},
		{{10, 1, 2, 0}, 24, 7}, {{10, 1, 2, 3}, 32, 7}, {{10, 2, 0, 0}, 16, 5},
		{{11, 0, 0, 0}, 8, 6},
	};
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	define(made, "a=10.0.0.0/8,10.1.2.0/24,2001:db8::/32");
	define(made, "b=10.1.0.0/16,11.0.0.0/8,2001:db8:1::/48");
	define(made, "c=0.0.0.0/0,10.1.2.3,10.2.0.0/16,10.1.2.0/24");
	open_service(made, "1/tcp", "a", NULL);
	open_service(made, "2/tcp", "b", NULL);
	open_service(made, "3/tcp", "c", NULL);
	compiled(made, &tables);
	assert_int_equal(tables.tries4, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_memory_equal(tables.trie4[i].key.address, expected[i].address, 4);
		assert_int_equal(tables.trie4[i].key.length, expected[i].length);
		assert_int_equal(tables.trie4[i].groups.word[0], expected[i].groups);
	}
	assert_int_equal(tables.tries6, 2);
	assert_int_equal(tables.trie6[0].key.length, 32);
	assert_int_equal(tables.trie6[0].groups.word[0], 1);
	assert_int_equal(tables.trie6[1].key.length, 48);
	assert_int_equal(tables.trie6[1].groups.word[0], 3);
	assert_int_equal(ask(&tables, "10.1.2.3", 1, "1/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "11.1.2.3", 1, "1/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "2001:db8:1::1", 1, "1/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "2001:db8::1", 1, "2/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "200.1.2.3", 1, "3/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "2001:db8::1", 1, "3/tcp"), ADMIT_SOURCE);
}

static __u64 digest_of(const char *g, const char *h, const char *from, const char *port)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	define(made, g);
	define(made, h);
	open_service(made, port, from, NULL);
	compiled(made, &tables);
	return tables.generation->tries_digest;
}

static void test_digest(void **state)
{
	__u64 digest = digest_of("g=10.0.0.0/8", "h=::/0", "g", "1/tcp");

	(void)state;
	assert_true(digest != 0);
	/* The digest depends only on the tries: not on ports, unneeded groups, or names. */
	assert_true(digest == digest_of("g=10.0.0.0/8,10.0.0.0/8", "h=11.0.0.0/8", "g", "2/udp"));
	assert_true(digest == digest_of("h=10.0.0.0/8", "g=::/0", "h", "1/tcp"));
	assert_true(digest != digest_of("g=10.0.0.0/9", "h=::/0", "g", "1/tcp"));
	assert_true(digest != digest_of("g=11.0.0.0/8", "h=::/0", "g", "1/tcp"));
	assert_true(digest != digest_of("g=a00::/8", "h=::/0", "g", "1/tcp"));
	assert_true(digest != digest_of("g=10.0.0.0/8", "h=10.0.0.0/8", "g,h", "1/tcp"));
	assert_true(digest != digest_of("g=10.0.0.0/8", "h=::/0", "g,h", "1/tcp"));
	assert_true(digest_of("g=10.0.0.0/8", "h=::/0", "g,h", "1/tcp") !=
		    digest_of("g=10.0.0.0/8", "h=::/1", "g,h", "1/tcp"));
	assert_true(digest_of("g=0.0.0.0/0", "h=::/0", "g", "1/tcp") != 0);
	assert_true(digest_of("g=0.0.0.0/0", "h=::/0", "link-local", "1/tcp") == 0);
}

/* --- random compositions against a naive reading of the services --- */

static unsigned int random_state;

static unsigned int below(unsigned int limit)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (unsigned int)((unsigned long long)random_state * limit >> 32);
}

/* Few different byte values, so that prefixes nest and addresses match. */
static void random_address(int family, __u8 address[16])
{
	static const __u8 some[] = {0, 1, 10, 127, 128, 129, 255};

	memset(address, 0, 16);
	for (int i = 0; i < (family == AF_INET ? 4 : 16); i++) {
		if (family == AF_INET || i < 4 || i > 13)
			address[i] = some[below(ARRAY_SIZE(some))];
	}
	if (below(8))
		address[0] = 10;
	if (!below(12)) {
		address[0] = family == AF_INET ? 169 : 0xfe;
		address[1] = family == AF_INET ? 254 : (__u8)(0x7f + below(66));
	}
}

static void random_group(struct made *made, unsigned int number)
{
	__free_text char *name = xasprintf("g%u", number);
	__cleanup(names_free) struct names list = {0};
	__cleanup(diag_free) struct diag diag = {0};

	for (unsigned int i = below(6) + 1; i--;) {
		int family = below(3) ? AF_INET : AF_INET6;
		__u8 address[16];
		char text[PREFIX_TEXT], with_length[PREFIX_TEXT + 4];
		unsigned int bits = family == AF_INET ? 32 : 128;

		random_address(family, address);
		bits = below(12) ? below(bits + 1) : 0;
		for (unsigned int bit = bits; bit < 128; bit++)
			address[bit / 8] &= (__u8) ~(0x80 >> bit % 8);
		inet_ntop(family, address, text, sizeof(text));
		snprintf(with_length, sizeof(with_length), "%s/%u", text, bits);
		names_add(&list, with_length);
	}
	assert_int_equal(0, groups_define_list(&made->recipe.groups, name, &list, NULL, &diag));
}

static unsigned int random_port(void)
{
	switch (below(4)) {
	case 0: return 65535 - below(10);
	case 1: return 1 + below(65535);
	default: return 1 + below(40);
	}
}

static void random_ports(struct ports *ports, bool both)
{
	for (unsigned int i = below(3) + 1; i--;) {
		unsigned int first = random_port(), last = below(2) ? first : random_port();

		if (last < first) {
			unsigned int swap = first;

			first = last;
			last = swap;
		}
		add_range(ports, first, last);
		ports->range[ports->count - 1].transports = both ? 3 : (__u8)(1 + below(3));
	}
}

static void random_groups(struct names *names, unsigned int groups)
{
	if (!below(4))
		return;
	/* Some of the names may be those of undefined groups, but not all, or the service would be
	 * closed. */
	for (unsigned int i = below(3) + 1; i--;) {
		__free_text char *name = xasprintf("g%u", below(groups));

		names_add_once(names, name);
	}
	if (!below(4))
		names_add(names, "nobody");
	if (!below(4))
		names_add(names, "link-local");
}

static void random_service(struct made *made, unsigned int groups)
{
	struct composed *composed = add(made);

	random_ports(&composed->ports, false);
	if (!below(3))
		random_ports(&composed->from_port, true);
	if (!below(8))
		composed->why = WHY_DISABLED;
	composed->direction = (enum direction)(1 + below(8) % 3);
	/* Also for a direction that the service does not have, where they must make no
	 * difference. */
	random_groups(&composed->from, groups);
	random_groups(&composed->to, groups);
}

struct probe {
	int family;
	__u8 address[16];
	enum pc_transport transport;
	unsigned int source_port, port;
};

static bool prefix_has(const struct prefix *prefix, const struct probe *probe)
{
	if (prefix->family != probe->family)
		return false;
	for (int bit = 0; bit < prefix->length; bit++) {
		if ((prefix->address[bit / 8] ^ probe->address[bit / 8]) & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

static bool group_has(const struct recipe *recipe, const char *name, const struct probe *probe)
{
	static const struct prefix link_local[] = {
		{.address = {169, 254}, .length = 16, .family = AF_INET},
		{.address = {0xfe, 0x80}, .length = 10, .family = AF_INET6},
	};
	bool found = false;

	if (!strcmp(name, "link-local"))
		return prefix_has(&link_local[0], probe) || prefix_has(&link_local[1], probe);
	for (size_t i = 0; i < recipe->groups.count; i++) {
		const struct group *group = &recipe->groups.group[i];

		for (size_t j = 0; !strcmp(group->name, name) && j < group->prefixes; j++)
			found |= prefix_has(&group->prefix[j], probe);
	}
	return found;
}

static bool in_ports(const struct ports *ports, enum pc_transport transport, unsigned int port)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (ports->range[i].transports & (1 << transport) &&
		    port >= ports->range[i].first && port <= ports->range[i].last)
			return true;
	}
	return false;
}

/* Whether an open `out` service lists the probe's port as a remote port. */
static bool out_oracle(const struct composition *composition, const struct probe *probe)
{
	for (size_t i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (composed->why != WHY_OPEN || composed->direction == DIRECTION_IN ||
		    !in_ports(&composed->ports, probe->transport, probe->port))
			continue;
		if (!composed->to.count)
			return true;
		for (size_t j = 0; j < composed->to.count; j++) {
			if (group_has(composition->recipe, composed->to.name[j], probe))
				return true;
		}
	}
	return false;
}

/* A naive reading of the design, service by service. */
static enum admit oracle(const struct composition *composition, const struct probe *probe)
{
	enum admit admit = ADMIT_UNLISTED;

	for (size_t i = 0; i < composition->services; i++) {
		const struct composed *composed = &composition->service[i];

		if (composed->why != WHY_OPEN || composed->direction == DIRECTION_OUT ||
		    !in_ports(&composed->ports, probe->transport, probe->port))
			continue;
		admit = ADMIT_SOURCE;
		if (composed->from_port.count &&
		    !in_ports(&composed->from_port, probe->transport, probe->source_port))
			continue;
		if (!composed->from.count)
			return ADMIT_PASS;
		for (size_t j = 0; j < composed->from.count; j++) {
			if (group_has(composition->recipe, composed->from.name[j], probe))
				return ADMIT_PASS;
		}
	}
	return admit;
}

/*
 * Properties on which the program relies: spans ascending, disjoint, joined, one for outgoing; keys
 * ascending.
 */
static void expect_order(const struct tables *tables)
{
	const struct pc_generation *generation = tables->generation;

	for (size_t i = 0; i < PC_RULES && generation->rule[i].spans; i++) {
		const struct pc_span *span = &generation->span[generation->rule[i].span];

		for (__u32 j = 0; j < generation->rule[i].spans; j++) {
			assert_true(span[j].first <= span[j].last);
			assert_true(span[j].anyone || span[j].link_local || span[j].groups);
			if (!j || span[j - 1].last + 1 < span[j].first)
				continue;
			assert_int_equal(span[j - 1].last + 1, span[j].first);
			assert_true(span[j - 1].anyone != span[j].anyone ||
				    span[j - 1].link_local != span[j].link_local ||
				    span[j - 1].groups != span[j].groups);
		}
	}
	for (size_t i = 0; i < PC_PORTS; i++) {
		const struct pc_rule *rule;

		if (generation->out[i] < PC_PORT_RULE)
			continue;
		rule = &generation->rule[generation->out[i] - PC_PORT_RULE];
		assert_int_equal(rule->spans, 1);
		assert_int_equal(generation->span[rule->span].first, 0);
		assert_int_equal(generation->span[rule->span].last, 65535);
		assert_false(generation->span[rule->span].anyone);
	}
	for (size_t i = 1; i < tables->tries4; i++) {
		int order =
			memcmp(tables->trie4[i - 1].key.address, tables->trie4[i].key.address, 4);

		assert_true(order < 0 || (!order && tables->trie4[i - 1].key.length <
							    tables->trie4[i].key.length));
	}
	for (size_t i = 1; i < tables->tries6; i++) {
		int order =
			memcmp(tables->trie6[i - 1].key.address, tables->trie6[i].key.address, 16);

		assert_true(order < 0 || (!order && tables->trie6[i - 1].key.length <
							    tables->trie6[i].key.length));
	}
}

static void random_probe(const struct made *made, struct probe *probe)
{
	const struct groups *groups = &made->recipe.groups;

	probe->family = below(3) ? AF_INET : AF_INET6;
	random_address(probe->family, probe->address);
	if (below(2)) { /* inside or next to a prefix */
		const struct group *group = &groups->group[below((unsigned int)groups->count)];
		const struct prefix *prefix = &group->prefix[below((unsigned int)group->prefixes)];

		probe->family = prefix->family;
		memcpy(probe->address, prefix->address, 16);
		if (below(2))
			probe->address[prefix->length / 8 % 16] ^= (__u8)(1 << below(8));
	}
	probe->transport = (enum pc_transport)below(PC_TRANSPORTS);
	probe->port = below(8) ? random_port() : below(65536);
	probe->source_port = below(8) ? random_port() : 0;
}

static void test_random(void **state)
{
	unsigned long verdicts[3] = {0}, covered[2] = {0};

	(void)state;
	random_state = SEED;
	print_message("seed %u\n", SEED);
	for (int round = 0; round < 400; round++) {
		__cleanup(made_free) struct made *made = make();
		__cleanup(tables_free) struct tables tables = {0};
		unsigned int groups = below(below(8) ? 6 : 64) + 1;

		for (unsigned int i = 0; i < groups; i++)
			random_group(made, i);
		for (unsigned int i = below(12) + 1; i--;)
			random_service(made, groups);
		compiled(made, &tables);
		expect_order(&tables);
		for (int i = 0; i < 3000; i++) {
			struct probe probe;
			enum admit expected, found;

			random_probe(made, &probe);
			expected = oracle(&made->composition, &probe);
			found = tables_admit(&tables, probe.family, probe.address, probe.transport,
					     (__u16)probe.source_port, (__u16)probe.port);
			if (expected != found)
				fail_msg("round %d, probe %d: port %u, source port %u: %d, not %d",
					 round, i, probe.port, probe.source_port, found, expected);
			verdicts[found]++;
			if (out_oracle(&made->composition, &probe) !=
			    tables_covers(&tables, probe.family, probe.address, probe.transport,
					  (__u16)probe.port))
				fail_msg("round %d, probe %d: out to port %u", round, i,
					 probe.port);
			covered[out_oracle(&made->composition, &probe)]++;
		}
	}
	/* A test that only ever saw one answer would prove nothing. */
	print_message("unlisted %lu, source %lu, pass %lu\n", verdicts[0], verdicts[1],
		      verdicts[2]);
	print_message("out: not covered %lu, covered %lu\n", covered[0], covered[1]);
	for (int i = 0; i < 3; i++)
		assert_true(verdicts[i] > 100000);
	assert_true(covered[0] > 100000 && covered[1] > 100000);
}

/* --- limits of services --- */

static void parse_limit(const char *text, struct limit *limit)
{
	__free_text char *why = NULL;

	assert_int_equal(0, limit_parse(text, limit, &why));
}

/* The limits of a port's first span; NULL: none. */
static const struct pc_limit_set *limits_of(const struct tables *tables, unsigned int port)
{
	const struct pc_generation *generation = tables->generation;
	__u32 rule = entry(tables, port);
	__u8 limit;

	if (rule < PC_PORT_RULE)
		return NULL;
	limit = generation->span[generation->rule[(rule & ~PC_PORT_LIMITED) - PC_PORT_RULE].span]
			.limit;
	assert_int_equal(!limit, !(rule & PC_PORT_LIMITED));
	return limit ? &generation->limit_set[limit - 1] : NULL;
}

static void test_services_with_limits(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	__cleanup(limit_free) struct limit ten = {0}, twenty = {0};
	const struct pc_limit_set *set;
	const struct pc_generation *generation;

	(void)state;
	parse_limit("10/s", &ten);
	parse_limit("20/s", &twenty);
	define(made, "g=10.0.0.0/8");
	define(made, "h=11.0.0.0/8");
	open_service(made, "100/tcp", NULL, NULL)->limit = &ten;
	open_service(made, "100/tcp", "g", NULL)->limit = &twenty;
	/* Anyone is admitted without a limit, too. */
	open_service(made, "101/tcp", NULL, NULL)->limit = &ten;
	open_service(made, "101/tcp", NULL, NULL);
	/* The group h and the link are admitted without a limit, too. */
	open_service(made, "102/tcp", "g", NULL)->limit = &twenty;
	open_service(made, "102/tcp", "h,link-local", NULL);
	open_service(made, "103/tcp", NULL, "67/tcp")->limit = &ten;
	open_service(made, "104/tcp", "h", NULL);
	/* Outgoing packets have no limit. */
	open_service(made, "105/tcp", NULL, NULL)->direction = DIRECTION_BOTH;
	made->composition.service[made->composition.services - 1].limit = &ten;
	compiled(made, &tables);
	generation = tables.generation;
	set = limits_of(&tables, 100);
	assert_non_null(set);
	assert_memory_equal(set->limit, ((__u8[PC_LIMITS_OF_SPAN]){1, 2}), PC_LIMITS_OF_SPAN);
	assert_int_equal(set->free, 0);
	assert_int_equal(set->free_link_local, 0);
	assert_int_equal(set->asks, 1);
	assert_int_equal(entry(&tables, 101), PC_PORT_OPEN);
	set = limits_of(&tables, 102);
	assert_non_null(set);
	assert_memory_equal(set->limit, ((__u8[PC_LIMITS_OF_SPAN]){2}), PC_LIMITS_OF_SPAN);
	assert_int_equal(set->free, 2);
	assert_int_equal(set->free_link_local, 1);
	assert_int_equal(set->asks, 1);
	set = limits_of(&tables, 103);
	assert_non_null(set);
	assert_memory_equal(set->limit, ((__u8[PC_LIMITS_OF_SPAN]){1}), PC_LIMITS_OF_SPAN);
	assert_int_equal(set->asks, 0);
	assert_null(limits_of(&tables, 104));
	assert_ptr_equal(limits_of(&tables, 105), set);
	assert_int_equal(out_entry(&tables, 105), PC_PORT_OPEN);
	assert_int_equal(generation->limits, 3);
	assert_int_equal(generation->limit[0].interval, 100000000);
	assert_int_equal(generation->limit[0].anyone, 1);
	assert_int_equal(generation->limit[0].groups, 0);
	assert_int_equal(generation->limit[1].interval, 50000000);
	assert_int_equal(generation->limit[1].anyone, 0);
	assert_int_equal(generation->limit[1].groups, 1);
}

/* Services of one port, each with a limit of its own. */
static void test_limits_of_port(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	struct limit limit[PC_LIMITS_OF_SPAN + 1] = {0};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(limit); i++) {
		__free_text char *text = xasprintf("%u/s", i + 1);

		parse_limit(text, &limit[i]);
		if (i == PC_LIMITS_OF_SPAN)
			compiled(made, &tables);
		open_service(made, "100/tcp", NULL, NULL)->limit = &limit[i];
	}
	assert_memory_equal(limits_of(&tables, 100)->limit, ((__u8[]){1, 2, 3, 4}), 4);
	expect_failure(
		made,
		"port 100: more than 4 services with a limit share it; leave some limits out");
	for (unsigned int i = 0; i < ARRAY_SIZE(limit); i++)
		limit_free(&limit[i]);
}

/* As many different limits as are possible, and one more. */
static void test_different_limits(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	struct limit limit[PC_LIMITS] = {0};

	(void)state;
	for (unsigned int i = 0; i < PC_LIMITS; i++) {
		__free_text char *text = xasprintf("%u/s", i + 1);
		__free_text char *port = xasprintf("%u/tcp", i + 1);

		parse_limit(text, &limit[i]);
		if (i == PC_LIMITS - 1)
			compiled(made, &tables);
		open_service(made, port, NULL, NULL)->limit = &limit[i];
	}
	for (unsigned int i = 0; i < PC_LIMITS - 1; i++)
		assert_int_equal(limits_of(&tables, i + 1)->limit[0], i + 1);
	expect_failure(
		made,
		"256 services have a limit, in 255 ways in which ports share them; at most 255 are possible");
	/* As many limits, two of them at one port. */
	made->composition.service[PC_LIMITS - 1].limit = &limit[0];
	open_service(made, "1/tcp", NULL, NULL)->limit = &limit[1];
	expect_failure(
		made,
		"255 services have a limit, in 256 ways in which ports share them; at most 255 are possible");
	for (unsigned int i = 0; i < PC_LIMITS; i++)
		limit_free(&limit[i]);
}

/* --- limits, each at its edge and one above --- */

static void add_groups(struct made *made, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		__free_text char *group = xasprintf("g%u=10.0.%u.0/24", i, i);

		define(made, group);
	}
}

static void test_limit_groups(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	add_groups(made, 66); /* more groups than the limit are defined; 64 are used */
	for (unsigned int i = 0; i < 64; i++) {
		__free_text char *name = xasprintf("g%u,link-local,nobody", 65 - i);

		open_service(made, "1/tcp", name, NULL);
	}
	compiled(made, &tables);
	assert_true(tables.generation->span[0].groups == ~0ULL);
	assert_int_equal(tables.trie4[63].groups.word[0], 1); /* the first group to be used: g65 */
	assert_int_equal(ask(&tables, "10.0.65.1", 1, "1/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.0.1.1", 1, "1/tcp"), ADMIT_SOURCE);
	open_service(made, "2/tcp", "g0", NULL);
	expect_failure(
		made,
		"the open services, deny and never-ban use 65 groups; the limit is 64, so merge some");
	open_service(made, "2/tcp", "g1", NULL);
	expect_failure(
		made,
		"the open services, deny and never-ban use 66 groups; the limit is 64, so merge some");
}

static void define_many(struct made *made, const char *name, int family, unsigned int first,
			unsigned int count)
{
	__cleanup(names_free) struct names list = {0};
	__cleanup(diag_free) struct diag diag = {0};

	for (unsigned int i = first; i < first + count; i++) {
		__free_text char *text =
			family == AF_INET ? xasprintf("%u.%u.%u.%u", 10 + (i >> 24), i >> 16 & 255,
						      i >> 8 & 255, i & 255) :
					    xasprintf("2001:db8:%x:%x::/64", i >> 16, i & 0xffff);

		names_add(&list, text);
	}
	assert_int_equal(0, groups_define_list(&made->recipe.groups, name, &list, NULL, &diag));
}

static void test_limit_prefixes(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	/* Equal prefixes of two groups are one entry. */
	define_many(made, "a", AF_INET, 0, PC_PREFIXES);
	define_many(made, "b", AF_INET, 1000, 1000);
	define_many(made, "c", AF_INET6, 0, PC_PREFIXES);
	open_service(made, "1/tcp", "a,b,c", NULL);
	compiled(made, &tables);
	assert_int_equal(tables.tries4, PC_PREFIXES);
	assert_int_equal(tables.tries6, PC_PREFIXES);
	assert_int_equal(tables.trie4[999].groups.word[0], 1);
	assert_int_equal(tables.trie4[1000].groups.word[0], 3);
	define_many(made, "b", AF_INET, PC_PREFIXES - 1, 2);
	expect_failure(made, "the groups in use have 131073 IPv4 prefixes; the limit is 131072");
	define_many(made, "b", AF_INET6, PC_PREFIXES - 1, 2);
	expect_failure(made, "the groups in use have 131073 IPv6 prefixes; the limit is 131072");
}

/* Port n admits the groups that are the bits of n: as many rules as ports. */
static void add_rules(struct made *made, unsigned int first, unsigned int last)
{
	for (unsigned int n = first; n <= last; n++) {
		struct composed *composed = open_service(made, NULL, NULL, NULL);

		add_range(&composed->ports, n, n);
		for (unsigned int bit = 0; n >> bit; bit++) {
			__free_text char *name = xasprintf("g%u", bit);

			if (n >> bit & 1)
				names_add(&composed->from, name);
		}
	}
}

static void test_limit_rules(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0}, same = {0};

	(void)state;
	add_groups(made, 14);
	add_rules(made, 1, PC_RULES);
	compiled(made, &tables);
	assert_int_equal(entry(&tables, PC_RULES), PC_PORT_RULE + PC_RULES - 1);
	assert_int_equal(ask(&tables, "10.0.12.1", 1, "4096/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.0.12.1", 1, "4095/tcp"), ADMIT_SOURCE);
	/* One more port, but no new rule. */
	open_service(made, "60000/tcp", "g0,g1", NULL);
	compiled(made, &same);
	assert_int_equal(entry(&same, 60000), entry(&same, 3));
	add_rules(made, PC_RULES + 1, PC_RULES + 1);
	expect_failure(made, "the ports need 8193 different rules; the limit is 8192");
}

/* One port from `count` source ports, no two of them neighbours. */
static void add_spans(struct made *made, unsigned int port, const char *group, unsigned int count)
{
	struct composed *composed = open_service(made, NULL, group, NULL);

	add_range(&composed->ports, port, port);
	for (unsigned int i = 0; i < count; i++)
		add_range(&composed->from_port, 2 * i + 1, 2 * i + 1);
}

static void test_limit_spans(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	add_groups(made, 17);
	for (unsigned int i = 0; i < PC_SPANS / PC_SPANS_OF_RULE; i++) {
		__free_text char *name = xasprintf("g%u", i);

		add_spans(made, 100 + i, name, PC_SPANS_OF_RULE);
	}
	compiled(made, &tables);
	assert_int_equal(ask(&tables, "10.0.15.1", 2047, "115/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.0.15.1", 2048, "115/tcp"), ADMIT_SOURCE);
	assert_int_equal(ask(&tables, "10.0.14.1", 2047, "115/tcp"), ADMIT_SOURCE);
	open_service(made, "200/tcp", "g16", NULL);
	expect_failure(made, "the rules need 16385 ranges of source ports; the limit is 16384");
}

static void test_limit_spans_of_rule(void **state)
{
	__cleanup(made_free) struct made *made = make();

	(void)state;
	add_spans(made, 100, NULL, PC_SPANS_OF_RULE + 1);
	expect_failure(
		made,
		"port 100: its services tell 1025 ranges of source ports apart; the limit is 1024");
}

/* Both directions share groups, rules and spans. */
static void test_limit_out(void **state)
{
	__cleanup(made_free) struct made *groups = make(), *rules = make(), *spans = make();
	__cleanup(tables_free) struct tables tables = {0};

	(void)state;
	add_groups(groups, 65);
	for (unsigned int i = 0; i < 64; i++) {
		__free_text char *name = xasprintf("g%u,link-local,nobody", i);

		if (i % 2)
			open_service(groups, "1/tcp", name, NULL);
		else
			open_out(groups, "1/tcp", name);
	}
	compiled(groups, &tables);
	assert_true(covers(&tables, "10.0.62.1", "1/tcp"));
	assert_false(covers(&tables, "10.0.63.1", "1/tcp"));
	assert_int_equal(ask(&tables, "10.0.63.1", 1, "1/tcp"), ADMIT_PASS);
	open_out(groups, "2/tcp", "g64");
	expect_failure(
		groups,
		"the open services, deny and never-ban use 65 groups; the limit is 64, so merge some");

	add_groups(rules, 14);
	add_rules(rules, 1, PC_RULES);
	open_out(rules, "9000/tcp", "g0,g1");
	tables_free(&tables);
	compiled(rules, &tables);
	assert_int_equal(out_entry(&tables, 9000), entry(&tables, 3));
	open_out(rules, "9000/tcp", "link-local");
	expect_failure(rules, "the ports need 8193 different rules; the limit is 8192");

	add_groups(spans, 17);
	for (unsigned int i = 0; i < PC_SPANS / PC_SPANS_OF_RULE; i++) {
		__free_text char *name = xasprintf("g%u", i);

		add_spans(spans, 100 + i, name, PC_SPANS_OF_RULE);
	}
	open_out(spans, "100/tcp", "g16");
	expect_failure(spans, "the rules need 16385 ranges of source ports; the limit is 16384");
}

/* --- time --- */

#define SERVICES 4096

static void test_time_spread(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	double start;

	(void)state;
	add_groups(made, 64);
	for (unsigned int i = 0; i < SERVICES; i++) {
		__free_text char *name = xasprintf("g%u", i % 64);
		struct composed *composed = open_service(made, NULL, name, NULL);

		for (unsigned int port = i ? i : SERVICES; port < 65536; port += SERVICES)
			add_range(&composed->ports, port, port);
	}
	start = now();
	compiled(made, &tables);
	expect_fast("65,535 ports of 4,096 services", start, 2);
	assert_int_equal(ask(&tables, "10.0.63.1", 1, "65535/tcp"), ADMIT_PASS);
}

static void test_time_whole_ranges(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	double start;

	(void)state;
	add_groups(made, 64);
	for (unsigned int i = 0; i < SERVICES; i++) {
		__free_text char *name = xasprintf("g%u,g%u", i % 64, i / 64);
		struct composed *composed = open_service(made, "1-65535/tcp+udp", name, NULL);

		add_range(&composed->from_port, i % 500 + 1, 60000 - i % 500);
		composed->from_port.range[0].transports = 3;
		composed->direction = DIRECTION_BOTH;
		add_names(&composed->to, name);
	}
	start = now();
	compiled(made, &tables);
	expect_fast("4,096 services of 1-65535", start, 2);
	assert_int_equal(ask(&tables, "10.0.63.1", 500, "65535/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.0.63.1", 60001, "65535/tcp"), ADMIT_SOURCE);
}

/* Thousands of sets of services, with thousands of services each: the worst case for ranges. */
static void test_time_nested(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	double start;

	(void)state;
	add_groups(made, 64);
	for (unsigned int i = 0; i < SERVICES; i++) {
		__free_text char *name = xasprintf("g%u,g%u", i % 64, i / 64);
		struct composed *composed = open_service(made, NULL, name, NULL);

		add_range(&composed->ports, 1 + i * 7, 65535 - i * 7);
		add_range(&composed->from_port, 1, 1000 + i % 8);
		composed->direction = DIRECTION_BOTH;
		add_names(&composed->to, name);
	}
	start = now();
	compiled(made, &tables);
	expect_fast("4,096 nested ranges, each from other groups", start, 20);
	assert_int_equal(ask(&tables, "10.0.63.1", 1000, "32767/tcp"), ADMIT_PASS);
	assert_int_equal(ask(&tables, "10.0.63.1", 1000, "1/tcp"), ADMIT_SOURCE);
	assert_true(covers(&tables, "10.0.63.1", "32767/tcp"));
	assert_false(covers(&tables, "10.0.63.1", "1/tcp"));
}

static void test_time_prefixes(void **state)
{
	__cleanup(made_free) struct made *made = make();
	__cleanup(tables_free) struct tables tables = {0};
	double start;

	(void)state;
	define_many(made, "a", AF_INET, 0, 50000);
	define_many(made, "b", AF_INET6, 0, 50000);
	define_many(made, "c", AF_INET, 25000, 50000);
	open_service(made, "1/tcp", "a,b,c", NULL);
	start = now();
	compiled(made, &tables);
	expect_fast("150,000 prefixes of 3 groups", start, 2);
	assert_int_equal(tables.tries4, 75000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_union_of_pairs),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_only_open_in),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_nested_prefixes),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_services_with_limits),
		cmocka_unit_test(test_limits_of_port),
		cmocka_unit_test(test_different_limits),
		cmocka_unit_test(test_limit_groups),
		cmocka_unit_test(test_limit_prefixes),
		cmocka_unit_test(test_limit_rules),
		cmocka_unit_test(test_limit_spans),
		cmocka_unit_test(test_limit_spans_of_rule),
		cmocka_unit_test(test_limit_out),
		cmocka_unit_test(test_time_spread),
		cmocka_unit_test(test_time_whole_ranges),
		cmocka_unit_test(test_time_nested),
		cmocka_unit_test(test_time_prefixes),
	};

	return cmocka_run_group_tests_name("compile/compile", tests, NULL, NULL);
}
