// SPDX-License-Identifier: GPL-2.0
/* The digest of a site: of what it means, not of how it is written. */
#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/sha256.h"
#include "loader/recipe/state.h"
#include "tests/unit/expect.h"

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests_name("recipe/state", tests, NULL, NULL);
}
