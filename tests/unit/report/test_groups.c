// SPDX-License-Identifier: GPL-2.0
/* Groups of filters, machines and the site file: their members, the origin of each, and the
 * services that they open. */
#include "loader/report/groups.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/recipe/site_files.h"
#include "tests/unit/report/forms.h"

static const char kept_text[] =
	"{\"recipe\": {\"groups\": {\"office\": [\"10.0.0.0/8\", \"192.0.2.7\", \"2001:db8::/32\"], \"cloud\": [\"198.51.100.1\"], \"empty\": []}, "
	"\"machines\": [{\"name\": \"core\", \"recipe\": {\"groups\": {\"own\": [\"172.16.0.0/12\"]}}}]}, "
	"\"profiles\": [{\"name\": \"p\", \"services\": ["
	"{\"name\": \"admin\", \"direction\": \"in\", \"ports\": [\"22/tcp\"], \"from\": [\"office\", \"cloud\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"shut\", \"direction\": \"in\", \"ports\": [\"23/tcp\"], \"from\": [\"office\"], \"open\": false, \"why_closed\": \"disabled\"},"
	"{\"name\": \"push\", \"direction\": \"out\", \"ports\": [\"24/tcp\"], \"to\": [\"office\"], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"any\", \"direction\": \"in\", \"ports\": [\"25/tcp\"], \"from\": [], \"open\": true, \"why_closed\": null}]}], "
	"\"machines\": [{\"name\": \"core\", \"profiles\": [{\"name\": \"q\", \"services\": ["
	"{\"name\": \"web\", \"direction\": \"in\", \"ports\": [\"80/tcp\"], \"from\": [\"own\", \"office\"], \"open\": true, \"why_closed\": null}]}]}]}";

static const char expected[] =
	"  GROUP          PREFIXES  OPENS\n"
	"  office                5  p:admin, p:push, q:web\n"
	"  cloud                 1  p:admin\n"
	"  empty                 0  nothing\n"
	"  eth0:core:own         1  q:web\n"
	"  eth1:core:own         1  q:web\n"
	"  more                  2  nothing\n"
	"\n"
	"office opens p:admin, p:push, q:web\n"
	"  PREFIX          FROM    SOURCE  SINCE                    UNTIL                    BY    COMMENT\n"
	"  10.0.0.0/8      site\n"
	"  192.0.2.7       option\n"
	"  2001:db8::/32   site\n"
	"  203.0.113.5/32  grant           2026-11-30 00:36:40 UTC  2026-11-30 00:54:20 UTC  anna  visit\n"
	"  203.0.113.6/32  grant           2026-11-30 00:36:40 UTC  no end\n"
	"cloud opens p:admin\n"
	"  PREFIX        FROM\n"
	"  198.51.100.1  option\n"
	"empty opens nothing\n"
	"  it has no prefix\n"
	"eth0:core:own opens q:web\n"
	"  PREFIX         FROM\n"
	"  172.16.0.0/12  option\n"
	"eth1:core:own opens q:web\n"
	"  PREFIX         FROM\n"
	"  172.16.0.0/12  option\n"
	"more opens nothing\n"
	"  PREFIX        FROM\n"
	"  192.0.2.1/32  site\n"
	"  ::1/128       site\n";

static void test_members(void **state)
{
	__cleanup(site_free) struct site site = parse(
		"groups: {office: [10.0.0.0/8, '2001:db8::/32'], more: [192.0.2.1, '::1'], empty: []}\n" ETH0);
	json_t *kept = json_loads(kept_text, 0, NULL), *groups = json_array();
	const struct ban_clock clock = {.wall = 1796000000, .boot = 5000};
	struct ban grant = {.until = 5060,
			    .since = 1795999000,
			    .list = "office",
			    .by = "anna",
			    .comment = "visit"};
	struct names all = {}, some = {.name = (char *[]){(char *)"office"}, .count = 1};
	__free_text char *why = NULL, *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	setenv("TZ", "UTC", 1);
	setenv("COLUMNS", "140", 1);
	assert_non_null(kept);
	report_groups_add(groups, kept, "eth0", &site);
	report_groups_add(groups, kept, "eth1", &site); /* adds what its machine has */
	report_groups_add_site(groups, &site);
	assert_int_equal(report_groups_admitted(kept, "office"), 2);
	assert_int_equal(report_groups_admitted(kept, "cloud"), 1);
	assert_int_equal(report_groups_admitted(kept, "empty"), 0);
	assert_int_equal(prefix_parse("203.0.113.5", &grant.prefix, &why), 0);
	report_groups_grant(groups, &grant, &clock);
	grant.until = PC_BAN_FOREVER;
	grant.by = grant.comment = "";
	assert_int_equal(prefix_parse("203.0.113.6", &grant.prefix, &why), 0);
	report_groups_grant(groups, &grant, &clock);
	grant.list = "unknown";
	report_groups_grant(groups, &grant, &clock);
	report_groups_text(groups, &all, to);
	fputc('\n', to);
	report_groups_text(groups, &some, to);
	fclose(to);
	assert_string_equal(text, expected);
	json_decref(groups);
	json_decref(kept);
}

static const char roles_kept[] =
	"{\"recipe\": {\"groups\": {\"bad\": [\"10.0.0.0/8\"], \"office\": [\"192.0.2.7\"], \"plain\": []}, "
	"\"deny\": [\"bad\"], \"never_ban\": [\"office\"], \"overrides\": {\"limit\": [\"p:smtp=20/s\", "
	"\"p:sip={rate: 5/s, except: [office, own]}\", \"p:rtp={rate: 5/s, except: office}\"]}, "
	"\"machines\": [{\"name\": \"core\", \"recipe\": {\"groups\": {\"own\": [\"172.16.0.0/12\"]}, "
	"\"overrides\": {\"limit\": [\"q:web={rate: 1/s, except: [own, office]}\"]}}}]}, "
	"\"profiles\": [], \"machines\": [{\"name\": \"core\", \"profiles\": []}]}";

static const char expected_roles[] =
	"  GROUP          PREFIXES  OPENS    BANS AND LIMITS\n"
	"  bad                   1  nothing  deny\n"
	"  office                1  nothing  never-ban; except: p:sip, p:rtp, q:web\n"
	"  plain                 0  nothing\n"
	"  eth0:core:own         1  nothing  except: q:web\n"
	"bad opens nothing; deny\n"
	"  PREFIX      FROM\n"
	"  10.0.0.0/8  option\n"
	"office opens nothing; never-ban; except: p:sip, p:rtp, q:web\n"
	"  PREFIX     FROM\n"
	"  192.0.2.7  option\n"
	"plain opens nothing\n"
	"  it has no prefix\n"
	"eth0:core:own opens nothing; except: q:web\n"
	"  PREFIX         FROM\n"
	"  172.16.0.0/12  option\n";

/* Whether bans and limits use a group. */
static void test_roles(void **state)
{
	json_t *kept = json_loads(roles_kept, 0, NULL), *groups = json_array();
	struct names all = {}, some = {.name = (char *[]){(char *)"bad"}, .count = 1};
	struct site site = {};
	__free_text char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	setenv("COLUMNS", "140", 1);
	assert_non_null(kept);
	report_groups_add(groups, kept, "eth0", &site);
	report_groups_add(groups, kept, "eth0", &site);
	report_groups_text(groups, &all, to);
	report_groups_text(groups, &some, to);
	fclose(to);
	assert_string_equal(text, expected_roles);
	json_decref(groups);
	json_decref(kept);
}

static void test_nothing(void **state)
{
	json_t *groups = json_array();
	struct names all = {};
	__free_text char *said = NULL;
	size_t length;
	FILE *to = open_memstream(&said, &length);

	(void)state;
	report_groups_text(groups, &all, to);
	fclose(to);
	assert_string_equal(said, "no group is defined\n");
	json_decref(groups);
}

/* Prefixes from files have the time of the file that changed last; the path is shown if there is
 * only one file. */
static void test_files(void **state)
{
	const char *const texts[] = {"a.txt", "b.txt"};

	(void)state;
	setenv("TZ", "UTC", 1);
	for (size_t count = 1; count <= 2; count++) {
		struct group group = {.name = (char *)"office", .prefixes = 1};
		struct site site = {.groups = {.group = &group, .count = 1}};
		json_t *groups = json_array(), *member;

		group.prefix = xcalloc(1, sizeof(*group.prefix));
		group.prefix->family = 2;
		group.prefix->length = 8;
		group.prefix->address[0] = 10;
		for (size_t i = 0; i < count; i++) {
			__free_text char *path = xasprintf("%s/%s", folder, texts[i]);
			struct timespec times[2] = {{.tv_sec = 1},
						    {.tv_sec = 1796000000 + (i ? -500 : 0)}};

			put(texts[i], "10.0.0.0/8\n");
			assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
			names_add(&group.file, path);
		}
		report_groups_add_site(groups, &site);
		member = json_array_get(json_object_get(json_array_get(groups, 0), "members"), 0);
		assert_string_equal(json_string_value(json_object_get(member, "origin")), "file");
		assert_string_equal(json_string_value(json_object_get(member, "since")),
				    "2026-11-30T00:53:20Z");
		assert_true(json_is_string(json_object_get(member, "source")) == (count == 1));
		json_decref(groups);
		names_free(&group.file);
		free(group.prefix);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_members),
					   cmocka_unit_test(test_roles),
					   cmocka_unit_test(test_nothing),
					   cmocka_unit_test(test_files)};

	return cmocka_run_group_tests_name("report/groups", tests, start, finish);
}
