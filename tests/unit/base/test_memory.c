// SPDX-License-Identifier: GPL-2.0
/* Memory: allocations succeed, or the program ends with a message. */
#include "loader/base/memory.h"

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/expect.h"

static void test_grow(void **state)
{
	unsigned int *list = NULL;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		list = grow(list, i, sizeof(*list));
		list[i] = i;
	}
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	free(list);
}

static void test_texts(void **state)
{
	__free_text char *none = xstrdup(NULL), *text = xstrdup("abc"), *part = xstrndup("abc", 2);
	__free_text char *made = xasprintf("%s-%d", text, 7);
	char *nothing = xcalloc(0, 8), *zeroes = xcalloc(2, 8);

	(void)state;
	assert_null(none);
	assert_string_equal(part, "ab");
	assert_string_equal(made, "abc-7");
	assert_non_null(nothing);
	for (int i = 0; i < 16; i++)
		assert_int_equal(zeroes[i], 0);
	nothing = xrealloc(nothing, 0, 8);
	assert_non_null(nothing);
	free(nothing);
	free(zeroes);
	text_free(&text);
	assert_null(text);
	text_free(&text);
}

/* More than there is, also if the product of both numbers overflows to a small one. */
static void test_none_left(void **state)
{
	static const size_t sizes[][2] = {{SIZE_MAX / 2, 1}, {SIZE_MAX / 2 + 2, 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int status, ends[2];
		char said[64] = "";
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		if (!child) {
			dup2(ends[1], STDERR_FILENO);
			xrealloc(NULL, sizes[i][0], sizes[i][1]);
			_exit(7);
		}
		close(ends[1]);
		assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
		close(ends[0]);
		assert_int_equal(waitpid(child, &status, 0), child);
#ifndef __SANITIZE_ADDRESS__
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_string_equal(said, "portcullis: out of memory\n");
#endif
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_none_left),
	};

	return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}
