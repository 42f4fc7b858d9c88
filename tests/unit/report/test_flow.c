// SPDX-License-Identifier: GPL-2.0
/* One flow: whether it lives, when it expires, its JSON. */
#include "loader/base/memory.h"
#include "loader/report/flow.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/flow_key.h"

/* Reading the clock counts in its own slot, and in no other, however late. */
static void test_looked(void **state)
{
	static const __u64 slots[] = {1, PC_SLOT_MASK, 0x3ffedb0, (5ULL << PC_SLOT_BITS) + 77};
	const __u64 seen = 123456789 * PC_SECOND;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		struct pc_flow_state flow = {.flags = TALKED, .ifindex = 7}, fresh = {.seen = seen};

		pc_look(&flow, slots[i], seen);
		assert_true(pc_looked(&flow, slots[i]));
		assert_false(pc_looked(&flow, slots[i] + 1));
		for (__u64 round = 1; round < 1000; round++)
			assert_false(pc_looked(&flow, slots[i] + (round << PC_SLOT_BITS)));
		assert_in_range(seen - flow.seen + PC_SEEN_SPARE, 0, 2 * PC_SEEN_SPARE);
		assert_int_equal(flow.flags, TALKED);
		assert_int_equal(flow.ifindex, 7);
		assert_false(pc_looked(&fresh, slots[i]));
	}
}

/* The clock of `seen` may be before the boot for a seeded flow, or after the reader's for one in
 * use. */
static void test_clocks(void **state)
{
	const struct pc_flow tcp = {.protocol = IPPROTO_TCP}, udp = {.protocol = IPPROTO_UDP};
	const __u64 now = 3600 * PC_SECOND;
	struct pc_flow_state flow = {.seen = now - 431400 * PC_SECOND, .flags = TALKED};
	__u32 idle = 0;

	(void)state;
	assert_true(flow_live(&tcp, &flow, now, &idle));
	assert_int_equal(idle, 431400);
	flow.seen = now + 5;
	assert_true(flow_live(&tcp, &flow, now, &idle));
	assert_int_equal(idle, 0);
	flow.flags = PC_FLOW_MAYBE; /* it is not learned yet, whenever it was seen */
	assert_false(flow_live(&udp, &flow, now, &idle));
}

static void test_live(void **state)
{
	static const struct {
		__u8 protocol, flags;
		__u32 lifetime;
		const char *name;
	} cases[] = {
		{IPPROTO_UDP, 0, 30, "sent"},
		{IPPROTO_UDP, PC_FLOW_REPLIED, 30, "replied"},
		{IPPROTO_UDP, TALKED, 120, "stream"},
		{IPPROTO_ICMP, 0, 30, "sent"},
		{IPPROTO_ICMPV6, PC_FLOW_REPLIED, 30, "replied"},
		{IPPROTO_TCP, 0, 120, "sent"},
		{IPPROTO_TCP, PC_FLOW_REPLIED, 120, "replied"},
		{IPPROTO_TCP, PC_FLOW_REPLIED | PC_FLOW_FIN_IN, 120, "closing"},
		{IPPROTO_TCP, TALKED, 432000, "established"},
		{IPPROTO_TCP, TALKED | PC_FLOW_FIN_OUT, 120, "closing"},
		{IPPROTO_TCP, TALKED | PC_FLOW_FIN_IN, 7440, "closing"},
		{IPPROTO_TCP, TALKED | PC_FLOW_RESET_IN, 7440, "reset"},
		{IPPROTO_TCP, TALKED | PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT, 120, "closing"},
		{IPPROTO_TCP, PC_FLOW_FIN_OUT, 120, "closing"},
		{IPPROTO_TCP, TALKED | PC_FLOW_FIN_OUT | PC_FLOW_RESET, 10, "reset"},
	};
	__u64 now = 1000000 * PC_SECOND;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct flow flow = {.key.protocol = cases[i].protocol, .flags = cases[i].flags};
		struct pc_flow_state seen = {.flags = cases[i].flags};

		seen.seen = now - cases[i].lifetime * PC_SECOND + 1;
		assert_true(flow_live(&flow.key, &seen, now, &flow.idle));
		assert_int_equal(flow.idle, cases[i].lifetime - 1);
		assert_int_equal(flow_expires(&flow), 1);
		seen.seen--;
		assert_false(flow_live(&flow.key, &seen, now, &flow.idle));
		seen.seen = now + 5 * PC_SECOND; /* after the clock was read */
		assert_true(flow_live(&flow.key, &seen, now, &flow.idle));
		assert_int_equal(flow.idle, 0);
		assert_int_equal(flow_expires(&flow), cases[i].lifetime);
		assert_string_equal(flow_state_name(&flow), cases[i].name);
	}
}

static void expect_json(const struct flow *flow, const char *wanted)
{
	json_t *json = flow_json(flow, "eth0", NULL);
	char *text = json_dumps(json, 0);

	assert_string_equal(text, wanted);
	free(text);
	json_decref(json);
}

static void test_json(void **state)
{
	struct flow flow = {.idle = 5};

	(void)state;
	flow.key = key_of(IPPROTO_UDP, "10.0.0.1", 40000, "10.0.0.2", 53);
	expect_json(&flow, "{\"interface\": \"eth0\", \"machine\": null, \"protocol\": \"udp\", "
			   "\"local\": \"10.0.0.1\", \"local_port\": 40000, "
			   "\"remote\": \"10.0.0.2\", \"remote_port\": 53, "
			   "\"state\": \"sent\", \"idle\": 5, \"expires\": 25}");
	flow.key = key_of(IPPROTO_TCP, "fe80::1", 65535, "2001:db8::2", 1);
	flow.flags = TALKED;
	expect_json(&flow, "{\"interface\": \"eth0\", \"machine\": null, \"protocol\": \"tcp\", "
			   "\"local\": \"fe80::1\", \"local_port\": 65535, "
			   "\"remote\": \"2001:db8::2\", \"remote_port\": 1, "
			   "\"state\": \"established\", \"idle\": 5, \"expires\": 431995}");
	flow.flags = PC_FLOW_REPLIED;
	flow.key = key_of(IPPROTO_ICMPV6, "::1", 258, "2001:db8::2", 0);
	expect_json(&flow, "{\"interface\": \"eth0\", \"machine\": null, \"protocol\": \"icmpv6\", "
			   "\"local\": \"::1\", \"identifier\": 258, "
			   "\"remote\": \"2001:db8::2\", "
			   "\"state\": \"replied\", \"idle\": 5, \"expires\": 25}");
	flow.key = key_of(IPPROTO_ICMP, "10.0.0.1", 7, "10.0.0.2", 0);
	expect_json(&flow, "{\"interface\": \"eth0\", \"machine\": null, \"protocol\": \"icmp\", "
			   "\"local\": \"10.0.0.1\", \"identifier\": 7, "
			   "\"remote\": \"10.0.0.2\", "
			   "\"state\": \"replied\", \"idle\": 5, \"expires\": 25}");
}

/* Order: interface, family and protocol, then the bytes of the tuple. */
static void test_compare(void **state)
{
	struct flow list[6] = {
		{.ifindex = 1, .key = key_of(IPPROTO_TCP, "10.0.0.1", 1, "10.0.0.2", 2)},
		{.ifindex = 1, .key = key_of(IPPROTO_UDP, "10.0.0.1", 1, "10.0.0.2", 2)},
		{.ifindex = 1, .key = key_of(IPPROTO_UDP, "10.0.0.1", 1, "10.0.0.3", 2)},
		{.ifindex = 1, .key = key_of(IPPROTO_ICMPV6, "::1", 1, "::2", 2)},
		{.ifindex = 2, .key = key_of(IPPROTO_TCP, "10.0.0.1", 1, "10.0.0.2", 2)},
		{.ifindex = 300, .key = key_of(IPPROTO_TCP, "10.0.0.1", 1, "10.0.0.2", 2)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		for (size_t j = 0; j < ARRAY_SIZE(list); j++) {
			int order = flow_compare(&list[i], &list[j]);

			assert_int_equal(order < 0 ? -1 : order > 0, i < j ? -1 : i > j);
		}
}

static void test_link(void **state)
{
	static const struct {
		const char *local, *remote;
		bool has;
	} cases[] = {
		{"10.0.0.1", "10.0.0.2", false}, {"169.254.0.1", "169.254.0.2", false},
		{"::1", "2001:db8::2", false},	 {"fe80::1", "2001:db8::2", true},
		{"::1", "fe80::2", true},	 {"febf::1", "::2", true},
		{"fec0::1", "::2", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pc_flow key = key_of(IPPROTO_UDP, cases[i].local, 1, cases[i].remote, 2);

		assert_int_equal(flow_has_link(&key), cases[i].has);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),	cmocka_unit_test(test_live),
		cmocka_unit_test(test_looked),	cmocka_unit_test(test_json),
		cmocka_unit_test(test_compare), cmocka_unit_test(test_link),
	};

	return cmocka_run_group_tests_name("report/flow", tests, NULL, NULL);
}
