// SPDX-License-Identifier: GPL-2.0
/* Points in time as users write them. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "loader/base/memory.h"
#include "loader/base/moment.h"
#include "tests/unit/expect.h"

#define NOW 1795975200 /* 2026-11-29T18:00:00Z, 19:00 in Berlin */

static void test_moment(void **state)
{
	static const struct {
		const char *text;
		long long seconds; /* before NOW; or -errno */
	} cases[] = {
		{"90", 90},
		{"10m", 600},
		{"7d", 604800},
		{"19:00", 0},
		{"18:59", 60},
		{"00:00", 19 * 3600},
		{"19:01", 24 * 3600 - 60},
		{"2026-11-29T18:00:00Z", 0},
		{"2026-11-29T17:59:00.999z", 60},
		{"2026-11-29T18:30:00+01:00", 1800},
		{"2026-11-29T07:00:00-10:30", 1800},
		{"2026-11-29T18:00:01Z", -ERANGE},
		{"2026-11-29T18:00:00-00:01", -ERANGE},
		{"2026-02-30T18:00:00Z", -EINVAL},
		{"2026-11-29T24:00:00Z", -EINVAL},
		{"2026-11-29T18:60:00Z", -EINVAL},
		{"2026-11-29T18:00:00", -EINVAL},
		{"2026-11-29T18:00:00.Z", -EINVAL},
		{"2026-11-29T18:00:00+1:00", -EINVAL},
		{"2026-11-29T18:00:00Z ", -EINVAL},
		{"2026-11-29", -EINVAL},
		{"24:00", -EINVAL},
		{"18:60", -EINVAL},
		{"8:00", -EINVAL},
		{"18:00:00", -EINVAL},
		{"0", -EINVAL},
		{"-1", -EINVAL},
		{"yesterday", -EINVAL},
		{"", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct moment moment = {};
		int err = moment_parse(cases[i].text, NOW, &moment);
		long long before = (long long)(NOW - moment_seconds(&moment, NOW));

		if (err != (cases[i].seconds < 0 ? cases[i].seconds : 0) ||
		    (!err && before != cases[i].seconds))
			fail_msg("'%s': %d, %lld s before", cases[i].text, err, before);
	}
}

/* A moment given as "so long ago" moves with the clock; one given as a time does not. */
static void test_moves(void **state)
{
	struct moment back = {}, at = {};

	(void)state;
	assert_int_equal(0, moment_parse("10m", NOW, &back));
	assert_int_equal(0, moment_parse("18:50", NOW, &at));
	assert_int_equal(moment_seconds(&back, NOW + 60), NOW + 60 - 600);
	assert_int_equal(moment_seconds(&at, NOW + 60), NOW - 600);
	assert_int_equal(moment_seconds(&back, 60), 0);
}

static void test_until(void **state)
{
	static const struct {
		const char *text;
		long long seconds; /* after NOW; or -errno */
	} cases[] = {
		{"19:01", 60},
		{"19:00", 24 * 3600},
		{"18:59", 24 * 3600 - 60},
		{"2026-11-29T18:00:01Z", 1},
		{"2026-11-29T20:00:00+01:00", 3600},
		{"2026-11-29T18:00:00Z", -ERANGE},
		{"1999-01-01T00:00:00Z", -ERANGE},
		{"2026-02-30T18:00:00Z", -EINVAL},
		{"24:00", -EINVAL},
		{"10m", -EINVAL},
		{"", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__u64 seconds = 0;
		int err = moment_parse_until(cases[i].text, NOW, &seconds);

		assert_int_equal(err ? err : (long long)seconds - NOW, cases[i].seconds);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moment),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_until),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests_name("base/moment", tests, NULL, NULL);
}
