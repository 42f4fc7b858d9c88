// SPDX-License-Identifier: GPL-2.0
/* Limits: reading, writing, errors. */
#include "loader/recipe/limit.h"

#include <errno.h>

#include "tests/unit/expect.h"

static void expect_text(const char *text, const char *expected)
{
	__cleanup(limit_free) struct limit limit = {0}, again = {0};
	__free_text char *why = NULL, *written = NULL, *twice = NULL;

	if (limit_parse(text, &limit, &why))
		fail_msg("%s: %s", text, why);
	written = limit_text(&limit);
	assert_string_equal(written, expected);
	assert_int_equal(0, limit_parse(written, &again, &why));
	twice = limit_text(&again);
	assert_string_equal(twice, expected);
}

static void test_texts(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"20/s", "20/s"},
		{" 600/m ", "600/m"},
		{"1/h", "1/h"},
		{"1000000/s", "1000000/s"},
		{"{rate: 20/s}", "20/s"},
		{"{rate:20/s,per:{ipv4:32,ipv6:64}}", "20/s"},
		{"{ rate: 20/s , burst: 60 }", "{rate: 20/s, burst: 60}"},
		{"{burst: 60, except: office, rate: 20/s}",
		 "{rate: 20/s, burst: 60, except: [office]}"},
		{"{rate: 20/s, burst: 60, per: {ipv4: 24, ipv6: 48}, except: [a, b, a]}",
		 "{rate: 20/s, burst: 60, per: {ipv4: 24, ipv6: 48}, except: [a, b]}"},
		{"{rate: 3/m, per: {ipv6: 128}}", "{rate: 3/m, per: {ipv6: 128}}"},
		{"{rate: 3/m, per: {ipv4: 8}}", "{rate: 3/m, per: {ipv4: 8}}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_text(cases[i].text, cases[i].expected);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"",
		 "'' is not a rate; write it as 20/s, 600/m or 10/h, with a number from 1 to 1000000"},
		{"20", "'20' is not a rate; write it as 20/s, 600/m or 10/h"},
		{"20/d", "'20/d' is not a rate; write it as 20/s, 600/m or 10/h"},
		{"20/s/s", "'20/s/s' is not a rate; write it as 20/s, 600/m or 10/h"},
		{"0/s",
		 "'0/s' is not a rate; write it as 20/s, 600/m or 10/h, with a number from 1 to 1000000"},
		{"1000001/s",
		 "'1000001/s' is not a rate; write it as 20/s, 600/m or 10/h, with a number from 1 to 1000000"},
		{"99999999999999999999/s",
		 "'99999999999999999999/s' is not a rate; write it as 20/s, 600/m or 10/h, with a number from 1 to 1000000"},
		{"20/s x",
		 "'x' is too much; write 20/s, 600/m or 10/h, or {rate: 20/s, burst: 60, per: {ipv4: 32, ipv6: 64}, except: [GROUP]}"},
		{"{}",
		 "'' has no value; write {rate: 20/s, burst: 60, per: {ipv4: 32, ipv6: 64}, except: [GROUP]}"},
		{"{burst: 6}",
		 "there is no 'rate'; write {rate: 20/s, burst: 60, per: {ipv4: 32, ipv6: 64}, except: [GROUP]}"},
		{"{rate: 20/s", "'}' is missing at the end"},
		{"{rate: 20/s, rate: 20/s}", "'rate' appears twice"},
		{"{rate: 20/s, bursts: 6}",
		 "unknown key 'bursts'; a limit has rate, burst, per and except"},
		{"{rate: 20/s, burst: 0}", "'burst: 0' is not a number from 1 to 1000000"},
		{"{rate: 20/s, burst: 6x}", "'burst: 6x' is not a number from 1 to 1000000"},
		{"{rate: 20/s, per: 24}", "'per' is a mapping, as in per: {ipv4: 24, ipv6: 48}"},
		{"{rate: 20/s, per: {ipv5: 24}}", "unknown key 'ipv5'; 'per' has ipv4 and ipv6"},
		{"{rate: 20/s, per: {ipv4: 33}}", "'ipv4: 33' is not a number from 8 to 32"},
		{"{rate: 20/s, per: {ipv6: 8}}", "'ipv6: 8' is not a number from 16 to 128"},
		{"{rate: 20/s, except: anyone}",
		 "'except: anyone' leaves no source to limit; remove the limit"},
		{"{rate: 20/s, except: [A]}",
		 "'A' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
		{"{rate: 20/s, except: [a}", "']' is missing behind 'except: ['"},
		{"{rate: 1/h, burst: 25}",
		 "a burst of 25 takes 90000 seconds to come back; at most 86400 are possible"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(limit_free) struct limit limit = {0};
		__free_text char *why = NULL;

		if (limit_parse(cases[i].text, &limit, &why) != -EINVAL)
			fail_msg("'%s' is read", cases[i].text);
		assert_string_equal(why, cases[i].why);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned int burst, weight;
		__u64 interval;
	} cases[] = {
		{"20/s", 20, 1, 50000000},
		{"600/m", 600, 1, 100000000},
		{"1/s", 5, 2, 1000000000},
		{"10/h", 10, 1, 360000000000},
		{"{rate: 20/s, burst: 1}", 1, 512, 50000000},
		{"{rate: 20/s, burst: 2}", 2, 16, 50000000},
		{"{rate: 20/s, burst: 4}", 4, 4, 50000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(limit_free) struct limit limit = {0};
		__free_text char *why = NULL;

		assert_int_equal(0, limit_parse(cases[i].text, &limit, &why));
		assert_int_equal(limit_burst(&limit), cases[i].burst);
		assert_int_equal(limit_weight(&limit), cases[i].weight);
		assert_true(limit_interval(&limit) == cases[i].interval);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
