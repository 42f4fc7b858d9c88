// SPDX-License-Identifier: GPL-2.0
/* The administrators that are kept over a boot: how many, for how long, and what a clock may do. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/recipe/administrators.h"
#include "tests/unit/expect.h"

#define NOW 1795975200ULL

static struct administrators list;

static void see(const char *address, __u64 now)
{
	struct prefix host;
	char *why = NULL;

	assert_int_equal(prefix_parse(address, &host, &why), 0);
	administrators_see(&list, &host, now);
}

static void expect_text(const char *expected)
{
	__free_text char *text = administrators_text(&list);

	assert_string_equal(text, expected);
}

/* Writes a file and reads it at `now`. */
static void read_text(const char *text, __u64 now)
{
	char path[] = "/tmp/administrators.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	administrators_read(path, now, &list);
	unlink(path);
}

static void test_round(void **state)
{
	(void)state;
	administrators_read("/nonexistent/administrators", NOW, &list);
	assert_int_equal(list.count, 0);
	see("192.0.2.5", NOW);
	see("2001:db8::5", NOW);
	assert_true(list.changed);
	expect_text("192.0.2.5 1795975200\n2001:db8::5 1795975200\n");
	read_text("192.0.2.5 1795975200\nrubbish\n192.0.2.300 1\n192.0.2.6\n2001:db8::5 1795975200\n",
		  NOW);
	assert_false(list.changed);
	expect_text("192.0.2.5 1795975200\n2001:db8::5 1795975200\n");
	administrators_remove(&list, 0);
	assert_true(list.changed);
	expect_text("2001:db8::5 1795975200\n");
}

static void test_times(void **state)
{
	(void)state;
	/* A year has passed since the first one; the second one's time is to come. */
	read_text("192.0.2.5 1764439200\n192.0.2.6 1995975200\n192.0.2.7 1764439201\n", NOW);
	assert_true(list.changed);
	expect_text("192.0.2.6 1995975200\n192.0.2.7 1764439201\n");
	/* A clock that is behind loses none, also if the file is written by it. */
	read_text("192.0.2.5 1795975200\n", 1000);
	see("192.0.2.6", 1000);
	expect_text("192.0.2.5 1795975200\n192.0.2.6 1000\n");
	/* The file is written once a day. */
	read_text("192.0.2.5 1795975200\n", NOW);
	see("192.0.2.5", NOW + 86399);
	assert_false(list.changed);
	see("192.0.2.5", NOW + 86400);
	assert_true(list.changed);
	expect_text("192.0.2.5 1796061600\n");
}

static void test_full(void **state)
{
	char address[32];

	(void)state;
	list = (struct administrators){};
	for (unsigned int i = 0; i < ADMINISTRATORS; i++) {
		snprintf(address, sizeof(address), "198.51.100.%u", i);
		see(address, NOW + (i == 7 ? 0 : 10 + i));
	}
	see("192.0.2.1", NOW + 1000);
	assert_int_equal(list.count, ADMINISTRATORS);
	assert_int_equal(list.one[7].seen, NOW + 1000);
	assert_int_equal(list.one[7].host.address[0], 192);
	assert_int_equal(list.one[8].host.address[3], 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
