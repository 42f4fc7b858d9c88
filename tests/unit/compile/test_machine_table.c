// SPDX-License-Identifier: GPL-2.0
/* The hash of machines' prefixes: the longest prefix is found, however many there are. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/machine_table.h"
#include "tests/unit/expect.h"

static struct machine_prefix make(const char *text, __u16 class)
{
	struct machine_prefix made = {.class = class, .tallies = 10U + class};
	__free_text char *why = NULL;

	assert_int_equal(prefix_parse(text, &made.prefix, &why), 0);
	return made;
}

/* The class of an address; -1: no prefix contains it. */
static int class_at(const struct pc_generation *generation, const char *text)
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	const struct pc_machine *machine;
	__u8 address[16] = {};

	assert_int_equal(inet_pton(family, text, address), 1);
	machine = machine_table_find(generation, family, address);
	return machine ? machine->class : -1;
}

static void test_longest(void **state)
{
	const struct machine_prefix prefix[] = {
		make("192.0.2.0/24", 1), make("192.0.2.16/28", 2),    make("192.0.2.20", 3),
		make("10.0.0.0/8", 4),	 make("2001:db8::/32", 5),    make("2001:db8::/64", 6),
		make("2001:db8::7", 7),	 make("2001:db8:0:1::/64", 8)};
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));

	(void)state;
	assert_int_equal(machine_table_fill(prefix, ARRAY_SIZE(prefix), generation), 0);
	assert_int_equal(class_at(generation, "192.0.2.20"), 3);
	assert_int_equal(class_at(generation, "192.0.2.21"), 2);
	assert_int_equal(class_at(generation, "192.0.2.32"), 1);
	assert_int_equal(class_at(generation, "192.0.3.20"), -1);
	assert_int_equal(class_at(generation, "10.255.255.255"), 4);
	assert_int_equal(class_at(generation, "2001:db8::7"), 7);
	assert_int_equal(class_at(generation, "2001:db8::8"), 6);
	assert_int_equal(class_at(generation, "2001:db8:0:1::7"), 8);
	assert_int_equal(class_at(generation, "2001:db8:1::7"), 5);
	assert_int_equal(class_at(generation, "2001:db9::7"), -1);
	free(generation);
}

/* As many prefixes as allowed, neighbouring and scattered, of both families. */
static void test_full(void **state)
{
	struct machine_prefix *prefix = xcalloc(PC_MACHINE_PREFIXES, sizeof(*prefix));
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));
	char text[64];

	(void)state;
	for (unsigned int step = 1; step <= 257; step += 256) {
		for (unsigned int i = 0; i < PC_MACHINE_PREFIXES; i++) {
			unsigned int n = i / 2 * step;

			snprintf(text, sizeof(text), i % 2 ? "2001:db8::%x:%x" : "10.%u.%u.%u",
				 i % 2 ? n >> 16 : n >> 16 & 255, i % 2 ? n & 0xffff : n >> 8 & 255,
				 n & 255);
			prefix[i] = make(text, (__u16)(1 + i % 64));
		}
		assert_int_equal(machine_table_fill(prefix, PC_MACHINE_PREFIXES, generation), 0);
		for (unsigned int i = 0; i < PC_MACHINE_PREFIXES; i++) {
			const struct pc_machine *found = machine_table_find(
				generation, prefix[i].prefix.family, prefix[i].prefix.address);

			assert_non_null(found);
			assert_int_equal(found->class, 1 + i % 64);
			assert_int_equal(found->tallies, 11 + i % 64);
		}
		assert_int_equal(class_at(generation, "11.0.0.0"), -1);
		assert_int_equal(class_at(generation, "2001:db9::"), -1);
	}
	free(generation);
	free(prefix);
}

static void test_own(void **state)
{
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));
	const __u8 inside[16] = {192, 0, 2, 1}, exact[16] = {192, 0, 2, 20},
		   outside[16] = {192, 0, 3, 1};
	struct machine_prefix *prefix = NULL;
	size_t count = 0;

	(void)state;
	prefix = grow(prefix, count++, sizeof(*prefix));
	prefix[0] = make("192.0.2.0/24", 1);
	prefix = grow(prefix, count++, sizeof(*prefix));
	prefix[1] = make("192.0.2.20", 2);
	assert_int_equal(machine_table_fill(prefix, count, generation), 0);
	assert_true(machine_table_exempt(generation, &prefix, &count, AF_INET, inside));
	assert_false(machine_table_exempt(generation, &prefix, &count, AF_INET, outside));
	assert_int_equal(machine_table_fill(prefix, count, generation), 0);
	assert_int_equal(class_at(generation, "192.0.2.1"), 0);
	assert_int_equal(class_at(generation, "192.0.2.2"), 1);
	assert_int_equal(class_at(generation, "192.0.2.20"), 2);
	/* The prefix of a machine that is exactly this address does not have it either. */
	assert_true(machine_table_exempt(generation, &prefix, &count, AF_INET, exact));
	assert_int_equal(count, 3);
	assert_int_equal(machine_table_fill(prefix, count, generation), 0);
	assert_int_equal(class_at(generation, "192.0.2.20"), 0);
	assert_false(machine_table_exempt(generation, &prefix, &count, AF_INET, exact));
	free(prefix);
	free(generation);
}

static void test_lengths(void **state)
{
	struct machine_prefix prefix[MACHINE_LENGTHS + 1];
	__cleanup(diag_free) struct diag diag = {};
	char text[32];

	(void)state;
	for (int i = 0; i <= MACHINE_LENGTHS; i++) {
		snprintf(text, sizeof(text), "%d.0.0.0/%d", i + 1, 24 - i);
		prefix[i] = make(text, 1);
	}
	assert_int_equal(machine_table_check(prefix, MACHINE_LENGTHS, &diag), 0);
	assert_int_equal(machine_table_check(prefix, MACHINE_LENGTHS + 1, &diag), -EINVAL);
	assert_non_null(strstr(diag.entry[0].message, "9 different lengths of IPv4 prefixes"));
}

static void test_reserved(void **state)
{
	static const char *const reserved[] = {"224.0.0.0/24", "0.0.0.0/0",   "255.255.255.255",
					       "127.0.0.1",    "128.0.0.0/1", "ff02::/16",
					       "::/0",	       "::1"};
	static const char *const others[] = {"192.0.2.0/24", "240.0.0.0/8", "2001:db8::/32",
					     "fe80::/64"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
		const struct machine_prefix made = make(reserved[i], 1);

		assert_true(machine_prefix_reserved(&made.prefix));
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const struct machine_prefix made = make(others[i], 1);

		assert_false(machine_prefix_reserved(&made.prefix));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest),	 cmocka_unit_test(test_full),
		cmocka_unit_test(test_own),	 cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
