// SPDX-License-Identifier: GPL-2.0
/* The clocks, also in a time namespace: a deadline is in the kernel's boot time, not in the
 * container's. */
#include "loader/base/clock.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/expect.h"

#define SECOND 1000000000ULL
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static __u64 read_clock(clockid_t id)
{
	struct timespec time;

	clock_gettime(id, &time);
	return (__u64)time.tv_sec * SECOND + (__u64)time.tv_nsec;
}

static void expect_same_clock(__u64 (*ours)(void), clockid_t id)
{
	__u64 before = read_clock(id), at = ours(), after = read_clock(id);

	assert_true(before <= at && at <= after);
}

static void test_clocks(void **state)
{
	(void)state;
	expect_same_clock(clock_wall, CLOCK_REALTIME);
	expect_same_clock(clock_monotonic, CLOCK_MONOTONIC);
	/* The times outside of any time namespace. */
	expect_same_clock(clock_boot, CLOCK_BOOTTIME);
}

static bool put_offset(void)
{
	static const char text[] = "monotonic 100 5\nboottime 90061 500000000\n";
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* A process that makes a time namespace puts only its children into it. */
static void test_time_namespace(void **state)
{
	__u64 before = clock_boot();
	int status, inner;
	pid_t child = fork();

	(void)state;
	if (!child) {
		if (unshare((geteuid() ? CLONE_NEWUSER : 0) | CLONE_NEWTIME) || !put_offset())
			_exit(77);
		child = fork();
		if (!child)
			_exit(clock_boot() - before > 10 * SECOND);
		waitpid(child, &inner, 0);
		_exit(WIFEXITED(inner) ? WEXITSTATUS(inner) : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("SKIP: no time namespace can be made here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_time_namespace),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
