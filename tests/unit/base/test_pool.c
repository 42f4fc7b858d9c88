// SPDX-License-Identifier: GPL-2.0
/* Equal byte strings have the same number, others another one, in the order in which they came. */
#include "loader/base/pool.h"

#include "tests/unit/expect.h"

#define MANY 5000

static void test_numbers(void **state)
{
	__cleanup(pool_free) struct pool pool = {0};
	__u64 word[3] = {0, 0, 0};

	(void)state;
	assert_int_equal(pool_number(&pool, NULL, 0), 0);
	assert_int_equal(pool_number(&pool, word, 8), 1);
	assert_int_equal(pool_number(&pool, word, 16), 2); /* another length */
	assert_int_equal(pool_number(&pool, word, 24), 3);
	assert_int_equal(pool_number(&pool, NULL, 0), 0);
	for (__u64 i = 1; i <= MANY; i++) {
		word[0] = i;
		assert_int_equal(pool_number(&pool, word, 8), 3 + i);
		/* The pool has a copy of it. */
		word[0] = 0;
		assert_int_equal(pool_number(&pool, word, 8), 1);
	}
	for (__u64 i = MANY; i; i--) {
		word[0] = i;
		assert_int_equal(pool_number(&pool, word, 8), 3 + i);
		word[1] = i;
		word[0] = 0;
		assert_int_equal(pool_number(&pool, word, 16), 4 + MANY + (MANY - i));
		word[1] = 0;
	}
	assert_int_equal(pool.count, 4 + 2 * MANY);
	assert_int_equal(pool_number(&pool, NULL, 0), 0); /* the first one, in a grown pool */
}

/* A digest depends on the order, and continues from an earlier state. */
static void test_digest(void **state)
{
	const __u64 one[] = {1, 2}, turned[] = {2, 1};

	(void)state;
	assert_true(pool_digest(0, one, 16) == pool_digest(0, one, 16));
	assert_true(pool_digest(0, one, 16) != pool_digest(0, turned, 16));
	assert_true(pool_digest(0, one, 8) != pool_digest(0, one, 16));
	assert_true(pool_digest(0, one, 16) != pool_digest(1, one, 16));
	assert_true(pool_digest(pool_digest(0, one, 8), one + 1, 8) == pool_digest(0, one, 16));
	assert_true(pool_digest(7, one, 0) == 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
