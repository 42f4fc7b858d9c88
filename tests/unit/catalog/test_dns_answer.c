// SPDX-License-Identifier: GPL-2.0
/* Names of hosts in groups, and the addresses that groups do not take from DNS. */
#include "loader/catalog/dns_answer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static void test_names(void **state)
{
	static const struct {
		const char *text, *name;
	} good[] = {
		{"mail.example.org", "mail.example.org"},
		{"Mail.EXAMPLE.org.", "mail.example.org"},
		{"_x.a-b.c1", "_x.a-b.c1"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"1.example", "1.example"},
		{"a.b", "a.b"},
	};
	static const char *const bad[] = {
		"",
		".",
		"mail",
		"mail.",
		"a..b",
		".a.b",
		"-a.b",
		"a-.b",
		"a.-b",
		"192.0.2.1",
		"2001:db8::1",
		"a b.c",
		"a/b.c",
		"../../etc.passwd",
		"b\xc3\xbc"
		"cher.example",
		"a.b/",
		"*.example.org",
		"a.example.123",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org", /* 64 */
	};
	__free_text char *lengthy = xcalloc(255, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		__free_text char *name = NULL, *why = NULL;

		assert_int_equal(0,
				 dns_name_parse(good[i].text, strlen(good[i].text), &name, &why));
		assert_string_equal(good[i].name, name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		__free_text char *name = NULL, *why = NULL;

		assert_int_equal(-EINVAL, dns_name_parse(bad[i], strlen(bad[i]), &name, &why));
		assert_non_null(strstr(why, "must be a full name"));
		assert_null(name);
	}
	for (size_t length = 253; length < 255; length++) {
		__free_text char *name = NULL, *why = NULL;

		for (size_t i = 0; i < length; i++)
			lengthy[i] = i % 2 && i + 1 < length ? '.' : 'a';
		assert_int_equal(length == 253 ? 0 : -EINVAL,
				 dns_name_parse(lengthy, length, &name, &why));
	}
	{
		__free_text char *name = NULL, *why = NULL;

		assert_int_equal(-EINVAL, dns_name_parse("a.b\0.c", 6, &name, &why));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *address, *what;
	} cases[] = {
		{"0.0.0.0", "this host"},
		{"0.1.2.3", "this host"},
		{"127.0.0.1", "loopback"},
		{"127.255.0.1", "loopback"},
		{"169.254.9.9", "link-local"},
		{"224.0.0.1", "multicast"},
		{"239.1.1.1", "multicast"},
		{"240.0.0.1", "reserved"},
		{"255.255.255.255", "reserved"},
		{"::", "loopback or unspecified"},
		{"::1", "loopback or unspecified"},
		{"::192.0.2.1", "loopback or unspecified"},
		{"fe80::1", "link-local"},
		{"febf::1", "link-local"},
		{"fec0::1", "site-local"},
		{"ff02::1", "multicast"},
		{"192.0.2.1", NULL},
		{"10.0.0.1", NULL},
		{"223.255.255.255", NULL},
		{"126.255.255.255", NULL},
		{"2001:db8::1", NULL},
		{"fd00::1", NULL},
		{"fe7f::1", NULL},
	};
	struct prefix mapped = {.family = AF_INET6,
				.length = 128,
				.address = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 9}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *why = NULL;
		const char *what;
		struct prefix prefix;

		assert_int_equal(0, prefix_parse(cases[i].address, &prefix, &why));
		what = dns_refused(&prefix);
		if (cases[i].what)
			assert_string_equal(cases[i].what, what ? what : cases[i].address);
		else
			assert_null(what);
	}
	assert_string_equal("IPv4 written as IPv6", dns_refused(&mapped));
}

static void parse(const char *text, int expected, struct dns_answer *answer)
{
	int err = dns_answer_parse(text, strlen(text), answer);

	if (err != expected)
		fail_msg("%d for %s", err, text);
}

/* A written answer is read back; its addresses are in the order of prefixes. */
static void test_file(void **state)
{
	static const char *const parts[] = {
		"\"since\": 5",	 "\"asked\": 6",       "\"due\": 7",
		"\"failed\": 8", "\"error\": \"no?\"", "\"2001:db8::1/128\"",
	};
	struct dns_answer answer, again;
	char *text;

	(void)state;
	parse("{\"addresses\": [\"2001:db8::1/128\", \"192.0.2.9/32\", \"192.0.2.1\"], "
	      "\"since\": 5, \"asked\": 6, \"due\": 7, \"failed\": 8, \"error\": \"no\\n\"}",
	      0, &answer);
	assert_int_equal(answer.prefixes, 3);
	text = dns_answer_text(&answer);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_non_null(strstr(text, parts[i]));
	parse(text, 0, &again);
	free(text);
	assert_int_equal(again.prefixes, 3);
	assert_memory_equal(again.prefix, answer.prefix, 3 * sizeof(*answer.prefix));
	assert_true(again.since == 5 && again.asked == 6 && again.due == 7 && again.failed == 8);
	assert_string_equal(again.error, "no?");
	for (size_t i = 1; i < 3; i++)
		assert_true(prefix_compare(&again.prefix[i - 1], &again.prefix[i]) < 0);
	dns_answer_free(&again);
	dns_answer_free(&answer);
	parse("{\"addresses\": [], \"since\": -1, \"due\": \"x\"}", 0, &answer);
	assert_true(!answer.prefixes && !answer.since && !answer.due && !answer.error);
	dns_answer_free(&answer);
}

/* A file with an address that groups refuse, or with a network, is not an answer. */
static void test_bad_file(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{\"since\": 5}",
		"{\"addresses\": \"192.0.2.1\"}",
		"{\"addresses\": [5]}",
		"{\"addresses\": [\"x\"]}",
		"{\"addresses\": [\"192.0.2.1\", \"192.0.2.0/31\"]}",
		"{\"addresses\": [\"2001:db8::/127\"]}",
		"{\"addresses\": [\"2001:db8::/32\"]}",
		"{\"addresses\": [\"127.0.0.1\"]}",
	};
	struct dns_answer answer;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		parse(bad[i], -EBADMSG, &answer);
		assert_null(answer.prefix);
		assert_int_equal(answer.prefixes, 0);
	}
}

/* As many addresses as a name may have, and one more. */
static void test_most_addresses(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		struct dns_answer answer;
		char *text = NULL;
		size_t length;
		FILE *to = open_memstream(&text, &length);

		fputs("{\"addresses\": [\"192.0.2.0\"", to);
		for (int i = 1; i < DNS_ADDRESSES + more; i++)
			fprintf(to, ", \"192.0.2.%d\"", i);
		fputs("]}", to);
		fclose(to);
		parse(text, more ? -EBADMSG : 0, &answer);
		assert_int_equal(answer.prefixes, more ? 0 : DNS_ADDRESSES);
		dns_answer_free(&answer);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_file),	       cmocka_unit_test(test_bad_file),
		cmocka_unit_test(test_most_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
