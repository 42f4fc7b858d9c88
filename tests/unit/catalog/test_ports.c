// SPDX-License-Identifier: GPL-2.0
/* Ports as users and profiles write them. */
#include <errno.h>

#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "tests/unit/catalog/expect.h"
#include "tests/unit/expect.h"

static void test_ports_written(void **state)
{
	static const struct {
		const char *list, *written;
	} cases[] = {
		{"25/tcp", "25/tcp"},
		{"26/tcp,25/tcp,27-29/tcp,31/tcp", "25-29/tcp 31/tcp"},
		{"53/udp,53/tcp,25/udp", "53/tcp 25/udp 53/udp"},
		{"5060/tcp+udp,5061/tcp", "5060-5061/tcp 5060/udp"},
		{"1-65535/udp+tcp", "1-65535/tcp 1-65535/udp"},
		{"65535/tcp,65534/tcp,1/tcp", "1/tcp 65534-65535/tcp"},
		{"10-20/tcp,12-15/tcp,18-30/tcp", "10-30/tcp"},
		{"7-7/udp", "7/udp"},
		{"imaps/tcp,domain/tcp+udp", "53/tcp 993/tcp 53/udp"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ports ports = {0}, copy = {0};
		char *why = NULL;

		assert_int_equal(ports_parse_list(cases[i].list, &ports, &why), 0);
		expect_ports(&ports, cases[i].written);
		ports_copy(&copy, &ports);
		assert_true(ports_equal(&copy, &ports));
		ports_free(&copy);
		assert_false(ports_equal(&copy, &ports));
		ports_free(&ports);
	}
}

static void test_ports(void **state)
{
	struct ports a = {0}, b = {0};
	char *why = NULL;

	(void)state;
	assert_int_equal(ports_parse_list("1-10/tcp,20/udp", &a, &why), 0);
	assert_true(ports_have(&a, PC_TCP, 1) && ports_have(&a, PC_TCP, 10));
	assert_false(ports_have(&a, PC_TCP, 11) || ports_have(&a, PC_UDP, 10));
	assert_true(ports_have(&a, PC_UDP, 20));
	assert_int_equal(ports_parse_list("6-10/tcp,20/udp,1-5/tcp", &b, &why), 0);
	assert_true(ports_equal(&a, &b));
	/* After an error the list is unchanged. */
	assert_int_equal(ports_parse_list("30/tcp,x", &b, &why), -EINVAL);
	assert_string_equal(why, "'x' has no protocol; write x/tcp, x/udp or x/tcp+udp");
	assert_true(ports_equal(&a, &b));
	text_free(&why);
	assert_int_equal(ports_parse_list("30/tcp,", &b, &why), -EINVAL);
	assert_string_equal(why, "a port is empty; write it as 25/tcp");
	text_free(&why);
	assert_int_equal(ports_parse("30/tcp", &b, &why), 0);
	assert_false(ports_equal(&a, &b));
	ports_free(&a);
	ports_free(&b);
}

/* One port of one protocol. A suggested form must be accepted. */
static void test_one_port(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{"25", "'25' has no protocol; write 25/tcp or 25/udp"},
		{"25/", "'25/' has no protocol; write 25/tcp or 25/udp"},
		{"25/TCP", "unknown protocol 'TCP'; write 25/tcp"},
		{"25/sctp", "unknown protocol 'sctp'; a port is of tcp or udp"},
		{"25/tcp+udp", "'25/tcp+udp' is more than one port; name 25/tcp or 25/udp"},
		{"25-26/tcp", "'25-26/tcp' is more than one port; name one, as 25/tcp"},
		{"25/tcp,26/tcp", "'25/tcp,26/tcp' is not one port; write it as 25/tcp"},
		{"-/tcp", "'-/tcp' is not a port; write it as 25/tcp"},
		{"", "a port is empty; write it as 25/tcp"},
	};
	char *why = NULL;
	__u32 port = 0;

	(void)state;
	assert_int_equal(port_parse("25/tcp", &port, &why), 0);
	assert_int_equal(port, PC_PORT(PC_TCP, 25));
	assert_int_equal(port_parse("65535/udp", &port, &why), 0);
	assert_int_equal(port, PC_PORT(PC_UDP, 65535));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(port_parse(wrong[i].text, &port, &why), -EINVAL);
		assert_string_equal(why, wrong[i].why);
		text_free(&why);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports_written),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_one_port),
	};

	return cmocka_run_group_tests_name("catalog/ports", tests, NULL, NULL);
}
