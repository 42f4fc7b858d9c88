// SPDX-License-Identifier: GPL-2.0
/* What is read from /proc about processes. */
#include "loader/base/process.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static void test_parent(void **state)
{
	(void)state;
	assert_int_equal(process_parent("/proc", getpid()), getppid());
	put("7/status", "Name:\tPPid: 3\nUmask:\t0022\nPPid:\t42\nTracerPid:\t0\n");
	put("8/status", "Name:\tx\n");
	assert_int_equal(process_parent(root, 7), 42);
	assert_int_equal(process_parent(root, 8), 0);
	assert_int_equal(process_parent(root, 9), 0);
}

/* Compared with the kernel's own list, which is read in another way. */
static void test_capabilities(void **state)
{
	FILE *pipe = popen("grep ^CapEff: /proc/self/status | cut -f 2", "r");
	unsigned long long wanted = 1;

	(void)state;
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%llx", &wanted), 1);
	pclose(pipe);
	assert_true(process_capabilities() == wanted);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parent, make_root, remove_root),
		cmocka_unit_test(test_capabilities),
	};

	return cmocka_run_group_tests_name("base/process", tests, NULL, NULL);
}
