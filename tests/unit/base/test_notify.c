// SPDX-License-Identifier: GPL-2.0
/* The status line for systemd: to which socket, and with which text. */
#include "loader/base/notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/expect.h"
#include "tests/unit/files.h"

/* A socket at a path, or with '@' at an abstract name. */
static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	if (*path == '@')
		*at.sun_path = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      offsetof(struct sockaddr_un, sun_path) + strlen(path)),
			 0);
	return fd;
}

static void expect_heard(int fd, const char *expected)
{
	char text[256] = "";
	ssize_t length = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (!expected) {
		assert_int_equal(length, -1);
		return;
	}
	assert_int_equal(length, strlen(expected));
	assert_string_equal(text, expected);
}

static void test_notify(void **state)
{
	__free_text char *path = xasprintf("%s/notify", root);
	__free_text char *abstract = xasprintf("@%s", root);
	__free_text char *too_long = xcalloc(200, 1);
	int file = listen_at(path), name = listen_at(abstract);

	(void)state;
	setenv("NOTIFY_SOCKET", path, 1);
	notify_status("%d of %d", 2, 3);
	expect_heard(file, "STATUS=2 of 3");
	expect_heard(name, NULL);
	setenv("NOTIFY_SOCKET", abstract, 1);
	notify_status("waits for %s", "eth0");
	expect_heard(name, "STATUS=waits for eth0");
	expect_heard(file, NULL);
	/* An invalid address, and a text that does not fit. */
	memset(too_long, 'x', 199);
	*too_long = '/';
	setenv("NOTIFY_SOCKET", too_long, 1);
	notify_status("x");
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	notify_status("x");
	setenv("NOTIFY_SOCKET", "", 1);
	notify_status("x");
	unsetenv("NOTIFY_SOCKET");
	notify_status("x");
	expect_heard(file, NULL);
	expect_heard(name, NULL);
	close(file);
	close(name);
}

/* No process reads the socket: the command continues at once. */
static void test_nobody(void **state)
{
	__free_text char *path = xasprintf("%s/gone", root);
	int before = dup(0), after;

	(void)state;
	setenv("NOTIFY_SOCKET", path, 1);
	notify_status("x");
	unsetenv("NOTIFY_SOCKET");
	after = dup(0);
	assert_int_equal(after, before + 1); /* no descriptor is left open */
	close(before);
	close(after);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_notify, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_nobody, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("base/notify", tests, NULL, NULL);
}
