// SPDX-License-Identifier: GPL-2.0
/* Messages: on which stream, in one line, with the fix, or passed to a taker. */
#include "loader/base/message.h"

#include <fcntl.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static void say_all(void)
{
	say_line("%d\x1b[2J ports\nopen", 2);
	error("%s: is\tgone\r\n", "eth0");
	error_fix("portcullis attach 'a\nb'", "no filter");
	warning("slow\x07");
	warning_fix("ip link set up", "is down");
	error_fix(NULL, "no fix");
}

/* The text written to both streams in between. */
static void catch_streams(void (*call)(void), char **out, char **err)
{
	static const char *const name[] = {"out", "err"};
	FILE *const stream[] = {stdout, stderr};
	char **text[] = {out, err};
	int saved[2];

	for (int i = 0; i < 2; i++) {
		__free_text char *path = xasprintf("%s/%s", root, name[i]);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		assert_true(fd >= 0);
		fflush(stream[i]);
		saved[i] = dup(fileno(stream[i]));
		dup2(fd, fileno(stream[i]));
		close(fd);
	}
	call();
	for (int i = 0; i < 2; i++) {
		__free_text char *path = xasprintf("%s/%s", root, name[i]);
		size_t length;

		fflush(stream[i]);
		dup2(saved[i], fileno(stream[i]));
		close(saved[i]);
		assert_int_equal(read_file(path, 65536, text[i], &length), 0);
	}
}

static void test_streams(void **state)
{
	__free_text char *out = NULL, *err = NULL;

	(void)state;
	catch_streams(say_all, &out, &err);
	assert_string_equal(out, "2?[2J ports?open\n");
	assert_string_equal(err, "portcullis: eth0: is?gone??\n"
				 "portcullis: no filter; to fix it: portcullis attach 'a?b'\n"
				 "portcullis: warning: slow?\n"
				 "portcullis: warning: is down; to fix it: ip link set up\n"
				 "portcullis: no fix\n");
}

static void note(void *context, bool is_error, const char *text, const char *fix)
{
	char **noted = context;
	char *old = *noted;

	*noted = xasprintf("%s%s|%s|%s\n", old ? old : "", is_error ? "error" : "warning", text,
			   fix ? fix : "-");
	free(old);
}

static void test_taken(void **state)
{
	__free_text char *noted = NULL, *out = NULL, *err = NULL;

	(void)state;
	messages_to(note, &noted);
	error("a %d", 1);
	error_fix("fix it", "b");
	warning("c");
	warning_fix("d!", "d");
	assert_string_equal(noted, "error|a 1|-\nerror|b|fix it\nwarning|c|-\nwarning|d|d!\n");
	messages_to(messages_drop, NULL);
	catch_streams(say_all, &out, &err);
	assert_string_equal(err, "");
	messages_to(NULL, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_streams, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_taken, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("base/message", tests, NULL, NULL);
}
