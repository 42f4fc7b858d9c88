// SPDX-License-Identifier: GPL-2.0
/* The site file compared with a catalog. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/catalog.h"
#include "loader/recipe/site.h"
#include "loader/recipe/site_check.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/site_files.h"

static void expect_checked(const char *text, const char *expected)
{
	const struct names given = {.name = (char *[]){folder}, .count = 1};
	__cleanup(catalog_close) struct catalog catalog = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(site_free) struct site site = parse(text);
	__free_text char *got = NULL;
	size_t errors;
	int err;

	assert_int_equal(0, catalog_open(&given, &catalog, &diag));
	err = site_check(&catalog, &site, &diag);
	errors = diag.errors;
	assert_int_equal(err, errors ? -EINVAL : 0);
	got = places(&diag);
	assert_true(expect_text(text, got, expected));
}

static void test_check(void **state)
{
	(void)state;
	expect_checked("groups: {trusted: ::1, dns-servers: ::1}\n" ETH0
		       "    enable: [mta, shop:mta]\n    disable: [shop:query, base:ping]\n"
		       "    from: {shop:web: [trusted, link-local, dns-servers]}\n"
		       "    set: {shop:web:in: 8443/tcp, ssh:ssh: 2222/tcp}\n",
		       "");
	/* Each word with its own place. */
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1}\n" ETH0
		"    enable: [mtaa, ssh:mta, base:x, xeams:x]\n"
		"    disable: [shop:quary, ssh:ssh, shop:ssh]\n"
		"    from: {shop:web: [trustd, trusted], ssh:ssh: nobody, shop:query: trusted}\n"
		"    set: {shop:mail: 26/tcp, ssh:ssh:out: 22/tcp}\n",
		"5:14+4 no chosen profile has the feature 'mtaa'; did you mean 'mta'?\n"
		"5:20+7 ssh has no feature 'mta'; to list them: portcullis show ssh\n"
		"5:29+6 base has no feature 'x'; to list them: portcullis show base\n"
		"5:37+7 no chosen profile is named 'xeams'\n"
		"6:15+10 shop has no service 'quary'; did you mean 'query'?\n"
		"6:36+8 shop has no service 'ssh'; to list them: portcullis show shop\n"
		"7:23+6 no such group 'trustd'; did you mean 'trusted'?\n"
		"7:50+6 no such group 'nobody'; define it under 'groups', as in nobody: 192.0.2.0/24\n"
		"7:58+10 shop:query listens on no port, so there are no clients to restrict\n"
		"8:11+9 shop:mail is fixed by the vendor (25/tcp) and cannot be moved; --open PORT/PROTO opens any other port ('open:' in the site file)\n"
		"8:30+11 ssh:ssh has no direction out; write ssh:ssh:in=PORTS\n");
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1}\n" ETH0
		"    from: ['ssh:ssh=trusted,nobody', shop:console=trusted]\n",
		"5:12+24 no such group 'nobody'; define it under 'groups', as in nobody: 192.0.2.0/24\n"
		"5:38+20 warning: shop:console is now named shop:admin\n");
}

/* The words of a machine are checked with its own profiles, each with its place. */
static void test_check_machines(void **state)
{
	(void)state;
	expect_checked(
		"groups: {trusted: ::1}\ninterfaces:\n  eth0:\n    profiles: ssh\n"
		"    groups: {mgmt: ::2}\n    machines:\n"
		"      m: {address: 10.0.0.1, profiles: shop, enable: mta, groups: {own: ::3}, from: {shop:web: [trusted, mgmt, own]}}\n",
		"7:7+1 warning: shop: query is closed: group dns-servers is not defined; define it under 'groups'\n");
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1}\n" ETH0 "    machines:\n"
		"      m: {address: 10.0.0.1, profiles: ssh, enable: mta, open: {9/tcp: ghost}}\n"
		"      n: {address: 10.0.0.2, profiles: [sshh], enable: mta}\n"
		"      o: {address: 10.0.0.3, profiles: shop, groups: {own: ::3}}\n"
		"      p: {address: 10.0.0.4, profiles: shop, from: {shop:web: own}, set: {shop:mail: 26/tcp}}\n",
		"6:53+3 no chosen profile has the feature 'mta'; to list them: portcullis show PROFILE\n"
		"6:72+5 no such group 'ghost'; define it under 'groups', as in ghost: 192.0.2.0/24\n"
		"7:41+4 unknown profile 'sshh'; did you mean 'ssh'?\n"
		"9:63+3 no such group 'own'; define it under 'groups', as in own: 192.0.2.0/24\n"
		"9:75+9 shop:mail is fixed by the vendor (25/tcp) and cannot be moved; --open PORT/PROTO opens any other port ('open:' in the site file)\n");
}

/* An undefined group that the catalog knows gives a warning at each interface. */
static void test_check_groups(void **state)
{
	(void)state;
	expect_checked(
		ETH0 "  eth1: {profiles: ssh}\n",
		"2:3+4 warning: shop: admin, query are closed: groups trusted, dns-servers are not defined; define them under 'groups'\n");
	expect_checked(
		"groups: {trusted: ::1}\n" ETH0
		"  eth1: {profiles: shop, from: {shop:web: dns-servers}}\n",
		"3:3+4 warning: shop: query is closed: group dns-servers is not defined; define it under 'groups'\n"
		"5:3+4 warning: shop: web, query are closed: group dns-servers is not defined; define it under 'groups'\n");
	expect_checked("groups: {trusted: ::1}\n", "");
}

static void test_check_outbound(void **state)
{
	(void)state;
	expect_checked(
		"interfaces:\n  eth0: {profiles: ssh, outbound: enforce}\n"
		"  eth1: {profiles: ssh}\n",
		"2:3+4 warning: outbound enforce: no profile lists an open outgoing port, so this host can connect to nothing; to fix it: set outbound to track, or list `out` ports in a copy of the profile\n");
}

/* An error in a profile is reported once; words about it are not checked. */
static void test_check_profiles(void **state)
{
	(void)state;
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1}\ninterfaces:\n"
		"  eth0: {profiles: [ssh, shopp], enable: mta, disable: shopp:x}\n"
		"  eth1: {profiles: nothing-like-it, from: {a:b: nobody}}\n"
		"  eth2: {profiles: [bad], enable: x}\n"
		"  eth3: {profiles: [ssh, bad], enable: x}\n",
		"3:26+5 unknown profile 'shopp'; did you mean 'shop'?\n"
		"4:20+15 unknown profile 'nothing-like-it'; 'portcullis profiles' lists those there are\n"
		"4:49+6 no such group 'nobody'; define it under 'groups', as in nobody: 192.0.2.0/24\n"
		"3:19+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n");
}

/* In a file with errors, words are checked, too, if the parts that they depend on could be read. */
static void expect_draft(const char *text, const char *expected)
{
	const struct names given = {.name = (char *[]){folder}, .count = 1};
	__free_text char *path = xasprintf("%s/draft", folder);
	__cleanup(catalog_close) struct catalog catalog = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(site_free) struct site site = {0};
	__free_text char *got = NULL;

	put("draft", text);
	assert_int_equal(-EINVAL, site_read_partial(path, &site, &diag));
	assert_int_equal(0, catalog_open(&given, &catalog, &diag));
	if (site.path)
		site_check(&catalog, &site, &diag);
	got = places(&diag);
	assert_true(expect_text(text, got, expected));
	site_free(&site);
	assert_int_equal(-EINVAL, site_open(path, &site, &diag));
	assert_true(!site.path && !site.interface);
}

static void test_draft(void **state)
{
	(void)state;
	/* One error of form hides no error of a word, at this or another interface. */
	expect_draft(
		ETH0 "    observ: true\n    enable: mtaa\n    from: {shop:web: nobody}\n"
		     "  eth1: {profiles: shopp}\n",
		"4:5+6 unknown key 'observ'; did you mean 'observe'?\n"
		"5:13+4 no chosen profile has the feature 'mtaa'; did you mean 'mta'?\n"
		"6:22+6 no such group 'nobody'; define it under 'groups', as in nobody: 192.0.2.0/24\n"
		"7:20+5 unknown profile 'shopp'; did you mean 'shop'?\n");
	/* A group that could not be read is not reported as missing. */
	expect_draft("groups: {trusted: x, mine: y}\n" ETH0
		     "    from: {shop:web: mine}\n    enable: mtaa\n",
		     "1:19+1 'x' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)\n"
		     "1:28+1 'y' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)\n"
		     "6:13+4 no chosen profile has the feature 'mtaa'; did you mean 'mta'?\n");
	/* Nor is a feature of a profile that could not be read. */
	expect_draft(
		"interfaces:\n  eth0: {enable: mta}\n  eth1: {profiles: [Shop, ssh], enable: mta}\n"
		"  eth2: {profiles: {shop: 1}, enable: mta}\n",
		"2:9+1 key 'profiles' is missing; it is a profile or a list of profiles\n"
		"3:21+4 'Shop' is not a profile name; write shop\n"
		"4:20+1 'profiles' is a mapping; write a profile or a list of profiles\n");
	/* Sources of a service are not reported while they could not be read. */
	expect_draft("groups: {dns-servers: ::1}\n" ETH0 "    from: {shop:admin: Dns}\n",
		     "5:24+3 'Dns' is not a group name; write dns\n");
	/* A file that is not YAML is not checked. */
	expect_draft("groups: &a {x: ::1}\ninterfaces: {eth0: {profiles: shopp}}\n",
		     "1:9+2 anchors are not part of this language\n");
	expect_draft("interfaces: {eth0: {profiles: [sh",
		     "1:31+1 not valid YAML: this '[' is not closed\n");
}

/* Words on a port that the interface opens, and groups that it is opened to. */
static void test_check_open(void **state)
{
	(void)state;
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1, own: ::1}\n" ETH0
		"    open: {587/tcp: own, 9/udp: {comment: x}, 8443/tcp: [own, link-local]}\n"
		"    disable: site:9-udp\n    from: {site:587-tcp: anyone}\n",
		"");
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1}\n" ETH0
		"    open: {587/tcp: own, 9/udp: {from: [anyone]}, 10/udp: {from: trustd}}\n"
		"    disable: site:8-udp\n    set: {site:9-udp: 5/udp}\n",
		"5:21+3 no such group 'own'; define it under 'groups', as in own: 192.0.2.0/24\n"
		"5:66+6 no such group 'trustd'; did you mean 'trusted'?\n"
		"6:14+10 site has no service '8-udp': the open ports are 587-tcp, 9-udp, 10-udp; to fix it: --open PORT/PROTO\n"
		"7:11+10 site:9-udp is named by its port, which cannot be set; --open PORT/PROTO opens any other port ('open:' in the site file)\n");
	expect_checked(
		"groups: {trusted: ::1, dns-servers: ::1}\n" ETH0
		"    from: {site:587-tcp: trusted}\n  eth1: {profiles: ssh, open: 1/tcp=trusted}\n",
		"5:12+12 no port is opened beside the profiles, so 'site' has no service; to fix it: --open PORT/PROTO\n");
}

/* A single interface: errors at others do not count. */
static void test_one_interface(void **state)
{
	static const char text[] =
		"interfaces:\n  eth0: {profiles: ssh}\n  eth1: {profiles: shopp}\n"
		"  eth2: {profiles: ssh, enable: mta}\n";
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(catalog_close) struct catalog catalog = {0};
	struct names given = {.name = (char *[]){folder}, .count = 1};
	struct site site = parse(text);
	struct composition made;
	__free_text char *got = NULL;

	(void)state;
	assert_int_equal(catalog_open(&given, &catalog, &diag), 0);
	assert_true(site_check_interface(&catalog, &site, &site.interface[0], &made, &diag));
	assert_int_equal(diag.count, 0);
	/* The composition is returned for the plan, which need not compose again. */
	assert_ptr_equal(made.recipe, &site.interface[0].recipe);
	assert_true(made.services > 0);
	composition_free(&made);
	assert_false(site_check_interface(&catalog, &site, &site.interface[1], &made, &diag));
	assert_null(made.recipe);
	assert_false(site_check_interface(&catalog, &site, &site.interface[2], &made, &diag));
	assert_null(made.recipe);
	got = places(&diag);
	assert_true(expect_text(
		text, got,
		"3:20+5 unknown profile 'shopp'; did you mean 'shop'?\n"
		"4:33+3 no chosen profile has the feature 'mta'; to list them: portcullis show PROFILE\n"));
	site_free(&site);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),	       cmocka_unit_test(test_check_groups),
		cmocka_unit_test(test_check_profiles), cmocka_unit_test(test_check_open),
		cmocka_unit_test(test_check_outbound), cmocka_unit_test(test_draft),
		cmocka_unit_test(test_one_interface),  cmocka_unit_test(test_check_machines),
	};

	return cmocka_run_group_tests_name("recipe/site_check", tests, start, finish);
}
