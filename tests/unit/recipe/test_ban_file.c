// SPDX-License-Identifier: GPL-2.0
/* The set of bans, and the file that keeps it: complete batches, other boots, wrong clocks. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/recipe/ban_file.h"
#include "tests/unit/expect.h"

#define WALL 1795975200
#define BOOT 5000

static const struct ban_clock first = {WALL, BOOT, "boot-one"};

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	char *why = NULL;

	assert_int_equal(prefix_parse(text, &prefix, &why), 0);
	return prefix;
}

static struct ban ban_of(const char *list, const char *prefix, __u32 until)
{
	return (struct ban){.prefix = prefix_of(prefix),
			    .list = list,
			    .until = until,
			    .since = WALL,
			    .by = "root",
			    .comment = "a word"};
}

/* "LIST PREFIX UNTIL; ..." for the bans that hold at `now`; the caller frees. */
static char *held(struct ban_set *set, __u32 now)
{
	char *text = NULL, prefix[PREFIX_TEXT];
	size_t length;
	FILE *to = open_memstream(&text, &length);

	ban_set_sort(set);
	for (size_t i = 0; i < set->count; i++)
		if (ban_holds(&set->ban[i], now))
			fprintf(to, "%s %s %u; ", set->ban[i].list,
				prefix_format(&set->ban[i].prefix, prefix), set->ban[i].until);
	fclose(to);
	return text;
}

static void expect_held(struct ban_set *set, __u32 now, const char *expected)
{
	__free_text char *text = held(set, now);

	assert_string_equal(text, expected);
}

static void test_lists(void **state)
{
	struct ban_set set = {};
	struct ban ban = ban_of("a", "192.0.2.1", 6000);

	(void)state;
	ban_set_add(&set, &ban);
	ban.until = 5500; /* an earlier end does not shorten it */
	ban_set_add(&set, &ban);
	ban = ban_of("b", "192.0.2.1", PC_BAN_FOREVER);
	ban_set_add(&set, &ban);
	ban = ban_of("a", "2001:db8::/32", 7000);
	ban_set_add(&set, &ban);
	expect_held(&set, BOOT,
		    "a 192.0.2.1/32 6000; b 192.0.2.1/32 4294967295; a 2001:db8::/32 7000; ");
	expect_held(&set, 6000, "b 192.0.2.1/32 4294967295; a 2001:db8::/32 7000; ");
	ban_set_find(&set, "b", &set.ban[0].prefix)->until = PC_BAN_FREE;
	expect_held(&set, BOOT, "a 192.0.2.1/32 6000; a 2001:db8::/32 7000; ");
	ban_set_clear(&set, "b");
	ban_set_clear(&set, "a");
	expect_held(&set, BOOT, "");
	/* a removed ban may be added again, with an earlier end */
	ban = ban_of("a", "192.0.2.1", 5100);
	ban_set_add(&set, &ban);
	expect_held(&set, BOOT, "a 192.0.2.1/32 5100; ");
	ban_set_free(&set);
}

static char *lines(const struct ban_set *set, __u32 now)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	ban_lines_write(set, now, to);
	fclose(to);
	return text;
}

/* Applies lines. Returns how many of them could not be read. */
static size_t read_lines(struct ban_set *set, const char *text, char **owned)
{
	*owned = xstrdup(text);
	return ban_lines_read(set, *owned, strlen(text));
}

#define B "\t1\t0\troot\t\n"

static void test_lines(void **state)
{
	struct ban_set set = {};
	char *owned[3];
	__free_text char *written = NULL, *later = NULL;
	__cleanup(names_free) struct names lists = {};
	size_t length;
	FILE *to;
	const struct prefix prefix = prefix_of("192.0.2.1");

	(void)state;
	assert_int_equal(read_lines(&set,
				    "+\ta\t192.0.2.1/32\t5100" B "+\tb\t192.0.2.1/32\t5200" B
				    "+\tb\t192.0.2.2/32\t5300" B "+\tb\t2001:db8::/32\t4294967295" B
				    "park\tb\n",
				    &owned[0]),
			 0);
	expect_held(&set, BOOT, "a 192.0.2.1/32 5100; ");
	/* Parked bans are written first, then the line that parks them, so that they are read back
	 * the same. */
	written = lines(&set, 5200);
	assert_string_equal(written, "+\tb\t192.0.2.2/32\t5300" B
				     "+\tb\t2001:db8::/32\t4294967295" B "park\tb\n");
	ban_set_lists(&set, &lists);
	assert_int_equal(lists.count, 2);
	assert_int_equal(
		read_lines(&set, "resume\tb\n-\tb\t192.0.2.2/32\n-\tb\t192.0.2.9/32\n", &owned[1]),
		0);
	expect_held(&set, BOOT,
		    "a 192.0.2.1/32 5100; b 192.0.2.1/32 5200; b 2001:db8::/32 4294967295; ");
	expect_held(&set, 5100, "b 192.0.2.1/32 5200; b 2001:db8::/32 4294967295; ");
	ban_set_expire(&set, 5200);
	assert_int_equal(set.count, 1);
	assert_null(ban_set_find(&set, "b", &prefix));
	to = open_memstream(&later, &length);
	ban_line_remove("b", &prefix, to);
	ban_line_clear("b", to);
	ban_line_park("b", true, to);
	ban_line_park("b", false, to);
	fclose(to);
	assert_string_equal(later, "-\tb\t192.0.2.1/32\n=\tb\npark\tb\nresume\tb\n");
	assert_int_equal(read_lines(&set, later, &owned[2]), 0);
	assert_int_equal(set.count ? set.ban[0].until : PC_BAN_FREE, PC_BAN_FREE);
	ban_set_free(&set);
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
}

/* The later end wins; the lines say whether the earlier beginning stays. */
static void test_again(void **state)
{
	static const struct {
		__u32 until, expected;
	} row[] = {{5100, 5100}, {5050, 5100}, {5101, 5101}, {PC_BAN_FOREVER, PC_BAN_FOREVER}};
	struct ban_set set = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct ban ban = ban_of("a", "192.0.2.1", row[i].until);

		ban_set_add(&set, &ban);
		assert_int_equal(set.count, 1);
		assert_int_equal(set.ban[0].until, row[i].expected);
	}
	ban_set_free(&set);
}

/* A line in another form is counted, and the others are applied. */
static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"\n",
		"+\ta\t192.0.2.1/32\t5100\t1\t0\troot\n",
		"+\ta\t192.0.2.1/32\t5100\t1\t0\troot\t\t\n",
		"*\ta\t192.0.2.1/32\t5100" B,
		"+\t\t192.0.2.1/32\t5100" B,
		"+\ta\t192.0.2.1\t5100" B,
		"+\ta\t192.0.2.1/33\t5100" B,
		"+\ta\t::1/129\t5100" B,
		"+\ta\t192.0.2/32\t5100" B,
		"+\ta\t192.0.2.1/\t5100" B,
		"+\ta\t192.0.2.1/32x\t5100" B,
		"+\ta\t192.0.2.1/32\t4294967296" B,
		"+\ta\t192.0.2.1/32\t" B,
		"+\ta\t192.0.2.1/32\t5100\tx\t0\troot\t\n",
		"+\ta\t192.0.2.1/32\t5100\t1\tx\troot\t\n",
		"+\ta\t192.0.2.1/32\t5100\t1\t0\troot\t", /* without an end */
		"=\n",
		"=\ta\tb\n",
		"park\n",
		"parked\ta\n",
		"-\ta\n",
		"-\ta\t192.0.2.1\n",
		"-\ta\t192.0.2.1/32\tb\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		__free_text char *text = xasprintf("+\tz\t192.0.2.9/32\t5100" B "%s", bad[i]);
		struct ban_set set = {};
		char *owned;

		if (read_lines(&set, text, &owned) != 1)
			fail_msg("%s", bad[i]);
		expect_held(&set, BOOT, "z 192.0.2.9/32 5100; ");
		ban_set_free(&set);
		free(owned);
	}
}

static void test_list_names(void **state)
{
	(void)state;
	assert_true(ban_list_valid("fail2ban-postfix_sasl.1"));
	assert_true(ban_list_valid("9"));
	assert_false(ban_list_valid(""));
	assert_false(ban_list_valid("-a"));
	assert_false(ban_list_valid("a b"));
	assert_false(ban_list_valid("a\tb"));
	assert_false(ban_list_valid(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

/* Each of many bans is found in its list. */
static void test_many(void **state)
{
	struct ban_set set = {};
	size_t count = 200000;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct ban ban = ban_of(i % 2 ? "a" : "b", "0.0.0.0/32", 6000);
		__u32 address = htonl((__u32)i);

		memcpy(ban.prefix.address, &address, sizeof(address));
		ban_set_add(&set, &ban);
	}
	assert_int_equal(set.count, count);
	for (size_t i = 0; i < count; i += 7) {
		struct prefix prefix = prefix_of("0.0.0.0/32");
		__u32 address = htonl((__u32)i);

		memcpy(prefix.address, &address, sizeof(address));
		assert_non_null(ban_set_find(&set, i % 2 ? "a" : "b", &prefix));
		assert_null(ban_set_find(&set, i % 2 ? "b" : "a", &prefix));
	}
	ban_set_free(&set);
}

/* --- the file --- */

static char folder[] = "/tmp/test_ban_file.XXXXXX";
static char *path;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	path = xasprintf("%s/state/bans", folder);
	return 0;
}

static int teardown(void **state)
{
	__free_text char *below = xasprintf("%s/state", folder);

	(void)state;
	unlink(path);
	rmdir(below);
	rmdir(folder);
	free(path);
	return 0;
}

/* Writes the file with one ban until 6000, and one without an end. */
static void begin(struct ban_file *file)
{
	struct ban one = ban_of("a", "192.0.2.1", 6000),
		   other = ban_of("b", "192.0.2.0/24", PC_BAN_FOREVER);

	*file = (struct ban_file){};
	ban_set_add(&file->set, &one);
	ban_set_add(&file->set, &other);
	assert_int_equal(ban_file_write(path, &first, file), 0);
	ban_file_free(file);
	assert_int_equal(ban_file_read(path, &first, file), 0);
}

static void append(struct ban_file *file, const struct ban_clock *clock, const char *lines)
{
	int written = -1;

	assert_int_equal(ban_file_append(path, clock, file, lines, strlen(lines), &written), 0);
	close(written);
}

static void expect_read(const struct ban_clock *clock, const char *expected, bool old_boot)
{
	struct ban_file file;

	assert_int_equal(ban_file_read(path, clock, &file), 0);
	assert_int_equal(file.old_boot, old_boot);
	expect_held(&file.set, (__u32)clock->boot, expected);
	ban_file_free(&file);
}

#define BOTH "b 192.0.2.0/24 4294967295; a 192.0.2.1/32 6000; "

static void test_kept(void **state)
{
	struct ban_file file;
	struct stat st;

	(void)state;
	begin(&file);
	expect_read(&first, BOTH, false);
	assert_string_equal(file.set.ban[0].by, "root");
	assert_string_equal(file.set.ban[0].comment, "a word");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	append(&file, &first, "-\ta\t192.0.2.1/32\n");
	append(&file, &first, "+\tc\t2001:db8::/48\t5600\t1\t0\t\t\n");
	expect_read(&first, "b 192.0.2.0/24 4294967295; c 2001:db8::/48 5600; ", false);
	append(&file, &first, "=\t\n");
	expect_read(&first, "", false);
	ban_file_free(&file);
}

/* After a killed command or a power cut, an incomplete batch does not count, wherever it is cut. */
static void test_torn(void **state)
{
	struct ban_file file;
	__u64 before;

	(void)state;
	begin(&file);
	before = file.length;
	append(&file, &first, "-\ta\t192.0.2.1/32\n-\tb\t192.0.2.0/24\n");
	for (__u64 length = before; length < file.length; length++) {
		assert_int_equal(truncate(path, (off_t)length), 0);
		expect_read(&first, BOTH, false);
	}
	/* Its remains do not disturb the next batch. */
	ban_file_free(&file);
	assert_int_equal(ban_file_read(path, &first, &file), 0);
	assert_int_equal(file.length, before);
	append(&file, &first, "-\ta\t192.0.2.1/32\n");
	expect_read(&first, "b 192.0.2.0/24 4294967295; ", false);
	ban_file_free(&file);
}

/* Number and length of a file, without its bans, if this boot wrote it. */
static void test_head(void **state)
{
	static const struct ban_clock other = {WALL, BOOT, "boot-two"};
	struct ban_file file, head = {};
	__u64 cut;
	int fd;

	(void)state;
	unlink(path);
	assert_int_equal(ban_file_head(path, &first, &head), -ENOENT);
	begin(&file);
	assert_int_equal(ban_file_head(path, &first, &head), 0);
	assert_int_equal(head.number, file.number);
	assert_int_equal(head.size, file.size);
	assert_true(head.length > 0 && head.length < file.length);
	assert_int_equal(ban_file_head(path, &other, &head), -ESTALE);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(ban_file_head(path, &first, &head), -EINVAL);
	assert_int_equal(ban_file_head("/", &first, &head), -EISDIR);
	ban_file_free(&file);
	/* A batch is cut off again. */
	begin(&file);
	cut = file.length;
	append(&file, &first, "-\ta\t192.0.2.1/32\n");
	assert_true(file.length > cut);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(ban_file_cut(fd, cut, &file), 0);
	close(fd);
	assert_true(file.length == cut && file.size == cut);
	assert_int_equal(ban_file_head(path, &first, &head), 0);
	assert_int_equal(head.size, cut);
	assert_int_equal(ban_file_cut(-1, cut, &file), -EBADF);
	ban_file_free(&file);
}

/* One wrong byte in a batch makes the whole batch invalid. */
static void test_damaged(void **state)
{
	struct ban_file file;
	__u64 before;
	int fd;

	(void)state;
	begin(&file);
	before = file.length;
	append(&file, &first, "-\ta\t192.0.2.3/32\n");
	fd = open(path, O_RDWR);
	/* The line is as good as before, and is of another address. */
	assert_int_equal(pwrite(fd, "1", 1, (off_t)file.length - 5), 1);
	close(fd);
	expect_read(&first, BOTH, false);
	assert_int_equal(truncate(path, (off_t)before), 0);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	close(fd);
	ban_file_free(&file);
	assert_int_equal(ban_file_read(path, &first, &file), -EINVAL);
}

static void test_other_boot(void **state)
{
	/* After a reboot that took 100 s: 900 s are left of 1000. */
	const struct ban_clock next = {WALL + 100, 20, "boot-two"};
	const struct ban_clock late = {WALL + 1000, 20, "boot-two"};
	/* With a clock at 1970, or a day behind, a ban keeps the time that was left. */
	const struct ban_clock zero = {60, 20, "boot-two"};
	const struct ban_clock behind = {WALL - 86400, 20, "boot-two"};
	struct ban_file file;

	(void)state;
	begin(&file);
	expect_read(&next, "b 192.0.2.0/24 4294967295; a 192.0.2.1/32 920; ", true);
	expect_read(&late, "b 192.0.2.0/24 4294967295; ", true);
	expect_read(&zero, "b 192.0.2.0/24 4294967295; a 192.0.2.1/32 1020; ", true);
	expect_read(&behind, "b 192.0.2.0/24 4294967295; a 192.0.2.1/32 1020; ", true);
	ban_file_free(&file);
	/* After it is rewritten, it is a file of this boot. */
	assert_int_equal(ban_file_read(path, &next, &file), 0);
	assert_int_equal(ban_file_write(path, &next, &file), 0);
	expect_read(&next, "b 192.0.2.0/24 4294967295; a 192.0.2.1/32 920; ", false);
	ban_file_free(&file);
}

static void test_none(void **state)
{
	struct ban_file file;

	(void)state;
	assert_int_equal(ban_file_read("/nonexistent/bans", &first, &file), 0);
	assert_int_equal(file.number, 0);
	assert_int_equal(ban_file_head("/nonexistent/bans", &first, &file), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),	   cmocka_unit_test(test_lines),
		cmocka_unit_test(test_again),	   cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_list_names), cmocka_unit_test(test_many),
		cmocka_unit_test(test_kept),	   cmocka_unit_test(test_torn),
		cmocka_unit_test(test_head),	   cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_other_boot), cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
