// SPDX-License-Identifier: GPL-2.0
/* SSH_CONNECTION, of the caller and of the processes above it. */
#include <sys/socket.h>
#include <sys/stat.h>

#include "loader/base/memory.h"
#include "loader/base/process.h"
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
		"192.0.2.9 100000 192.0.2.1 22",
		"192.0.2.9 000001 192.0.2.1 22",
		"192.0.2.9 1 192.0.2.1 0",
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

static void socket_of(int pid, int inode)
{
	__free_text char *folder = xasprintf("%s/%d/fd", root, pid);
	__free_text char *path = xasprintf("%s/%d", folder, inode);
	__free_text char *target = xasprintf("socket:[%d]", inode);

	mkdir(folder, 0755);
	assert_int_equal(symlink(target, path), 0);
}

/* From the caller's own environment, and from those of processes above it; the last has no
 * environment. */
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
	/* A process is not above itself. */
	sessions_find(root, 10, &sessions);
	assert_int_equal(sessions.count, 0);
	sessions_find(root, 99, &sessions);
	assert_int_equal(sessions.count, 0);
}

/* The sockets that a process above holds belong to the session; those of process 1 do not. */
static void test_sockets_above(void **state)
{
	struct sessions sessions = {};

	(void)state;
	process(40, 41, "", 0);
	process(41, 42, "", 0);
	process(42, 1, "", 0);
	process(1, 0, "", 0);
	socket_of(40, 7);
	socket_of(41, 8);
	socket_of(41, 9);
	socket_of(1, 10);
	sessions_find(root, 40, &sessions);
	assert_int_equal(sessions.ancestors, 1);
	assert_int_equal(sessions.ancestor[0].count, 2);
	assert_int_equal(sessions.ancestor[0].inode[0] + sessions.ancestor[0].inode[1], 17);
	sessions_free(&sessions);
	assert_null(sessions.ancestor);
	assert_int_equal(sessions.ancestors, 0);
}

/* As many processes above as are read, and one more. */
static void test_far_above(void **state)
{
	static const char far[] = "SSH_CONNECTION=198.51.2.9 7 192.0.2.1 22";
	struct sessions sessions = {};
	int pid;

	(void)state;
	for (pid = 100; pid < 100 + PROCESS_ANCESTORS; pid++)
		process(pid, pid + 1, "", 0);
	process(pid, pid + 1, far, sizeof(far));
	process(pid + 1, 0, far, sizeof(far));
	sessions_find(root, 100, &sessions);
	assert_int_equal(sessions.count, 1);
	sessions_free(&sessions);
	sessions_find(root, 101, &sessions);
	assert_int_equal(sessions.count, 2);
	sessions_free(&sessions);
	process(100, 101, "", 0);
	process(99, 100, "", 0);
	sessions_find(root, 99, &sessions);
	assert_int_equal(sessions.count, 0);
	sessions_free(&sessions);
}

/* The first variable of an environment counts; a value in another form is ignored. */
static void test_environ(void **state)
{
	static const char twice[] =
		"SSH_CONNECTION=198.51.2.9 7 192.0.2.1 22\0SSH_CONNECTION=198.51.2.9 8 192.0.2.1 22";
	static const char wrong[] = "SSH_CONNECTION=x\0SSH_CONNECTION=198.51.2.9 8 192.0.2.1 22";
	struct sessions sessions = {};

	(void)state;
	process(60, 61, "", 0);
	process(61, 0, twice, sizeof(twice));
	sessions_find(root, 60, &sessions);
	assert_int_equal(sessions.count, 1);
	assert_int_equal(sessions.session[0].remote_port, 7);
	sessions_free(&sessions);
	process(61, 0, wrong, sizeof(wrong));
	sessions_find(root, 60, &sessions);
	assert_int_equal(sessions.count, 0);
	sessions_free(&sessions);
}

static void test_have(void **state)
{
	struct session session = {.family = AF_INET6, .local_port = 22, .remote_port = 7};
	struct sessions sessions = {.session = &session, .count = 1};
	struct socket_info socket = {.family = AF_INET6, .local_port = 22, .remote_port = 7};

	(void)state;
	assert_true(sessions_have(&sessions, &socket));
	socket.family = AF_INET;
	assert_false(sessions_have(&sessions, &socket));
	socket.family = AF_INET6;
	socket.local_port = 23;
	assert_false(sessions_have(&sessions, &socket));
	socket.local_port = 22;
	socket.local[15] = 1;
	assert_false(sessions_have(&sessions, &socket));
	session.local[15] = 1;
	socket.remote[15] = 1;
	assert_false(sessions_have(&sessions, &socket));
	sessions.count = 0;
	socket.remote[15] = 0;
	assert_false(sessions_have(&sessions, &socket));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	      cmocka_unit_test(test_ancestors),
		cmocka_unit_test(test_sockets_above), cmocka_unit_test(test_far_above),
		cmocka_unit_test(test_environ),	      cmocka_unit_test(test_have),
	};

	return cmocka_run_group_tests_name("net/session", tests, make_root, remove_root);
}
