// SPDX-License-Identifier: GPL-2.0
/* The address of this host to which a remote host's packets are sent. */
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/local_address.h"
#include "tests/unit/expect.h"

static struct link interface[] = {
	{.ifindex = 1, .name = "lo"},
	{.ifindex = 2, .name = "eth0", .master = 4},
	{.ifindex = 3, .name = "eth1"},
	{.ifindex = 4, .name = "br0", .kind = "bridge"},
};
static struct link_address address[8];
static struct links links = {.link = interface, .count = ARRAY_SIZE(interface), .address = address};

static void add(unsigned int ifindex, __u8 scope, const char *text)
{
	struct link_address *one = &address[links.addresses++];

	*one = (struct link_address){.ifindex = ifindex,
				     .scope = scope,
				     .family = strchr(text, ':') ? AF_INET6 : AF_INET};
	assert_int_equal(inet_pton(one->family, text, one->address), 1);
}

/* `source`: of the route; NULL: there is no route. */
static void chooses(unsigned int ifindex, const char *remote, const char *source,
		    const char *expected)
{
	__u8 family = strchr(remote, ':') ? AF_INET6 : AF_INET, bytes[16] = {};
	struct route route = {.has_source = source};
	const struct link_address *chosen;
	char text[INET6_ADDRSTRLEN] = "none";

	inet_pton(family, remote, bytes);
	if (source)
		inet_pton(family, source, route.source);
	chosen = local_choose(&links, ifindex, family, bytes, &route);
	if (chosen)
		inet_ntop(chosen->family, chosen->address, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_choose(void **state)
{
	(void)state;
	add(1, RT_SCOPE_HOST, "127.0.0.1");
	add(3, RT_SCOPE_UNIVERSE, "203.0.113.1");
	add(4, RT_SCOPE_UNIVERSE, "192.0.2.1");
	add(4, RT_SCOPE_UNIVERSE, "192.0.2.9");
	add(4, RT_SCOPE_LINK, "fe80::1");
	add(4, RT_SCOPE_UNIVERSE, "2001:db8::1");
	/* A bridge has the address of its port. */
	chooses(2, "192.0.2.2", "192.0.2.9", "192.0.2.9");
	chooses(2, "192.0.2.2", NULL, "192.0.2.1");
	/* Routes there and back may differ. */
	chooses(2, "198.51.100.1", "203.0.113.1", "192.0.2.1");
	chooses(3, "198.51.100.1", "192.0.2.9", "203.0.113.1");
	/* Without an address of its own, that of another interface. */
	chooses(3, "2001:db8::2", "2001:db8::1", "2001:db8::1");
	chooses(2, "2001:db8::2", NULL, "2001:db8::1");
	chooses(2, "fe80::2", NULL, "fe80::1");
	/* Also while the link-local address cannot be used yet, and the route has another one. */
	chooses(2, "fe80::2", "2001:db8::1", "fe80::1");
	chooses(0, "198.51.100.1", "192.0.2.9", "192.0.2.9");
	links.addresses = 1;
	chooses(2, "192.0.2.2", NULL, "none");
	chooses(2, "192.0.2.2", "192.0.2.9", "none");
}

static struct link_address own(const char *text, __u8 length)
{
	struct link_address made = {.length = length,
				    .family = strchr(text, ':') ? AF_INET6 : AF_INET};

	assert_int_equal(inet_pton(made.family, text, made.address), 1);
	return made;
}

static bool has(const struct link_address *list, size_t count, const char *text)
{
	const struct link_address wanted = own(text, 0);

	for (size_t i = 0; i < count; i++)
		if (list[i].family == wanted.family &&
		    !memcmp(list[i].address, wanted.address, sizeof(wanted.address)))
			return true;
	return false;
}

static void test_taken(void **state)
{
	struct link_address one[] = {own("192.0.2.65", 27),	own("198.51.100.1", 31),
				     own("203.0.113.5", 32),	own("2001:db8::77", 64),
				     own("2001:db8:1::1", 127), own("2001:db8:2::1", 128)};
	const struct links some = {.address = one, .addresses = ARRAY_SIZE(one)};
	__free_text struct link_address *list = NULL;
	size_t count = local_taken(&some, &list);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
		char text[INET6_ADDRSTRLEN];

		assert_true(has(list, count,
				inet_ntop(one[i].family, one[i].address, text, sizeof(text))));
	}
	assert_true(has(list, count, "192.0.2.95"));
	assert_true(has(list, count, "2001:db8::"));
	count -= has(list, count, "192.0.2.64"); /* before Linux 5.14 */
	assert_int_equal(count, ARRAY_SIZE(one) + 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_taken),
	};

	return cmocka_run_group_tests_name("net/local_address", tests, NULL, NULL);
}
