// SPDX-License-Identifier: GPL-2.0
/* Reading the flows from their maps. The maps are fakes. */
#include <arpa/inet.h>
#include <errno.h>

/* The real source file, which reads the fake map below. */
#define bpf_obj_get_info_by_fd fake_info
#include "loader/filter/flows.c"
#undef bpf_obj_get_info_by_fd

#include "tests/unit/expect.h"
#include "tests/unit/report/flow_key.h"

#define SIZE 1000

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
	/* of all interfaces, in the order in which they are shown */
	assert_int_equal(flows.all.used, 7);
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
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_read, empty_map),
		cmocka_unit_test_setup(test_none, empty_map),
	};

	return cmocka_run_group_tests_name("filter/flows", tests, NULL, NULL);
}
