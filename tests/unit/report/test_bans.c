// SPDX-License-Identifier: GPL-2.0
/* Bans as JSON and as a table. */
#include "loader/report/bans.h"

#include "tests/unit/report/forms.h"

#define WALL 1796000000ULL /* 2026-11-30T00:53:20Z */
#define BOOT 5000

static const struct ban_clock clocks = {.wall = WALL, .boot = BOOT};

static struct ban made(const char *prefix, __u32 until, __u64 meant)
{
	struct ban ban = {.until = until,
			  .since = WALL - 100,
			  .meant = meant,
			  .list = "sshd",
			  .by = "",
			  .comment = ""};
	__free_text char *why = NULL;

	assert_int_equal(prefix_parse(prefix, &ban.prefix, &why), 0);
	return ban;
}

/* The end that the user gave is shown, unless the clock was set since. */
static void test_end(void **state)
{
	struct ban ban = made("192.0.2.7", PC_BAN_FOREVER, 0);
	__free_text char *endless = ban_end_text(&ban, &clocks), *timed = NULL;

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_int_equal(ban_end(&ban, &clocks), 0);
	assert_string_equal(endless, "without an end");
	ban.until = BOOT + 60;
	timed = ban_end_text(&ban, &clocks);
	assert_string_equal(timed, "until 2026-11-30 00:54:20 UTC");
	for (int away = -5; away <= 5; away++) {
		ban.meant = (__u64)((long long)WALL + 60 + away);
		assert_int_equal(ban_end(&ban, &clocks),
				 away > -2 && away < 2 ? ban.meant : WALL + 60);
	}
}

static json_t *rows[8];
static size_t given;

static json_t *next(void *context)
{
	(void)context;
	return rows[given] ? rows[given++] : NULL;
}

static void test_table(void **state)
{
	struct pc_ban_count none = {}, some = {.drop = {7, 700}, .would = {3, 300}};
	struct ban one = made("192.0.2.7", BOOT + 60, 0),
		   two = made("2001:db8::/64", PC_BAN_FOREVER, 0);
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	const char *expected =
		"  LIST  PREFIX         SINCE                    UNTIL                    BY    COMMENT          DROPS\n"
		"  sshd  192.0.2.7/32   2026-11-30 00:51:40 UTC  2026-11-30 00:54:20 UTC                             0\n"
		"  sshd  2001:db8::/64  2026-11-30 00:51:40 UTC  no end                   anna  a comment  7 (would 3)\n";
	__free_text char *json = NULL;

	(void)state;
	setenv("TZ", "UTC", 1);
	setenv("COLUMNS", "140", 1);
	two.by = "anna";
	two.comment = "a comment";
	rows[0] = ban_json(&one, &clocks, &none);
	rows[1] = ban_json(&two, &clocks, &some);
	json = json_dumps(rows[1], JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(
		json,
		"{\"by\":\"anna\",\"comment\":\"a comment\",\"drop\":{\"bytes\":700,\"packets\":7},\"list\":\"sshd\",\"prefix\":\"2001:db8::/64\","
		"\"since\":\"2026-11-30T00:51:40Z\",\"until\":null,\"would_drop\":{\"bytes\":300,\"packets\":3}}");
	report_bans_text(next, NULL, to);
	report_bans_text(next, NULL, to); /* none is left */
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_end),
					   cmocka_unit_test(test_table)};

	return cmocka_run_group_tests_name("report/bans", tests, NULL, NULL);
}
