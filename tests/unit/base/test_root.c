// SPDX-License-Identifier: GPL-2.0
/* Files below a folder that stands for /. */
#include "loader/base/root.h"

#include <errno.h>

#include "tests/unit/files.h"

static struct root open_root(void)
{
	struct root below = {};

	assert_int_equal(root_open(root, &below), 0);
	return below;
}

static void expect_found(const struct root *below, const char *pattern, const char *expected)
{
	__cleanup(names_free) struct names found = {};

	root_find(below, pattern, &found);
	expect_names(&found, expected);
}

static void test_find(void **state)
{
	__cleanup(root_close) struct root below = open_root();

	(void)state;
	put("b.conf", "");
	put("a.conf", "");
	put(".hidden.conf", "");
	put("Server Files/Config.XML", "");
	put("etc/x.conf", "");
	expect_found(&below, "/*.conf", "/a.conf /b.conf");
	expect_found(&below, "/*/*.conf", "/etc/x.conf");
	expect_found(&below, "/etc/x.conf", "/etc/x.conf");
	expect_found(&below, "/etc/../../x.conf", "");
	expect_found(&below, "/etc", "");
	expect_found(&below, "/{b,nothing,a}.conf", "/b.conf /a.conf");
	expect_found(&below, "/{etc,a", "");
	expect_found(&below, "", "");
	expect_found(&below, "/{a,b}.{conf,x}", "/a.conf /b.conf");
	expect_found(&below, "/{a,b}.{c,x}{onf,x}", ""); /* more pairs than are read */
	/* Windows: a drive or a named folder is the root, and case does not count. */
	expect_found(&below, "C:\\server files\\config.xml", "/Server Files/Config.XML");
	expect_found(&below, "[Install Directory] \\ Server Files \\ config.xml",
		     "/Server Files/Config.XML");
	expect_found(&below, "/server files/config.xml", "");
	/* Folders that are no drive. */
	put("ab/x.conf", "");
	put("a:b/x.conf", "");
	put("ab]/x.conf", "");
	expect_found(&below, "/ab/x.conf", "/ab/x.conf");
	expect_found(&below, "/a:b/x.conf", "/a:b/x.conf");
	expect_found(&below, "/ab]/x.conf", "/ab]/x.conf");
}

static void test_many(void **state)
{
	__cleanup(root_close) struct root below = open_root();
	__cleanup(names_free) struct names found = {};

	(void)state;
	for (int i = 0; i < 100; i++) {
		__free_text char *name = xasprintf("many/%d", i);

		put(name, "");
	}
	root_find(&below, "/many/*", &found);
	assert_int_equal(found.count, ROOT_MATCHES);
}

static int read_from(const struct root *below, const char *path, size_t limit)
{
	__free_text char *text = NULL;
	size_t length = 0;
	int err = root_read(below, path, limit, &text, &length);

	return err ? err : (int)length;
}

/* A link on a mounted disk must not lead to this host's files. */
static void test_links(void **state)
{
	__cleanup(root_close) struct root below = open_root();
	__free_text char *link = xasprintf("%s/link", root), *up = xasprintf("%s/up", root);
	__free_text char *loop = xasprintf("%s/loop", root), *fifo = xasprintf("%s/fifo", root);

	(void)state;
	put("etc/passwd", "mine");
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(symlink("../../../../etc/passwd", up), 0);
	assert_int_equal(symlink("loop", loop), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(read_from(&below, "/link", 100), 4);
	assert_int_equal(read_from(&below, "/up", 100), 4);
	assert_int_equal(read_from(&below, "/../../etc/passwd", 100), 4);
	assert_int_equal(read_from(&below, "/loop", 100), -ELOOP);
	assert_int_equal(read_from(&below, "/fifo", 100), -EINVAL);
	assert_int_equal(read_from(&below, "/etc", 100), -EINVAL);
	assert_int_equal(read_from(&below, "/none", 100), -ENOENT);
	assert_int_equal(read_from(&below, "/link", 3), -EFBIG);
}

/* A file is opened as a folder with only this file. */
static void test_file(void **state)
{
	__free_text char *path = xasprintf("%s/export.REG", root);
	__cleanup(root_close) struct root below = {};

	(void)state;
	put("export.REG", "x");
	put("other.reg", "y");
	assert_int_equal(root_open(path, &below), 0);
	expect_found(&below, "/*.reg", "/export.REG");
	expect_found(&below, "/*/*.reg", "");
	assert_int_equal(read_from(&below, "/export.REG", 9), 1);
	root_close(&below);
	assert_int_equal(root_open("/nonexistent", &below), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_many, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_links, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_file, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("base/root", tests, NULL, NULL);
}
