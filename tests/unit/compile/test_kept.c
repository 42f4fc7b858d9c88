// SPDX-License-Identifier: GPL-2.0
/* The text that is kept with a generation: damaged texts, equal texts, and whose folders are
 * trusted. */
#include "loader/compile/kept.h"

#include "tests/unit/expect.h"

#include <sys/socket.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"

#define RECIPE(features) "{\"profiles\": [\"p\"], \"features\": [" features "]}"
#define PROFILE(path, title) \
	"{\"name\": \"p\", \"path\": \"" path "\", \"title\": \"" title "\", \"services\": []}"
#define KEPT(recipe, profile) \
	"{\"version\": 1, \"recipe\": " recipe ", \"catalog\": [], \"profiles\": [" profile "]}"

static char *heard;

static void take(void *context, bool is_error, const char *text, const char *fix)
{
	(void)context;
	assert_true(is_error);
	free(heard);
	heard = xasprintf("%s%s%s", text, fix ? MESSAGE_FIX : "", fix ? fix : "");
}

static int start(void **state)
{
	(void)state;
	messages_to(take, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	messages_to(NULL, NULL);
	free(heard);
	heard = NULL;
	return 0;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *why;
	} damaged[] = {
		{"", "eth0: the recipe kept with the filter is damaged: "},
		{"{\"recipe\": {}", "eth0: the recipe kept with the filter is damaged: "},
		{"{\"recipe\": {}}", "damaged: a part is missing; detach and attach again"},
		{"{\"profiles\": []}", "damaged: a part is missing; detach and attach again"},
		{"{\"recipe\": [], \"profiles\": []}", "a part is missing"},
		{"{\"recipe\": {}, \"profiles\": {}}", "a part is missing"},
	};
	json_t *kept = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		assert_int_equal(kept_parse("eth0", damaged[i].text, &kept), -EINVAL);
		assert_null(kept);
		assert_non_null(strstr(heard, damaged[i].why));
	}
	assert_int_equal(kept_parse("eth0", "{\"recipe\": {}, \"profiles\": []}", &kept), 0);
	assert_true(json_is_object(kept));
	json_decref(kept);
}

static json_t *kept_of(const char *text)
{
	json_t *kept;

	assert_int_equal(kept_parse("eth0", text, &kept), 0);
	return kept;
}

static void test_same(void **state)
{
	static const struct {
		const char *other;
		bool same;
	} cases[] = {
		{KEPT(RECIPE("\"f\""), PROFILE("/a/p.yaml", "P")), true},
		{KEPT(RECIPE("\"f\""), PROFILE("/b/p.yaml", "P")), true},
		{KEPT(RECIPE("\"f\""), PROFILE("/a/p.yaml", "Q")), false},
		{KEPT(RECIPE("\"g\""), PROFILE("/a/p.yaml", "P")), false},
		{KEPT(RECIPE("\"f\""), ""), false},
		{KEPT(RECIPE("\"f\""), PROFILE("/a/p.yaml", "P") ", " PROFILE("/a/p.yaml", "P")),
		 false},
	};
	json_t *one = kept_of(cases[0].other);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *other = kept_of(cases[i].other);

		assert_int_equal(kept_same(one, other), cases[i].same);
		assert_int_equal(kept_same(other, one), cases[i].same);
		assert_int_equal(kept_same_words(one, other), cases[i].same);
		json_decref(other);
	}
	json_decref(one);
}

/* The words are the same although a name of a group has other addresses. */
static void test_same_words(void **state)
{
	static const char form[] =
		"{\"recipe\": {\"groups\": {\"a\": [\"192.0.2.%d/32\"]}, \"dns\": {\"a\": {\"names\": [\"x.example\"], \"fixed\": []}}}, "
		"\"profiles\": [{\"name\": \"%s\", \"services\": []}]}";
	char *text[] = {xasprintf(form, 1, "p"), xasprintf(form, 2, "p"), xasprintf(form, 2, "q")};
	json_t *one = kept_of(text[0]), *answered = kept_of(text[1]), *other = kept_of(text[2]);

	(void)state;
	assert_false(kept_same(one, answered));
	assert_true(kept_same_words(one, answered));
	assert_false(kept_same_words(one, other));
	json_decref(one);
	json_decref(answered);
	json_decref(other);
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		free(text[i]);
}

/* An open service admits an address by a group of it, but not by one that is everyone. */
static void test_group_admits(void **state)
{
	static const char text[] =
		"{\"recipe\": {\"groups\": {\"a\": [\"192.0.2.0/24\", \"2001:db8::/32\", \"0.0.0.0/0\"], \"b\": [\"198.51.100.0/24\"]}}, "
		"\"profiles\": [{\"name\": \"p\", \"services\": []}, {\"name\": \"q\", \"services\": ["
		"{\"name\": \"any\", \"direction\": \"in\", \"ports\": [\"25/tcp\"], \"from\": [], \"open\": true},"
		"{\"name\": \"out\", \"direction\": \"out\", \"ports\": [\"26/tcp\"], \"from\": [\"a\"], \"open\": true},"
		"{\"name\": \"off\", \"direction\": \"in\", \"ports\": [\"27/tcp\"], \"from\": [\"a\"], \"open\": false},"
		"{\"name\": \"on\", \"direction\": \"in\", \"ports\": [\"28-30/tcp\"], \"from\": [\"none\", \"b\", \"a\"], \"open\": true}]}]}";
	static const struct {
		__u8 address[16], family;
		enum pc_transport transport;
		__u16 port;
		bool admits;
	} cases[] = {
		{{192, 0, 2, 9}, AF_INET, PC_TCP, 28, true},
		{{192, 0, 2, 9}, AF_INET, PC_TCP, 30, true},
		{{192, 0, 2, 9}, AF_INET, PC_TCP, 31, false},
		{{192, 0, 2, 9}, AF_INET, PC_UDP, 28, false},
		{{192, 0, 2, 9}, AF_INET, PC_TCP, 25, false},
		{{192, 0, 2, 9}, AF_INET, PC_TCP, 26, false},
		{{192, 0, 2, 9}, AF_INET, PC_TCP, 27, false},
		{{198, 51, 100, 9}, AF_INET, PC_TCP, 29, true},
		{{203, 0, 113, 9}, AF_INET, PC_TCP, 29, false},
		{{0x20, 1, 0xd, 0xb8}, AF_INET6, PC_TCP, 29, true},
		{{0x20, 1, 0xd, 0xb9}, AF_INET6, PC_TCP, 29, false},
	};
	json_t *kept = kept_of(text);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (kept_group_admits(kept, cases[i].transport, cases[i].port, cases[i].family,
				      cases[i].address) != cases[i].admits)
			fail_msg("case %zu", i);
	json_decref(kept);
}

static void test_folders(void **state)
{
	char folder[] = "/tmp/portcullis-kept-XXXXXX";
	__cleanup(names_free) struct names folders = {0};
	json_t *kept;

	(void)state;
	assert_non_null(mkdtemp(folder));
	kept = json_pack("{s:[s, s]}", "catalog", folder, folder);
	assert_int_equal(kept_folders("eth0", kept, &folders), 0);
	assert_int_equal(folders.count, 1);
	assert_string_equal(folders.name[0], folder);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(kept_folders("eth0", kept, &folders), -EPERM);
	assert_non_null(strstr(heard, "which cannot be used any more: refused: others can write"));
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(kept_folders("eth0", kept, &folders), -EPERM);
	assert_non_null(strstr(
		heard, "No such file or directory; to fix it: give --fresh, or attach anew"));
	json_decref(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_words),
		cmocka_unit_test(test_group_admits),
		cmocka_unit_test_setup_teardown(test_parse, start, end),
		cmocka_unit_test_setup_teardown(test_same, start, end),
		cmocka_unit_test_setup_teardown(test_folders, start, end),
	};

	return cmocka_run_group_tests_name("compile/kept", tests, NULL, NULL);
}
