// SPDX-License-Identifier: GPL-2.0
/* Which interface is above which: bridges, bonds, VLANs, and interfaces that only look like it. */
#include "loader/net/link_graph.h"

#include "tests/unit/expect.h"

static struct link list[] = {
	{.ifindex = 1, .name = "lo"},
	{.ifindex = 2, .name = "eth0", .master = 4},
	{.ifindex = 3, .name = "eth1", .master = 4},
	{.ifindex = 4, .name = "bond0", .kind = "bond", .master = 5},
	{.ifindex = 5, .name = "br0", .kind = "bridge"},
	{.ifindex = 6, .name = "br0.7", .kind = "vlan", .lower = 5},
	{.ifindex = 7, .name = "mac0", .kind = "macvlan", .lower = 6},
	{.ifindex = 8, .name = "eth2", .master = 9},
	{.ifindex = 9, .name = "vrf0", .kind = "vrf"},
	{.ifindex = 10, .name = "tun0", .kind = "ipip", .lower = 8},
	{.ifindex = 11, .name = "veth0", .kind = "veth", .lower = 12},
	{.ifindex = 12, .name = "veth1", .kind = "veth", .lower = 11},
	{.ifindex = 13, .name = "eth3", .master = 14},
	{.ifindex = 14, .name = "team0", .kind = "team"},
	{.ifindex = 15, .name = "tap0", .kind = "macvtap", .lower = 8},
	{.ifindex = 16, .name = "ipv0", .kind = "ipvlan", .lower = 8},
	{.ifindex = 17, .name = "ipt0", .kind = "ipvtap", .lower = 8},
	{.ifindex = 18, .name = "a0", .kind = "vlan", .lower = 19},
	{.ifindex = 19, .name = "a1", .kind = "vlan", .lower = 18},
	{.ifindex = 20, .name = "eth4", .master = 21},
	{.ifindex = 21, .name = "bond1", .kind = "bond"},
	{.ifindex = 22, .name = "bond1.7", .kind = "vlan", .lower = 21},
	{.ifindex = 23, .name = "bond1.7.8", .kind = "vlan", .lower = 22},
	{.ifindex = 24, .name = "mac1", .kind = "macvlan", .lower = 21},
};
static const struct links links = {.link = list, .count = ARRAY_SIZE(list)};

static void test_find(void **state)
{
	(void)state;
	assert_ptr_equal(links_find(&links, 1), &list[0]);
	assert_ptr_equal(links_find(&links, 24), &list[23]);
	assert_null(links_find(&links, 25));
	assert_null(links_find(&links, 0));
}

static void test_above(void **state)
{
	static const unsigned int above[][2] = {{4, 2},	  {4, 3},   {5, 4},   {6, 5},	{7, 6},
						{14, 13}, {15, 8},  {16, 8},  {17, 8},	{18, 19},
						{19, 18}, {21, 20}, {22, 21}, {23, 22}, {24, 21}};

	(void)state;
	for (unsigned int upper = 1; upper <= links.count; upper++)
		for (unsigned int lower = 1; lower <= links.count; lower++) {
			bool expected = false;

			for (size_t i = 0; i < ARRAY_SIZE(above); i++)
				expected |= above[i][0] == upper && above[i][1] == lower;
			if (links_is_above(links_find(&links, upper), links_find(&links, lower)) !=
			    expected)
				fail_msg("%u above %u", upper, lower);
		}
}

static void test_comes_by(void **state)
{
	static const struct {
		unsigned int upper, lower;
		bool comes;
	} cases[] = {
		{2, 2, true},	{7, 2, true},	{7, 3, true},	 {7, 5, true},	 {5, 2, true},
		{2, 4, false},	{2, 3, false},	{9, 8, false},	 {10, 8, false}, {11, 12, false},
		{15, 8, true},	{14, 13, true}, {18, 19, true},	 {18, 2, false}, {20, 2, false},
		{2, 20, false}, {0, 0, false},	{99, 99, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (links_comes_by(&links, cases[i].upper, cases[i].lower) != cases[i].comes)
			fail_msg("%u by %u", cases[i].upper, cases[i].lower);
}

/* As many steps as the kernel allows, and more. */
static void test_depth(void **state)
{
	struct link tower[10] = {{.ifindex = 1}};
	struct links stack = {.link = tower, .count = ARRAY_SIZE(tower)};

	(void)state;
	for (unsigned int i = 1; i < ARRAY_SIZE(tower); i++)
		tower[i] = (struct link){.ifindex = i + 1, .kind = "vlan", .lower = i};
	assert_true(links_comes_by(&stack, 10, 1));
	assert_false(links_comes_by(&stack, 1, 10));
}

static void test_zone(void **state)
{
	static const unsigned int zone[][2] = {
		{1, 1}, {2, 5}, {3, 5},	  {4, 5},   {5, 5},
		{6, 6}, {8, 8}, {13, 14}, {14, 14}, {99, 99},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zone); i++)
		assert_int_equal(links_zone(&links, zone[i][0]), zone[i][1]);
}

static void test_way(void **state)
{
	static const struct {
		unsigned int lower, upper, way[6];
	} cases[] = {
		{2, 5, {2, 4, 5}}, {2, 7, {2, 4, 5, 6, 7}},
		{3, 4, {3, 4}},	   {5, 5, {5}},
		{8, 9, {8}},	   {2, 1, {2}},
		{8, 15, {8, 15}},  {25, 2, {0}},
	};
	const struct link *way[LINKS_WAY];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t count = links_way(&links, cases[i].lower, cases[i].upper, way), wanted = 0;

		while (wanted < 6 && cases[i].way[wanted])
			wanted++;
		if (count != wanted)
			fail_msg("%u to %u: %zu", cases[i].lower, cases[i].upper, count);
		for (size_t j = 0; j < wanted; j++)
			assert_int_equal(way[j]->ifindex, cases[i].way[j]);
	}
	/* A loop of interfaces above each other ends. */
	assert_int_equal(links_way(&links, 18, 99, way), 1);
}

static void test_vlan(void **state)
{
	(void)state;
	assert_true(links_is_vlan(&links, 22, 20));
	assert_true(links_is_vlan(&links, 23, 20));
	assert_true(links_is_vlan(&links, 22, 21));
	assert_false(links_is_vlan(&links, 24, 20)); /* a macvlan */
	assert_false(links_is_vlan(&links, 6, 2));   /* a bridge is between them */
	assert_false(links_is_vlan(&links, 22, 8));
	assert_false(links_is_vlan(&links, 22, 22));
	assert_false(links_is_vlan(&links, 25, 20));
}

static void test_freed(void **state)
{
	struct links made = {.link = xcalloc(1, sizeof(struct link)),
			     .count = 1,
			     .address = xcalloc(1, sizeof(struct link_address)),
			     .addresses = 1};

	(void)state;
	links_free(&made);
	assert_null(made.link);
	assert_null(made.address);
	assert_int_equal(made.count + made.addresses, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	 cmocka_unit_test(test_above),
		cmocka_unit_test(test_comes_by), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_zone),	 cmocka_unit_test(test_way),
		cmocka_unit_test(test_vlan),	 cmocka_unit_test(test_freed),
	};

	return cmocka_run_group_tests_name("net/link_graph", tests, NULL, NULL);
}
