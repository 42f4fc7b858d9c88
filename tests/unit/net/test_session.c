// SPDX-License-Identifier: GPL-2.0
/* SSH_CONNECTION, of the caller and of the processes above it. */
#include <sys/socket.h>
#include <sys/stat.h>

#include "loader/base/memory.h"
#include "loader/net/session.h"
#include "loader/net/sockets.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static void test_parse(void **state)
{
	static const char *const wrong[] = {
		"",
		"UNKNOWN 65535 UNKNOWN 65535",
		"192.0.2.9 1 192.0.2.1",
		"192.0.2.9 1 192.0.2.1 22 x",
		"192.0.2.9 0 192.0.2.1 22",
		"192.0.2.9 65536 192.0.2.1 22",
		"192.0.2.9 -1 192.0.2.1 22",
		"192.0.2.9 1x 192.0.2.1 22",
		"192.0.2.9 1 2001:db8::1 22",
		"192.0.2 1 192.0.2.1 22",
		"192.0.2.9  1 192.0.2.1 22",
	};
	struct session session;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (session_parse(wrong[i], &session))
			fail_msg("taken: %s", wrong[i]);
	assert_true(session_parse("::ffff:192.0.2.9 40000 ::ffff:192.0.2.1 22", &session));
	assert_int_equal(session.family, AF_INET);
	assert_memory_equal(session.remote, ((__u8[16]){192, 0, 2, 9}), 16);
	assert_memory_equal(session.local, ((__u8[16]){192, 0, 2, 1}), 16);
	assert_int_equal(session.remote_port, 40000);
	assert_int_equal(session.local_port, 22);
	assert_true(session_parse("fe80::9%eth0 1 fe80::1%eth0 22", &session));
	assert_int_equal(session.family, AF_INET6);
	assert_memory_equal(session.remote, ((__u8[16]){0xfe, 0x80, [15] = 9}), 16);
}

static void process(int pid, int parent, const char *environ, size_t length)
{
	__free_text char *path = xasprintf("%s/%d", root, pid);
	__free_text char *status = xasprintf("%d/status", pid),
			 *file = xasprintf("%d/environ", pid);
	__free_text char *text = xasprintf("Name:\tx\nPid:\t%d\nPPid:\t%d\n", pid, parent);

	mkdir(path, 0755);
	put_bytes(status, text, strlen(text));
	put_bytes(file, environ, length);
}

/* From the caller's own environment, and of processes above it, the last without an environment. */
static void test_ancestors(void **state)
{
	static const char shell[] = "A=b\0SSH_CONNECTION=198.51.2.9 7 192.0.2.1 22\0C=d",
			  none[] = "NOT_SSH_CONNECTION=198.51.2.9 8 192.0.2.1 22";
	struct sessions sessions = {};
	struct socket_info socket = {.family = AF_INET,
				     .local_port = 22,
				     .remote_port = 7,
				     .local = {192, 0, 2, 1},
				     .remote = {198, 51, 2, 9}};

	(void)state;
	process(30, 20, none, sizeof(none));
	process(20, 10, none, sizeof(none));
	process(10, 5, shell, sizeof(shell));
	process(5, 5, none, 0);
	unsetenv("SSH_CONNECTION");
	sessions_find(root, 30, &sessions);
	assert_int_equal(sessions.count, 1);
	assert_true(sessions_have(&sessions, &socket));
	socket.remote_port = 8;
	assert_false(sessions_have(&sessions, &socket));
	sessions_free(&sessions);

	setenv("SSH_CONNECTION", "198.51.2.9 8 192.0.2.1 22", 1);
	sessions_find(root, 20, &sessions);
	assert_int_equal(sessions.count, 2);
	assert_true(sessions_have(&sessions, &socket));
	sessions_free(&sessions);
	unsetenv("SSH_CONNECTION");
	/* The process itself is not above itself. */
	sessions_find(root, 10, &sessions);
	assert_int_equal(sessions.count, 0);
	sessions_find(root, 99, &sessions);
	assert_int_equal(sessions.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_ancestors),
	};

	return cmocka_run_group_tests_name("net/session", tests, make_root, remove_root);
}
