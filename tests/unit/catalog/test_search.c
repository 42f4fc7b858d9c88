// SPDX-License-Identifier: GPL-2.0
#include "loader/catalog/search.h"

#include <string.h>

#include "loader/base/memory.h"
#include "tests/unit/catalog/expect.h"

static const char profile_text[] =
	"profile: pbx\n"
	"title: Example PBX 7.6\n"
	"document: 25-ports.pdf\n"
	"url: https://www.Vendor.example/4711\n"
	"services:\n"
	"  - {name: sip, title: Phones and trunks, in: 5060/tcp+udp, out: 5062/udp}\n"
	"  - {name: media, in: [10000-20000/udp, 443/tcp]}\n"
	"  - {name: later, title: SIP later, dynamic: true}\n";

/* The services that the words find; "-" if the profile is not found. */
static char *found(const char *words)
{
	__cleanup(names_free) struct names list = {0}, services = {0};
	__cleanup(search_free) struct search search = {0};
	__free_text char *copy = xstrdup(words), *why = NULL;
	struct profile *profile = NULL;
	struct diag diag = {0};
	char *text;

	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		names_add(&list, word);
	if (search_parse(&list, &search, &why))
		return xstrdup(why);
	assert_int_equal(
		profile_parse("pbx.yaml", profile_text, strlen(profile_text), &profile, &diag), 0);
	text = search_finds(&search, profile, &services) ? names_join(&services, " ") :
							   xstrdup("-");
	profile_free(profile);
	return text;
}

static void test_words(void **state)
{
	static const struct {
		const char *words, *services;
	} cases[] = {
		{"", ""},
		{"PBX", ""},
		{"vendor", ""},
		{"ports.pdf", ""},
		{"nothing", "-"},
		{"sip", "sip later"},
		{"sip nothing", "-"},
		{"trunks later", "sip later"},
		{"5060", "sip"},
		{"5060/udp", "sip"},
		{"5061/udp", "-"},
		{"5062/udp", "sip"},
		{"5062/tcp", "-"},
		{"sip/tcp", "sip"},
		{"443/tcp", "media"},
		{"443/udp", "-"},
		{"10000/udp", "media"},
		{"20000", "media"},
		{"20001", "-"},
		{"9000-10000/udp", "media"},
		{"1-65535/tcp+udp", "sip media"},
		{"5060 media", "sip media"},
		{"25", "-"},
		{"4711", "-"},
		{"7.6", ""},
		{"6", ""},
		{"99999", "-"},
		{"0", "-"},
		{"70000/tcp", "port 70000 is out of range 1-65535"},
		{"sip 25/", "'25/' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *services = found(cases[i].words);

		if (strcmp(services, cases[i].services))
			fail_msg("'%s' finds '%s', not '%s'", cases[i].words, services,
				 cases[i].services);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};

	return cmocka_run_group_tests_name("catalog/search", tests, NULL, NULL);
}
