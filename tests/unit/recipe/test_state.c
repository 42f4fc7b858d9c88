// SPDX-License-Identifier: GPL-2.0
/* What boots: the digest of a site file's meaning; snapshots, complete and damaged. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/sha256.h"
#include "loader/recipe/state.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static char *digest_of(const char *text)
{
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(site_free) struct site site = {0};
	char digest[SHA256_TEXT];

	assert_int_equal(site_parse("site.yaml", text, strlen(text), &site, &diag), 0);
	site_digest(&site, digest);
	return xstrdup(digest);
}

static void expect_same(const char *a, const char *b, bool same)
{
	__free_text char *one = digest_of(a), *other = digest_of(b);

	assert_int_equal(!strcmp(one, other), same);
}

#define PLAIN \
	"groups: {g: 192.0.2.0/24, h: 10.0.0.0/8}\ninterfaces: {a: {profiles: ssh}, b: {profiles: [x, y]}}\n"

static void test_digest(void **state)
{
	(void)state;
	expect_same(PLAIN, "# more\n" PLAIN, true);
	expect_same(
		PLAIN,
		"interfaces:\n  b: {confirm: 60, profiles: [x, y]}\n  a: {profiles: [ssh], observe: false}\n"
		"groups: {h: 10.0.0.0/8, g: [192.0.2.0/24]}\n",
		true);
	expect_same(
		PLAIN,
		"groups: {g: 192.0.2.0/25, h: 10.0.0.0/8}\ninterfaces: {a: {profiles: ssh}, b: {profiles: [x, y]}}\n",
		false);
	expect_same("interfaces: {a: {profiles: ssh}}", "interfaces: {b: {profiles: ssh}}", false);
	expect_same("interfaces: {'a*': {profiles: ssh}}", "interfaces: {'b*': {profiles: ssh}}",
		    false);
	expect_same("interfaces: {'a*': {profiles: ssh}}", "interfaces: {}", false);
	expect_same("interfaces: {'a*': {profiles: ssh}}",
		    "interfaces: {'a*': {observe: true, profiles: ssh}}", false);
	expect_same("interfaces: {a: {profiles: ssh}}",
		    "interfaces: {a: {profiles: ssh, observe: true}}", false);
	expect_same("interfaces: {a: {profiles: ssh}}",
		    "interfaces: {a: {profiles: ssh, mode: native}}", false);
	expect_same("interfaces: {a: {profiles: ssh}}",
		    "interfaces: {a: {profiles: ssh, flows: 9}}", false);
	expect_same("interfaces: {a: {profiles: ssh}}",
		    "interfaces: {a: {profiles: ssh}, b: {profiles: ssh}}", false);
	expect_same("interfaces: {}", "interfaces: {a: {profiles: ssh}}", false);
}

#define ABOUT "{\"version\": 1, \"content\": \"c0ffee\", \"interfaces\": [\"eth1\", 7, \"eth0\"]}"
#define SITE  "groups: {g: '@elsewhere'}\ninterfaces: {eth0: {profiles: mine, from: {mine:x: g}}}\n"
#define MINE  "profile: mine\nservices: [{name: x, in: 9/udp}]\n"

static void put_snapshot(const char *about, const char *site, const char *profile)
{
	put("s/about.json", about);
	put("s/site.yaml", site);
	put("s/groups/g", "192.0.2.0/24\n");
	put("s/profiles/mine.yaml", profile);
}

/* Everything comes from the snapshot, even the group's file, whatever path the site file has for
 * it. */
static void test_snapshot(void **state)
{
	__free_text char *path = xasprintf("%s/s", root), *gone = xasprintf("%s/t", root);
	__cleanup(snapshot_free) struct snapshot snapshot = {0}, none = {0};
	__cleanup(diag_free) struct diag diag = {0};
	const struct group *group;
	char digest[SHA256_TEXT];

	(void)state;
	put_snapshot(ABOUT, SITE, MINE);
	assert_int_equal(snapshot_open(path, &snapshot, &diag), 0);
	assert_int_equal(diag.count, 0);
	assert_true(snapshot.there);
	assert_string_equal(snapshot.content, "c0ffee");
	expect_names(&snapshot.interfaces, "eth1 eth0");
	group = groups_find(&snapshot.site.groups, "g");
	assert_non_null(group);
	assert_int_equal(group->prefixes, 1);
	site_digest(&snapshot.site, digest);
	assert_string_equal(snapshot.digest, digest);
	assert_int_equal(snapshot_open(gone, &none, &diag), 0);
	assert_int_equal(diag.count, 0);
	assert_false(none.there);
}

/* A part of it would be worse than nothing. */
static void test_damaged(void **state)
{
	static const struct {
		const char *about, *site, *profile;
		int err;
		const char *said;
	} cases[] = {
		{"{\"version\": 2, \"content\": \"x\"}", SITE, MINE, -EPROTO,
		 "portcullis: ROOT/s/about.json: is of another version of portcullis, and is not used; portcullis apply writes a new one\n"},
		{"{\"version\": 1", SITE, MINE, -EPROTO,
		 "portcullis: ROOT/s/about.json: is of another version of portcullis, and is not used; portcullis apply writes a new one\n"},
		{"{}", SITE, MINE, -EPROTO,
		 "portcullis: ROOT/s/about.json: is of another version of portcullis, and is not used; portcullis apply writes a new one\n"},
		{ABOUT, SITE, "profile: other\n", -EINVAL, NULL},
		{ABOUT, "interfaces: {eth0: {profiles: gone}}\n", MINE, -EINVAL, NULL},
		{ABOUT, "interfaces: [", MINE, -EINVAL, NULL},
	};
	__free_text char *path = xasprintf("%s/s", root);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct snapshot snapshot;
		struct diag diag = {0};

		put_snapshot(cases[i].about, cases[i].site, cases[i].profile);
		assert_int_equal(snapshot_open(path, &snapshot, &diag), cases[i].err);
		assert_true(diag.errors > 0);
		assert_false(snapshot.there);
		assert_null(snapshot.site.path);
		assert_int_equal(snapshot.interfaces.count, 0);
		if (cases[i].said)
			expect_said_of_files(&diag, cases[i].said);
		diag_free(&diag);
	}
}

static void test_missing(void **state)
{
	static const char *const file[] = {"about.json", "site.yaml", "profiles"};
	__free_text char *path = xasprintf("%s/s", root);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(file); i++) {
		__free_text char *from = xasprintf("%s/%s", path, file[i]);
		__free_text char *to = xasprintf("%s/aside", root);
		struct snapshot snapshot;
		struct diag diag = {0};

		put_snapshot(ABOUT, SITE, MINE);
		assert_int_equal(rename(from, to), 0);
		assert_int_equal(snapshot_open(path, &snapshot, &diag), -ENOENT);
		assert_false(snapshot.there);
		diag_free(&diag);
		assert_int_equal(rename(to, from), 0);
	}
}

static void test_is_of(void **state)
{
	(void)state;
	assert_true(state_is_of(NULL));
	assert_true(state_is_of("/etc/portcullis/site.yaml"));
	assert_false(state_is_of("/etc/portcullis/site.yam"));
	assert_false(state_is_of("site.yaml"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test_setup_teardown(test_snapshot, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_damaged, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_missing, make_root, remove_root),
		cmocka_unit_test(test_is_of),
	};

	return cmocka_run_group_tests_name("recipe/state", tests, NULL, NULL);
}
