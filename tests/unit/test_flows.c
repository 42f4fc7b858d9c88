// SPDX-License-Identifier: GPL-2.0
/* Learned flows: which are live, their order, and what is said of them. The map is a fake. */
#include <arpa/inet.h>
#include <errno.h>

/* The real source, reading the fake map below. */
#define bpf_obj_get_info_by_fd fake_info
#include "loader/filter/flows.c"
#undef bpf_obj_get_info_by_fd

#include "tests/unit/expect.h"

#define SIZE   1000
#define TALKED (PC_FLOW_REPLIED | PC_FLOW_ASSURED)

static struct {
	struct pc_flow key[SIZE];
	struct pc_flow_state state[SIZE];
	size_t count;
} fake;

int fake_info(int map, void *info, __u32 *length)
{
	struct bpf_map_info *map_info = info;

	(void)length;
	if (map < 0)
		return -EBADF;
	map_info->id = 100 + map;
	map_info->max_entries = SIZE;
	return 0;
}

int map_walk(int map, __u32 key_size, __u32 value_size, map_walk_entry entry, void *context)
{
	if (map != 7) /* the others are empty */
		return 0;
	assert_int_equal(key_size, sizeof(struct pc_flow));
	assert_int_equal(value_size, sizeof(struct pc_flow_state));
	for (size_t i = 0; i < fake.count; i++)
		entry(&fake.key[i], &fake.state[i], context);
	return 0;
}

static struct pc_flow key_of(__u8 protocol, const char *local, int local_port, const char *remote,
			     int remote_port)
{
	struct pc_flow key = {.protocol = protocol, .family = strchr(local, ':') ? 6 : 4};

	if (key.family == 4) {
		assert_int_equal(inet_pton(AF_INET, local, &key.ipv4.local), 1);
		assert_int_equal(inet_pton(AF_INET, remote, &key.ipv4.remote), 1);
		key.ipv4.local_port = htons(local_port);
		key.ipv4.remote_port = htons(remote_port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, local, key.ipv6.local), 1);
		assert_int_equal(inet_pton(AF_INET6, remote, key.ipv6.remote), 1);
		key.ipv6.local_port = htons(local_port);
		key.ipv6.remote_port = htons(remote_port);
	}
	return key;
}

/* Last seen `age` seconds ago. */
static void put(struct pc_flow key, __u32 ifindex, __u8 flags, __u64 age)
{
	fake.key[fake.count] = key;
	fake.state[fake.count++] = (struct pc_flow_state){
		.seen = clock_monotonic() - age * PC_SECOND,
		.ifindex = ifindex,
		.flags = flags,
	};
}

static const int maps[FLOW_MAPS] = {[FLOWS_CONNECTIONS] = 7, [FLOWS_STREAMS] = 8, [FLOWS_REST] = 9};
static const int none[FLOW_MAPS] = {-1, -1, -1};

static int empty_map(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return 0;
}

/* A look at the clock counts in its own slot, and in no other, however late. */
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
	json_t *json = flow_json(flow, "eth0");
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
	expect_json(&flow, "{\"interface\": \"eth0\", \"protocol\": \"udp\", "
			   "\"local\": \"10.0.0.1\", \"local_port\": 40000, "
			   "\"remote\": \"10.0.0.2\", \"remote_port\": 53, "
			   "\"state\": \"sent\", \"idle\": 5, \"expires\": 25}");
	flow.key = key_of(IPPROTO_TCP, "fe80::1", 65535, "2001:db8::2", 1);
	flow.flags = TALKED;
	expect_json(&flow, "{\"interface\": \"eth0\", \"protocol\": \"tcp\", "
			   "\"local\": \"fe80::1\", \"local_port\": 65535, "
			   "\"remote\": \"2001:db8::2\", \"remote_port\": 1, "
			   "\"state\": \"established\", \"idle\": 5, \"expires\": 431995}");
	flow.flags = PC_FLOW_REPLIED;
	flow.key = key_of(IPPROTO_ICMPV6, "::1", 258, "2001:db8::2", 0);
	expect_json(&flow, "{\"interface\": \"eth0\", \"protocol\": \"icmpv6\", "
			   "\"local\": \"::1\", \"identifier\": 258, "
			   "\"remote\": \"2001:db8::2\", "
			   "\"state\": \"replied\", \"idle\": 5, \"expires\": 25}");
}

static void test_read(void **state)
{
	struct flows flows = {};
	__u32 id, second = 2;

	(void)state;
	put(key_of(IPPROTO_UDP, "2001:db8::1", 9, "2001:db8::9", 53), 1, 0, 0);
	put(key_of(IPPROTO_UDP, "10.0.0.1", 9, "10.0.0.20", 53), 1, 0, 0);
	put(key_of(IPPROTO_UDP, "10.0.0.1", 9, "10.0.0.3", 257), 1, 0, 1);
	put(key_of(IPPROTO_UDP, "10.0.0.1", 9, "10.0.0.3", 2), 1, 0, 2);
	put(key_of(IPPROTO_UDP, "10.0.0.1", 9, "10.0.0.3", 3), 1, 0, 30); /* expired */
	put(key_of(IPPROTO_TCP, "10.0.0.1", 9, "10.0.0.99", 80), 1, 0, 0);
	put(key_of(IPPROTO_UDP, "10.0.0.1", 9, "10.0.0.1", 1), 2, TALKED, 119);
	put(key_of(IPPROTO_UDP, "10.0.0.1", 9, "10.0.0.3", 2), 1, 0, 2); /* shown twice */
	assert_int_equal(flows_id(7, &id), 0);
	assert_int_equal(id, 107);
	assert_int_equal(flows_read(maps, NULL, 0, &flows), 0);
	assert_int_equal(flows.count, 6);
	assert_int_equal(flows.all.size, 3 * SIZE);
	assert_int_equal(flows.flow[0].key.protocol, IPPROTO_TCP);
	assert_int_equal(ntohs(flows.flow[1].key.ipv4.remote_port), 2);
	assert_int_equal(flows.flow[1].idle, 2);
	assert_int_equal(ntohs(flows.flow[2].key.ipv4.remote_port), 257);
	assert_int_equal(ntohl(flows.flow[3].key.ipv4.remote) & 0xff, 20);
	assert_int_equal(flows.flow[4].key.family, 6);
	assert_int_equal(flows.flow[5].ifindex, 2);
	assert_int_equal(flows.use[FLOWS_CONNECTIONS].used, 7);
	assert_int_equal(flows.use[FLOWS_STREAMS].used, 0);
	assert_int_equal(flows.use[FLOWS_REST].size, SIZE);
	flows_free(&flows);
	assert_int_equal(flows_read(maps, &second, 1, &flows), 0);
	assert_int_equal(flows.count, 1);
	assert_int_equal(flows.all.used, 7); /* of all interfaces, as shown */
	assert_int_equal(flows.flow[0].ifindex, 2);
	flows_free(&flows);
	assert_int_equal(flows_count(maps, &flows), 0);
	assert_int_equal(flows.all.used, 7);
	assert_null(flows.flow);
}

static void test_none(void **state)
{
	struct flows flows = {};
	__u32 id;

	(void)state;
	assert_int_equal(flows_read(maps, NULL, 0, &flows), 0);
	assert_int_equal(flows.count, 0);
	assert_int_equal(flows.all.used, 0);
	flows_free(&flows);
	assert_int_equal(flows_read(none, NULL, 0, &flows), -EBADF);
	assert_int_equal(flows_count(none, &flows), -EBADF);
	assert_int_equal(flows_id(-1, &id), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_looked),
		cmocka_unit_test(test_json),
		cmocka_unit_test_setup(test_read, empty_map),
		cmocka_unit_test_setup(test_none, empty_map),
	};

	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
