// SPDX-License-Identifier: GPL-2.0
/* Capture filters on frames with and without VLAN tags, with and without Ethernet, cut ones. */
#include "loader/report/capture_filter.h"

#include <errno.h>

#include "tests/unit/expect.h"

#define MACS "\2\0\0\0\0\1\2\0\0\0\0\2"
#define Q    "\x81\x00\x00\x07"
#define AD   "\x88\xa8\x00\x08"
/* 198.51.100.7:4000 -> 192.0.2.1:25, a SYN; then bytes that no filter reads. */
#define IP                                                       \
	"\x45\0\0\x28\0\0\0\0\x40\6\0\0\xc6\x33\x64\7\xc0\0\2\1" \
	"\x0f\xa0\0\x19\0\0\0\0\0\0\0\0\x50\2\0\0\0\0\0\0"
#define FRAME(before) before IP, sizeof(before IP) - 1

static void test_match(void **state)
{
	static const struct {
		bool ethernet;
		const char *filter, *bytes;
		size_t length, captured; /* captured 0: all */
		bool matches;
	} cases[] = {
		{true, "port 25", FRAME(MACS "\x08\x00"), 0, true},
		{true, "port 26", FRAME(MACS "\x08\x00"), 0, false},
		{true, "", FRAME(MACS "\x08\x00"), 0, true},
		{true, "port 25", FRAME(MACS Q "\x08\x00"), 0, true},
		{true, "port 25 and src net 198.51.100.0/24", FRAME(MACS AD Q "\x08\x00"), 0, true},
		{true, "not port 25", FRAME(MACS AD Q "\x08\x00"), 0, false},
		{true, "port 25", FRAME(MACS Q Q Q "\x08\x00"), 0, false},
		{true, "len = 54", FRAME(MACS Q "\x08\x00"), 0, true},
		{true, "ether src 2:0:0:0:0:2", FRAME(MACS Q "\x08\x00"), 0, true},
		{true, "vlan", FRAME(MACS Q "\x08\x00"), 0, false},
		/* Bytes that were not captured do not match. */
		{true, "port 25", FRAME(MACS Q "\x08\x00"), 42, true},
		{true, "port 25", FRAME(MACS Q "\x08\x00"), 41, false},
		{true, "ip", FRAME(MACS Q "\x08\x00"), 18, true},
		{true, "ip", FRAME(MACS Q "\x08\x00"), 16, false},
		{true, "ip", FRAME(MACS Q "\x08\x00"), 13, false},
		{true, "ip", FRAME(MACS Q "\x08\x00"), 1, false},
		{false, "port 25", FRAME(""), 0, true},
		{false, "tcp[tcpflags] & tcp-syn != 0", FRAME(""), 0, true},
		{false, "udp", FRAME(""), 0, false},
		{false, "host 192.0.2.1", FRAME(""), 0, true},
		/* An IPv4 packet whose addresses are at the place of a VLAN tag keeps them. */
		{false, "src 129.0.0.7", "\x45\0\0\x14\0\0\0\0\x40\xff\0\0\x81\0\0\7\xc0\0\2\1", 20,
		 0, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(capture_filter_free) struct capture_filter *filter = NULL;
		__free_text char *why = NULL, *copy = NULL;
		size_t captured = cases[i].captured ?: cases[i].length;

		assert_int_equal(
			capture_filter_compile(cases[i].filter, cases[i].ethernet, &filter, &why),
			0);
		/* A copy of exactly that length, so that ASan sees a read beyond it. */
		copy = xcalloc(1, captured);
		memcpy(copy, cases[i].bytes, captured);
		if (capture_filter_match(filter, (const __u8 *)copy, captured, cases[i].length) !=
		    cases[i].matches)
			fail_msg("case %zu: %s", i, cases[i].filter);
	}
}

static void test_wrong(void **state)
{
	static const struct {
		const char *filter, *why;
	} cases[] = {
		{"prot", "syntax error"},
		{"port 25 and", "syntax error"},
		{"port 99999", "illegal port"},
		{"host 1.2.3.4.5", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct capture_filter *filter = NULL;
		__free_text char *why = NULL;

		assert_int_equal(capture_filter_compile(cases[i].filter, true, &filter, &why),
				 -EINVAL);
		assert_null(filter);
		assert_non_null(why);
		assert_ptr_equal(strstr(why, cases[i].why), why);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("report/capture_filter", tests, NULL, NULL);
}
