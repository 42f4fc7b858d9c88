// SPDX-License-Identifier: GPL-2.0
/* The addresses of this host that boot knows before the interfaces have them. */
#include "loader/recipe/own_addresses.h"

#include <arpa/inet.h>

#include "loader/base/file.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static struct link_address made(int family, const char *text, __u8 length, __u8 scope)
{
	struct link_address address = {
		.ifindex = 2, .family = (__u8)family, .length = length, .scope = scope};

	assert_int_equal(inet_pton(family, text, address.address), 1);
	return address;
}

static void test_text(void **state)
{
	struct link_address address[] = {
		made(AF_INET, "127.0.0.1", 8, RT_SCOPE_HOST),
		made(AF_INET, "192.0.2.1", 24, RT_SCOPE_UNIVERSE),
		made(AF_INET6, "2001:db8::1", 64, RT_SCOPE_UNIVERSE),
		made(AF_INET6, "fe80::1", 64, RT_SCOPE_LINK),
	};
	const struct links links = {.address = address, .addresses = ARRAY_SIZE(address)};
	const struct links none = {};
	__free_text char *text = own_addresses_text(&links), *empty = own_addresses_text(&none);

	(void)state;
	/* And the addresses that follow from their networks: the first IPv4 address only before
	 * Linux 5.14. */
	assert_non_null(strstr(text, "192.0.2.1\n192.0.2.255\n"));
	assert_non_null(strstr(text, "2001:db8::1\n2001:db8::\n"));
	assert_null(strstr(text, "127."));
	assert_null(strstr(text, "fe80"));
	assert_string_equal(empty, "");
}

static void test_read(void **state)
{
	__free_text char *path = xasprintf("%s/addresses", root);
	__free_text struct prefix *address = NULL, *none = NULL;
	char text[PREFIX_TEXT];

	(void)state;
	put("addresses", "192.0.2.1\n\nnonsense\n2001:db8::1\n192.0.2.0/24\n");
	assert_int_equal(own_addresses_read(path, &address), 2);
	assert_string_equal(prefix_format(&address[0], text), "192.0.2.1/32");
	assert_string_equal(prefix_format(&address[1], text), "2001:db8::1/128");
	assert_int_equal(own_addresses_read("/nonexistent", &none), 0);
	assert_null(none);
}

static void expect_kept(const char *path, const char *expected)
{
	__free_text char *text = NULL;
	size_t length;

	assert_int_equal(read_file(path, 1000, &text, &length), 0);
	assert_non_null(strstr(text, expected));
}

/* The file is written where it is not there or differs, and not where it is the same. */
static void test_keep(void **state)
{
	struct link_address address[] = {made(AF_INET, "192.0.2.1", 24, RT_SCOPE_UNIVERSE)};
	const struct links links = {.address = address, .addresses = 1};
	__free_text char *folder = xasprintf("%s/kept", root), *path = xasprintf("%s/a", folder);
	struct stat first, second;

	(void)state;
	own_addresses_keep(folder, "a", &links);
	expect_kept(path, "192.0.2.1\n");
	assert_int_equal(stat(path, &first), 0);
	own_addresses_keep(folder, "a", &links);
	assert_int_equal(stat(path, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	inet_pton(AF_INET, "192.0.2.7", address[0].address);
	own_addresses_keep(folder, "a", &links);
	expect_kept(path, "192.0.2.7\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_keep),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
