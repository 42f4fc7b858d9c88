// SPDX-License-Identifier: GPL-2.0
/* The folders of a catalog, and the includes of its profiles. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/catalog.h"
#include "loader/catalog/profile.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

/* The folders a and b of the test's folder, a first. */
static void open_catalog(struct catalog *catalog)
{
	__free_text char *a = xasprintf("%s/a", root), *b = xasprintf("%s/b", root);
	struct names given = {0};
	struct diag diag = {0};

	mkdir(a, 0755);
	mkdir(b, 0755);
	names_add(&given, a);
	names_add(&given, b);
	assert_int_equal(catalog_open(&given, catalog, &diag), 0);
	expect_said(&diag, "");
	names_free(&given);
}

static void test_find(void **state)
{
	const struct profile *profile, *again;
	struct catalog catalog;
	struct diag diag = {0};

	(void)state;
	put("a/xeams-t.yaml", "profile: xeams-t\n");
	put("b/xeams-t.yaml", "profile: xeams-t\ntitle: hidden\n");
	put("b/only-b.yaml", "profile: only-b\n");
	put("b/other.yaml", "title: x\nprofile: another\n");
	put("b/wrong.yaml", "profile: wrong\nx: y\n");
	put("b/folder.yaml/x", "");
	open_catalog(&catalog);
	profile = catalog_find(&catalog, "xeams-t", &diag);
	assert_non_null(profile);
	assert_null(profile->title);
	assert_non_null(strstr(profile->path, "/a/xeams-t.yaml"));
	assert_non_null(strstr(profile->shadows, "/b/xeams-t.yaml"));
	again = catalog_find(&catalog, "xeams-t", &diag);
	assert_ptr_equal(profile, again);
	profile = catalog_find(&catalog, "only-b", &diag);
	assert_non_null(profile);
	assert_null(profile->shadows);
	assert_true(catalog_has(&catalog, "xeams-t"));
	assert_true(catalog_has(&catalog, "only-b"));
	assert_false(catalog_has(&catalog, "xeam-t"));
	expect_said(&diag, "");
	assert_null(catalog_find(&catalog, "xeam-t", &diag));
	assert_null(catalog_find(&catalog, "zzzzzz", &diag));
	assert_null(catalog_find(&catalog, "../a/xeams-t", &diag));
	assert_null(catalog_find(&catalog, "other", &diag));
	assert_null(catalog_find(&catalog, "wrong", &diag));
	assert_null(catalog_find(&catalog, "folder", &diag));
	expect_said_of_files(
		&diag,
		"portcullis: unknown profile 'xeam-t'; did you mean 'xeams-t'?\n"
		"portcullis: unknown profile 'zzzzzz'; 'portcullis profiles' lists those there are\n"
		"portcullis: unknown profile '../a/xeams-t'; 'portcullis profiles' lists those there are\n"
		"ROOT/b/other.yaml:2:10: the file is other.yaml, but the profile is 'another'; rename one of them\n"
		"profile: another\n"
		"         ^~~~~~~\n"
		"ROOT/b/wrong.yaml:2:1: unknown key 'x'\n"
		"x: y\n"
		"^\n"
		"portcullis: ROOT/b/folder.yaml: not a regular file\n");
	catalog_close(&catalog);
}

static void test_folders(void **state)
{
	__free_text char *absent = xasprintf("%s/absent", root),
			 *file = xasprintf("%s/a/x.yaml", root);
	struct names given = {0}, names = {0};
	struct catalog catalog;
	struct diag diag = {0};

	(void)state;
	put("a/x.yaml", "profile: x\n");
	put("a/y.yaml", "");
	put("b/x.yaml", "profile: x\n");
	put("b/a.yaml", "profile: a\n");
	put("b/B.yaml", "profile: b\n");
	put("b/c.yml", "profile: c\n");
	put("b/.d.yaml", "profile: d\n");
	put("b/profile.schema.json", "{}");
	names_add(&given, absent);
	names_add(&given, file);
	assert_int_equal(catalog_open(&given, &catalog, &diag), -EINVAL);
	expect_said_of_files(
		&diag,
		"portcullis: ROOT/absent: cannot read the catalog: No such file or directory\n"
		"portcullis: ROOT/a/x.yaml: cannot read the catalog: Not a directory\n");
	names_free(&given);
	open_catalog(&catalog);
	assert_int_equal(catalog.folder.count, 4);
	assert_string_equal(catalog.folder.name[2], "/etc/portcullis/profiles");
	assert_string_equal(catalog.folder.name[3], PORTCULLIS_PREFIX "/share/portcullis/profiles");
	catalog.folder.count = 2; /* profiles that this machine has installed are not tested */
	assert_int_equal(catalog_names(&catalog, &names, &diag), 0);
	catalog.folder.count = 4;
	expect_names(&names, "a x y");
	assert_int_equal(diag.count,
			 2); /* in the order of the folder, which the file system chooses */
	assert_int_equal(diag.errors, 0);
	diag_free(&diag);
	names_free(&names);
	catalog_close(&catalog);
}

static void expect_resolved(struct catalog *catalog, const char *chosen, const char *expected)
{
	const struct profile **list = NULL;
	struct names names = {0}, found = {0};
	struct diag diag = {0};
	size_t count = 0;

	for (const char *c = chosen; *c; c++)
		names_add(&names, (char[]){*c, '\0'});
	assert_int_equal(catalog_resolve(catalog, &names, &list, &count, &diag), 0);
	expect_said(&diag, "");
	for (size_t i = 0; i < count; i++)
		names_add(&found, list[i]->name);
	expect_names(&found, expected);
	names_free(&names);
	names_free(&found);
	free(list);
}

static void expect_unresolved(struct catalog *catalog, const char *chosen, const char *expected)
{
	const struct profile **list = NULL;
	struct names names = {0};
	struct diag diag = {0};
	size_t count = 0;

	names_add(&names, chosen);
	assert_int_equal(catalog_resolve(catalog, &names, &list, &count, &diag), -EINVAL);
	expect_said_of_files(&diag, expected);
	assert_null(list);
	names_free(&names);
}

static void test_resolve(void **state)
{
	struct catalog catalog;

	(void)state;
	put("a/a.yaml", "profile: a\ninclude: [c, d]\n");
	put("a/b.yaml", "profile: b\ninclude: d\n");
	put("a/c.yaml", "profile: c\ninclude: e\n");
	put("a/d.yaml", "profile: d\ninclude: e\n");
	put("a/e.yaml", "profile: e\n");
	put("a/ring.yaml", "profile: ring\ninclude: [e, ring-2]\n");
	put("a/ring-2.yaml", "profile: ring-2\ninclude: ring-3\n");
	put("a/ring-3.yaml", "profile: ring-3\ninclude:\n  - e\n  - ring-2\n");
	put("a/lost.yaml", "profile: lost\ninclude: [ring-4, bad, lost-2]\n");
	put("a/lost-2.yaml", "profile: lost-2\ninclude: [bad]\n");
	put("a/bad.yaml", "profile: bad\nx: 1\n");
	open_catalog(&catalog);
	expect_resolved(&catalog, "a", "a c d e");
	expect_resolved(&catalog, "ab", "a b c d e");
	expect_resolved(&catalog, "ba", "b a d c e");
	expect_resolved(&catalog, "aea", "a e c d");
	expect_unresolved(
		&catalog, "ring",
		"ROOT/a/ring-3.yaml:4:5: include cycle: ring-2 -> ring-3 -> ring-2; remove one of these includes\n"
		"  - ring-2\n"
		"    ^~~~~~\n");
	expect_unresolved(
		&catalog, "lost",
		"ROOT/a/lost.yaml:2:11: unknown profile 'ring-4'; did you mean 'ring-2'?\n"
		"include: [ring-4, bad, lost-2]\n"
		"          ^~~~~~\n"
		"ROOT/a/bad.yaml:2:1: unknown key 'x'\n"
		"x: 1\n"
		"^\n");
	catalog_close(&catalog);
}

static void test_include_depth(void **state)
{
	struct catalog catalog;

	(void)state;
	for (int i = 0; i < 70; i++) {
		__free_text char *file = xasprintf("a/n%d.yaml", i);
		__free_text char *text = xasprintf("profile: n%d\ninclude: n%d\n", i, i + 1);

		put(file, text);
	}
	put("a/n70.yaml", "profile: n70\n");
	open_catalog(&catalog);
	expect_unresolved(&catalog, "n0",
			  "ROOT/a/n63.yaml:2:10: includes go deeper than 64 profiles\n"
			  "include: n64\n"
			  "         ^~~\n");
	catalog_close(&catalog);
}

/* Each profile of a layer includes both of the next: 2^40 ways, but each profile is read once. */
static void test_include_diamonds(void **state)
{
	const struct profile **list = NULL;
	struct names names = {0};
	struct catalog catalog;
	struct diag diag = {0};
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 80; i++) {
		__free_text char *file = xasprintf("a/n%d.yaml", i);
		__free_text char *text = xasprintf("profile: n%d\ninclude: [n%d, n%d]\n", i,
						   i / 2 * 2 + 2, i / 2 * 2 + 3);

		put(file, text);
	}
	put("a/n80.yaml", "profile: n80\n");
	put("a/n81.yaml", "profile: n81\n");
	open_catalog(&catalog);
	names_add(&names, "n0");
	assert_int_equal(catalog_resolve(&catalog, &names, &list, &count, &diag), 0);
	assert_int_equal(count, 81);
	free(list);
	names_free(&names);
	catalog_close(&catalog);
}

/* A file's own name is the text after the last slash. */
static void test_check_file(void **state)
{
	__free_text char *folder = xasprintf("%s/a", root);
	__free_text char *path = xasprintf("%s/x.yaml", folder);
	__free_text char *other = xasprintf("%s/z.yaml", folder);
	struct diag diag = {0};
	struct catalog catalog;
	char cwd[4096];

	(void)state;
	put("a/x.yaml", "profile: x\nservices: [{name: s, in: 1/tcp}]\n");
	put("a/z.yaml", "profile: y\nservices: [{name: s, in: 1/tcp}]\n");
	open_catalog(&catalog);
	catalog_check_file(&catalog, path, &diag);
	expect_said(&diag, "");
	catalog_check_file(&catalog, other, &diag);
	assert_int_equal(diag.count, 1);
	assert_string_equal(diag.entry[0].message, "in the catalog this file must be named y.yaml");
	diag_free(&diag);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(folder), 0);
	catalog_check_file(&catalog, "x.yaml", &diag);
	assert_int_equal(chdir(cwd), 0);
	expect_said(&diag, "");
	catalog_close(&catalog);
}

static void test_groups(void **state)
{
	struct names groups = {0};
	struct catalog catalog;

	(void)state;
	put("a/x.yaml",
	    "profile: x\nservices:\n  - {name: s, in: 1/tcp, from: [trusted, cluster]}\n"
	    "  - {name: t, out: 1/tcp, to: exchange}\n");
	put("b/y.yaml",
	    "profile: y\nservices: [{name: s, in: 1/tcp, from: [trusted, link-local]}]\n");
	put("b/bad.yaml", "profile: bad\nservices: [{name: s, in: 1, from: unread}]\n");
	open_catalog(&catalog);
	catalog.folder.count = 2;
	catalog_groups(&catalog, &groups);
	catalog.folder.count = 4;
	expect_names(&groups, "cluster exchange link-local trusted");
	names_free(&groups);
	catalog_close(&catalog);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_folders, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_resolve, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_include_depth, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_include_diamonds, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_groups, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_check_file, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("catalog/catalog", tests, NULL, NULL);
}
