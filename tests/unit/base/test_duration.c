// SPDX-License-Identifier: GPL-2.0
/* Lengths of time as users write them. */
#include <errno.h>

#include "loader/base/duration.h"
#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		long long seconds; /* -1: refused */
	} cases[] = {
		{"90", 90},	     {"90s", 90},	 {"10m", 600},
		{"8h", 28800},	     {"7d", 604800},	 {"1h30m", 5400},
		{"1d1h1m1s", 90061}, {"0h1s", 1},	 {"604800", 604800},
		{"604801", -1},	     {"7d1s", -1},	 {"999999999d", -1},
		{"0", -1},	     {"0s", -1},	 {"", -1},
		{"-1", -1},	     {"+1", -1},	 {" 1", -1},
		{"1 ", -1},	     {"1.5h", -1},	 {"1h30", -1},
		{"30m1h", -1},	     {"1m1m", -1},	 {"1w", -1},
		{"1H", -1},	     {"h", -1},		 {"1hm", -1},
		{"1ms", -1},	     {"1000000000", -1}, {"18446744073709551617", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int seconds = 77;
		int err = duration_parse(cases[i].text, 1, 604800, &seconds);

		if (err != (cases[i].seconds < 0 ? -EINVAL : 0) ||
		    seconds != (cases[i].seconds < 0 ? 77 : cases[i].seconds))
			fail_msg("'%s': %d, %u s", cases[i].text, err, seconds);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration),
	};

	return cmocka_run_group_tests_name("base/duration", tests, NULL, NULL);
}
