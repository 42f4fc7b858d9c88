// SPDX-License-Identifier: GPL-2.0
/* The filter of system calls: allowed calls work, any other call kills the process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/base/confine.h"

static int opens(void)
{
	return open("/proc/self/status", O_RDONLY) < 0;
}

static int makes_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int runs_a_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static int forks(void)
{
	return fork() < 0;
}

static int writes(void)
{
	char *memory = malloc(1 << 20);

	return !memory || write(STDERR_FILENO, memory, 0) < 0;
}

/* How a confined process ends that does this. */
static int end_of(enum confined to, int (*does)(void))
{
	const struct rlimit none = {};
	pid_t pid = fork();
	int status;

	if (!pid) {
		setrlimit(RLIMIT_CORE, &none);
		_exit(confine_calls(to) ? 77 : does());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void kills_what_is_not_allowed(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	/* The sanitizer makes calls of its own, so nothing is forbidden. */
	assert_int_equal(end_of(CONFINED_STREAM, opens), 0);
	return;
#endif
	assert_int_equal(end_of(CONFINED_STREAM, writes), 0);
	assert_int_equal(end_of(CONFINED_STREAM, opens), -SIGSYS);
	assert_int_equal(end_of(CONFINED_FILES, writes), 0);
	assert_int_equal(end_of(CONFINED_FILES, opens), 0);
	assert_int_equal(end_of(CONFINED_STREAM, makes_a_socket), -SIGSYS);
	assert_int_equal(end_of(CONFINED_FILES, makes_a_socket), 1);
	for (int to = CONFINED_STREAM; to <= CONFINED_FILES; to++) {
		assert_int_equal(end_of((enum confined)to, runs_a_program), -SIGSYS);
		assert_int_equal(end_of((enum confined)to, forks), -SIGSYS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kills_what_is_not_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
