// SPDX-License-Identifier: GPL-2.0
/* Files that are read whole. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static void test_read_file(void **state)
{
	__free_text char *path = xasprintf("%s/a/x", root), *fifo = xasprintf("%s/a/fifo", root);
	__free_text char *text = NULL;
	size_t length = 0;

	(void)state;
	put("a/x", "12345");
	assert_int_equal(read_file(path, 4, &text, &length), -EFBIG);
	assert_null(text);
	assert_int_equal(read_file(path, 5, &text, &length), 0);
	assert_int_equal(length, 5);
	assert_string_equal(text, "12345");
	assert_int_equal(read_file(root, 5, &text, &length), -EINVAL);
	assert_int_equal(read_file("/nonexistent", 5, &text, &length), -ENOENT);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(read_file(fifo, 5, &text, &length), -EINVAL);
	text_free(&text);
	assert_int_equal(read_file("/proc/self/status", 65536, &text, &length), 0);
	assert_true(length > 100);
	/* A file that reports no size: "Linux" and a line break. */
	assert_int_equal(read_file("/proc/sys/kernel/ostype", 5, &text, &length), -EFBIG);
}

/* A closed descriptor is forgotten: to close it again would close another file. */
static void test_close(void **state)
{
	int none = -1, fd = dup(0), other;
	FILE *file = fopen("/dev/null", "r");

	(void)state;
	assert_true(fd > 0);
	other = fd;
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(other, F_GETFD), -1);
	assert_int_equal(dup(0), other);
	fd_close(&fd);
	fd_close(&none);
	assert_int_equal(none, -1);
	assert_true(fcntl(other, F_GETFD) >= 0);
	fd_close(&other);
	file_close(&file);
	file = NULL;
	file_close(&file);
}

/* A copy is none of the three standard streams, and is closed by exec. */
static void test_dup(void **state)
{
	int fd, copy, in = dup(0);

	(void)state;
	close(0);
	copy = fd_dup(1);
	assert_true(copy >= 3);
	assert_true(fcntl(copy, F_GETFD) & FD_CLOEXEC);
	fd = copy;
	fd_close(&copy);
	assert_int_equal(fd_dup(fd), -EBADF);
	assert_int_equal(fd_dup(-1), -EBADF);
	dup2(in, 0);
	close(in);
}

/* Standard input is read once; a limit that it exceeds is an error. */
static void test_input(void **state)
{
	__free_text char *path = xasprintf("%s/input", root);
	const char *text = NULL, *again = NULL;
	size_t length = 0;
	int fd;

	(void)state;
	put("input", "12345");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(read_input(4, &text, &length), -EFBIG);
	assert_null(text);
	assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
	assert_int_equal(read_input(5, &text, &length), 0);
	assert_int_equal(length, 5);
	assert_string_equal(text, "12345");
	assert_int_equal(read_input(5, &again, &length), 0);
	assert_ptr_equal(text, again);
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_input, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_read_file, make_root, remove_root),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_dup),
	};

	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
