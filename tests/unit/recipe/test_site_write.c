// SPDX-License-Identifier: GPL-2.0
/* A written site file is read back as the same recipes. */
#include "loader/recipe/site_write.h"

#include "loader/recipe/recipe_json.h"
#include "tests/unit/recipe/site_files.h"

static char *recipe_text(const struct recipe *recipe)
{
	json_t *json = recipe_json(recipe);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

static char *written(const struct site *site)
{
	struct site_entry *entry = xcalloc(site->interfaces, sizeof(*entry));
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	for (size_t i = 0; i < site->interfaces; i++)
		entry[i] = (struct site_entry){.name = site->interface[i].name,
					       .recipe = site->interface[i].recipe,
					       .mode = site->interface[i].mode,
					       .flows = site->interface[i].flows};
	site_write(entry, site->interfaces, NULL, to);
	fclose(to);
	free(entry);
	return text;
}

static void test_round(void **state)
{
	static const char *const texts[] = {
		ETH0 "  eth1: {profiles: ssh}\n",
		/* A group with other prefixes at the second interface. */
		"groups: {a: [10.0.0.0/8, ::1], b: []}\n" ETH0
		"  eth1: {profiles: ssh, groups: {a: 11.0.0.0/8, b: 12.0.0.0/8}}\n"
		"  eth2: {profiles: ssh, groups: {a: [], b: []}}\n",
		"groups: {a: 10.0.0.0/8}\n" ETH0
		"    limits: {ssh:ssh: {rate: 600/m, except: a, per: {ipv6: 48, ipv4: 24}}}\n    observe: true\n    outbound: enforce\n    machines:\n"
		"      'true': {address: [192.0.2.9, 192.0.2.0/28, '2001:db8::/64'], profiles: [ssh, shop], enable: [mta, 'shop:mta'],\n"
		"        disable: shop:web, from: {ssh:ssh: [a, on]}, set: {ssh:ssh: [22/tcp, 2222/tcp]},\n"
		"        limits: {ssh:ssh: 3/m, shop:web: {rate: 20/s, per: {ipv4: 24}, burst: 7, except: [a, on]}},\n"
		"        open: {3389/tcp: {from: a, comment: \"it's #1\"}, 9/udp: anyone}, groups: {on: '::2', a: [], b: 10.0.0.0/8}}\n"
		"      a: {address: 192.0.2.8, profiles: ssh, observe: false}\n"
		"      b: {address: 192.0.2.7, profiles: ssh, observe: true, outbound: track}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		__cleanup(site_free) struct site site = parse(texts[i]), again = {};
		__free_text char *text = written(&site);

		again = parse(text);
		assert_int_equal(site.interfaces, again.interfaces);
		for (size_t j = 0; j < site.interfaces; j++) {
			__free_text char *one = recipe_text(&site.interface[j].recipe);
			__free_text char *other = recipe_text(&again.interface[j].recipe);

			if (strcmp(one, other))
				print_error("%s\n", text);
			assert_string_equal(one, other);
		}
	}
}

/* `management`, `deny` and `never-ban` are for the whole file. */
static void test_top(void **state)
{
	static const char text[] =
		"groups: {a: 10.0.0.0/8, b: '::1', c: [192.0.2.1, 192.0.2.2]}\n"
		"management: [22/tcp, 443/tcp]\ndeny: [a, c]\nnever-ban: [b]\n" ETH0;
	__cleanup(site_free) struct site site = parse(text);

	(void)state;
	for (int given = 0; given < 3; given++) {
		struct site_entry entry = {.name = site.interface[0].name,
					   .recipe = site.interface[0].recipe};
		const struct ports none = {0};
		struct site again;
		__free_text char *written = NULL;
		size_t length;
		FILE *to = open_memstream(&written, &length);

		site_write(&entry, 1, !given ? NULL : given == 1 ? &none : &site.management, to);
		fclose(to);
		again = parse(written);
		assert_int_equal(again.management_given, given > 0);
		assert_int_equal(again.management.count, given == 2 ? 2 : 0);
		assert_int_equal(again.deny.count, 2);
		assert_string_equal(again.deny.name[0], "a");
		assert_string_equal(again.deny.name[1], "c");
		assert_int_equal(again.never_ban.count, 1);
		assert_string_equal(again.never_ban.name[0], "b");
		assert_int_equal(again.groups.count, 3);
		site_free(&again);
	}
}

static void test_none(void **state)
{
	char *written = NULL;
	size_t length;
	FILE *to = open_memstream(&written, &length);

	(void)state;
	site_write(NULL, 0, NULL, to);
	fclose(to);
	assert_string_equal(written, "interfaces: {}\n");
	free(written);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_round),
						  cmocka_unit_test(test_top),
						  cmocka_unit_test(test_none)};

	return cmocka_run_group_tests_name("recipe/site_write", tests, start, finish);
}
