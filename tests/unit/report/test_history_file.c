// SPDX-License-Identifier: GPL-2.0
/*
 * The file of the history after failing calls, killed processes and foreign files; its numbers, and
 * what is removed when it gets too long.
 */
#include "loader/report/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

/* --- system calls that write: each can fail, or end the process --- */

static struct {
	int seen;
	int at;		/* the call that is faulted; 0: none */
	int error;	/* its error; 0: the process ends there */
	bool half;	/* a write does half of its work first */
	const char *of; /* the only call that counts, or NULL */
} calls;

static bool is_hurt(const char *name)
{
	if (calls.of && strcmp(calls.of, name))
		return false;
	if (++calls.seen != calls.at)
		return false;
	if (!calls.error)
		_exit(137);
	errno = calls.error;
	return true;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (fd > 2 && calls.at && calls.seen + 1 == calls.at && calls.half)
		length = (size_t)syscall(SYS_write, fd, bytes, length / 2);
	if (fd > 2 && is_hurt("write"))
		return calls.half ? (ssize_t)length : -1;
	return syscall(SYS_write, fd, bytes, length);
}

int fsync(int fd)
{
	return is_hurt("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t length)
{
	return is_hurt("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int renameat(int from, const char *old, int to, const char *new)
{
	return is_hurt("renameat") ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int unlinkat(int folder, const char *name, int flags)
{
	return is_hurt("unlinkat") ? -1 : (int)syscall(SYS_unlinkat, folder, name, flags);
}

int mkdir(const char *path, mode_t mode)
{
	return is_hurt("mkdir") ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

/* --- help --- */

static char folder[64], spare[64];
static struct history_place place = {.folder = folder, .spare = spare, .limit = HISTORY_LIMIT};
static char *heard;
static size_t warnings;

static void take(void *context, bool is_error, const char *text, const char *fix)
{
	char *whole = xasprintf("%s%s%s", text, fix ? MESSAGE_FIX : "", fix ? fix : "");

	(void)context;
	(void)is_error;
	free(heard);
	heard = whole;
	warnings++;
}

static int set_up(void **state)
{
	int err = make_root(state);

	snprintf(folder, sizeof(folder), "%s/kept", root);
	snprintf(spare, sizeof(spare), "%s/run", root);
	place.limit = HISTORY_LIMIT;
	warnings = 0;
	messages_to(take, NULL);
	return err;
}

static int tear_down(void **state)
{
	memset(&calls, 0, sizeof(calls));
	messages_to(NULL, NULL);
	text_free(&heard);
	return remove_root(state);
}

static int ids;

/* Appends a change of eth0 to the rule set `digest`; returns its number. */
static unsigned long long append(const char *comment, const char *digest)
{
	unsigned long long number;
	__free_text char *line =
		xasprintf("{\"digest\":\"%s\",\"kept\":{\"of\":\"%s\"}}", digest, digest);
	__cleanup(names_free) struct names texts = {};
	json_t *change = json_pack("{s:o, s:s, s:[{s:s, s:s, s:s}]}", "id",
				   json_sprintf("%d-%d", getpid(), ids++), "comment", comment,
				   "interfaces", "name", "eth0", "action", "swap", "after", digest);

	names_add(&texts, line);
	history_append(&place, change, &texts, &number);
	json_decref(change);
	return number;
}

/* "1:a 2:b", the comments by number, then the number of texts and of damaged lines. */
static char *read_history(void)
{
	struct history_lines lines;
	char *text = NULL;
	size_t length, i;
	const json_t *change;
	FILE *to;

	if (history_lines_read(&place, &lines))
		return xstrdup("cannot be read");
	to = open_memstream(&text, &length);
	json_array_foreach (lines.changes, i, change)
		fprintf(to, "%lld:%s ",
			(long long)json_integer_value(json_object_get(change, "number")),
			json_string_value(json_object_get(change, "comment")));
	fprintf(to, "%zu texts", json_object_size(lines.texts));
	if (lines.damaged)
		fprintf(to, " %zu damaged", lines.damaged);
	if (lines.spare)
		fputs(" spare", to);
	fclose(to);
	history_lines_free(&lines);
	return text;
}

static void expect_history(const char *expected)
{
	__free_text char *text = read_history();

	assert_string_equal(text, expected);
}

static char *content(const char *of)
{
	__free_text char *path = xasprintf("%s/history", of);
	char *text = NULL;
	size_t length;

	return read_file(path, 1 << 26, &text, &length) ? NULL : text;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_mode & 07777;
}

/* --- tests --- */

static void test_append(void **state)
{
	__free_text char *text = NULL, *path = xasprintf("%s/history", folder);

	(void)state;
	expect_history("0 texts");
	assert_int_equal(append("a", "d1"), 1);
	assert_int_equal(append("b", "d2"), 2);
	assert_int_equal(append("c", "d1"), 3); /* its text is there */
	expect_history("1:a 2:b 3:c 2 texts");
	assert_int_equal(warnings, 0);
	text = content(folder);
	assert_memory_equal(text, "{\"portcullis_history\":1}\n{\"digest\":\"d1\"", 38);
	assert_int_equal(mode_of(folder), 0700);
	assert_int_equal(mode_of(path), 0600);
}

/* The group may read the file and pass through the folder; the lock is root's. */
static void test_readers(void **state)
{
	__free_text char *path = xasprintf("%s/history", folder);
	__free_text char *lock = xasprintf("%s/history.lock", folder);

	(void)state;
	place.readers = getegid();
	append("a", "d1");
	place.readers = 0;
	if (getegid()) {
		assert_int_equal(mode_of(folder), 0710);
		assert_int_equal(mode_of(path), 0640);
	}
	assert_int_equal(mode_of(lock), 0600);
}

/* A torn line does not hide the next line, and its number is not given again. */
static void test_torn(void **state)
{
	__free_text char *path = xasprintf("%s/history", folder);
	FILE *file;

	(void)state;
	append("a", "d1");
	file = fopen(path, "a");
	fputs("{\"number\":2,\"id\":\"x", file);
	fclose(file);
	expect_history("1:a 1 texts"); /* the line may be incomplete, because it is being written */
	assert_int_equal(append("b", "d2"), 3);
	expect_history("1:a 3:b 2 texts 1 damaged");
}

static void test_spare(void **state)
{
	__free_text char *before = NULL, *after = NULL;

	(void)state;
	append("a", "d1");
	before = content(folder);
	calls.of = "write";
	for (int i = 0; i < 2; i++) {
		calls.seen = 0;
		calls.at = 1;
		calls.error = ENOSPC;
		calls.half = i;
		assert_int_equal(append(i ? "c" : "b", i ? "d3" : "d2"), 0);
		assert_non_null(strstr(heard, "cannot record the change: No space left on device: "
					      "it is in "));
	}
	expect_history("1:a 2:b 3:c 3 texts spare");
	after = content(folder);
	assert_string_equal(after, before); /* the written part of a line was removed */
	calls.at = 0;
	assert_int_equal(append("d", "d2"), 4);
	expect_history("1:a 2:b 3:c 4:d 3 texts");
	assert_null(content(spare));
}

/* A move that was killed before the spare file was removed moves no change twice. */
static void test_move_again(void **state)
{
	__free_text char *path = xasprintf("%s/history", spare), *text = NULL;
	unsigned long long number;

	(void)state;
	calls.of = "fsync";
	calls.at = 1;
	calls.error = EIO;
	append("a", "d1");
	calls.at = 0;
	text = content(spare);
	history_append(&place, NULL, NULL, &number);
	expect_history("1:a 1 texts");
	put("run/history", text);
	chmod(path, 0600);
	expect_history("1:a 1 texts");
	append("b", "d1");
	expect_history("1:a 2:b 1 texts");
	assert_null(content(spare));
}

static void append_part(const char *id, const char *name)
{
	unsigned long long number;
	json_t *part = json_pack("{s:s, s:[{s:s}]}", "more", id, "interfaces", "name", name);

	history_append(&place, part, NULL, &number);
	assert_int_equal(number, 0);
	json_decref(part);
}

/* Interfaces of a command that are added later belong to its change. */
static void test_more(void **state)
{
	struct history_lines lines;
	unsigned long long number;
	json_t *change = json_pack("{s:s, s:[{s:s}]}", "id", "one", "interfaces", "name", "eth0");

	(void)state;
	history_append(&place, change, NULL, &number);
	json_decref(change);
	append("b", "d1");
	append_part("one", "eth1");
	append_part("none", "eth2");
	assert_int_equal(history_lines_read(&place, &lines), 0);
	assert_int_equal(json_array_size(lines.changes), 2);
	change = json_array_get(lines.changes, 0);
	assert_int_equal(json_array_size(json_object_get(change, "interfaces")), 2);
	history_lines_free(&lines);
	assert_int_equal(append("c", "d1"), 3);
}

/* A foreign file is named and left alone, and stops no command. */
static void test_foreign(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *why;
	} cases[] = {
		{"mine\n", 0600, "it is not a history of portcullis"},
		{"{\"portcullis_history\":2}\n", 0600, "it was written by another version"},
		{"{\"portcullis_history\":1}\n", 0620, "others than root can write it"},
	};
	__free_text char *path = xasprintf("%s/history", folder);
	__free_text char *fix = xasprintf("mv %s %s-old", path, path);

	(void)state;
	mkdir(folder, 0700);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *after = NULL;

		put("kept/history", cases[i].text);
		chmod(path, cases[i].mode);
		warnings = 0;
		assert_int_equal(append("a", "d1"), 0);
		assert_int_equal(warnings, 2);
		assert_non_null(strstr(heard, cases[i].why));
		after = content(folder);
		assert_string_equal(after, cases[i].text);
		if (cases[i].mode == 0600) {
			expect_history("cannot be read");
			assert_non_null(strstr(heard, fix));
		}
	}
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(append("a", "d1"), 0);
	assert_non_null(strstr(heard, "symbolic link"));
	unlink(path);
	expect_history("1:a 2:a 3:a 4:a 1 texts spare");
	assert_int_equal(append("b", "d1"), 5);
}

/* Neither file can be written: that is reported, and nothing else happens. */
static void test_nowhere(void **state)
{
	(void)state;
	put("kept", "a file");
	put("run", "a file");
	assert_int_equal(append("a", "d1"), 0);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(heard, "only the journal has it"));
}

/* Above its limit the file loses its older half, with the texts that only those changes use. */
static void test_limit(void **state)
{
	char comment[16], digest[16];
	__free_text char *text = NULL, *path = xasprintf("%s/history", folder);
	struct history_lines lines;
	const json_t *first;

	(void)state;
	place.limit = 8192;
	for (int i = 1; i <= 200; i++) {
		snprintf(comment, sizeof(comment), "c%d", i);
		snprintf(digest, sizeof(digest), "d%d", i / 2);
		assert_int_equal(append(comment, digest), i);
	}
	text = content(folder);
	assert_in_range(strlen(text), 2000, 8192);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(history_lines_read(&place, &lines), 0);
	first = json_array_get(lines.changes, 0);
	assert_in_range(json_integer_value(json_object_get(first, "number")), 100, 190);
	for (size_t i = 0; i < json_array_size(lines.changes); i++) {
		const json_t *change = json_array_get(lines.changes, i);
		const json_t *interface = json_array_get(json_object_get(change, "interfaces"), 0);
		const char *after = json_string_value(json_object_get(interface, "after"));

		assert_int_equal(json_integer_value(json_object_get(change, "number")),
				 json_integer_value(json_object_get(first, "number")) + (int)i);
		assert_non_null(json_object_get(lines.texts, after));
	}
	assert_in_range(json_object_size(lines.texts), json_array_size(lines.changes) / 2,
			json_array_size(lines.changes) / 2 + 2);
	assert_int_equal(lines.damaged, 0);
	history_lines_free(&lines);
	/* A change longer than the limit is kept, because the next number follows from it. */
	place.limit = 100;
	assert_int_equal(append("long", "d1"), 201);
	assert_int_equal(append("longer", "d1"), 202);
	expect_history("202:longer 1 texts");
}

/* A new file that cannot be written completely does not replace the old one. */
static void test_limit_fails(void **state)
{
	static const char *const hurt[] = {"fsync", "renameat"};

	(void)state;
	append("a", "d1");
	append("b", "d2");
	append("c", "d3");
	place.limit = 300;
	for (size_t i = 0; i < ARRAY_SIZE(hurt); i++) {
		calls = (typeof(calls)){.at = i ? 1 : 2, .error = EIO, .of = hurt[i]};
		assert_int_equal(append("d", "d4"), 4 + i);
		assert_int_equal(calls.seen, calls.at);
	}
	expect_history("1:a 2:b 3:c 4:d 5:d 4 texts");
	append("e", "d4");
	expect_history("6:e 1 texts");
}

/* Processes that append at once keep every change, each with its own number. */
static void test_at_once(void **state)
{
	struct history_lines lines;
	int status;

	(void)state;
	for (int i = 0; i < 8; i++)
		if (!fork()) {
			for (int j = 0; j < 20; j++)
				append("a", j % 2 ? "d1" : "d2");
			_exit(0);
		}
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	assert_int_equal(history_lines_read(&place, &lines), 0);
	assert_int_equal(json_array_size(lines.changes), 160);
	for (int i = 0; i < 160; i++)
		assert_int_equal(json_integer_value(json_object_get(
					 json_array_get(lines.changes, (size_t)i), "number")),
				 i + 1);
	assert_int_equal(json_object_size(lines.texts), 2);
	assert_int_equal(lines.damaged, 0);
	history_lines_free(&lines);
}

/* One append, with a change in the spare file, and above the limit. */
static bool append_hurt(int at, int error)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		calls.seen = 0;
		calls.at = at;
		calls.error = error;
		append("hurt", "d4");
		_exit(calls.seen < at ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* Earlier changes are there, whatever else happens; no number is there twice. */
static void check_whole(bool recorded)
{
	struct history_lines lines;
	size_t i, hurt = 0, before = 0;
	long long last = 0;
	const json_t *change;

	assert_int_equal(history_lines_read(&place, &lines), 0);
	json_array_foreach (lines.changes, i, change) {
		const char *comment = json_string_value(json_object_get(change, "comment"));
		long long number = json_integer_value(json_object_get(change, "number"));

		assert_true(number > last);
		last = number;
		hurt += !strcmp(comment, "hurt");
		before += !strcmp(comment, "spare") || !strcmp(comment, "a");
	}
	assert_true(hurt <= 1 && (hurt || !recorded));
	/* Older changes may be removed, but only from the beginning. */
	assert_true(before == 2 || (hurt && place.limit < HISTORY_LIMIT));
	history_lines_free(&lines);
}

static void hurt_all(int error, size_t limit)
{
	for (int at = 1;; at++) {
		bool done;

		remove_root(NULL);
		make_root(NULL);
		snprintf(folder, sizeof(folder), "%s/kept", root);
		snprintf(spare, sizeof(spare), "%s/run", root);
		place.limit = HISTORY_LIMIT;
		append("a", "d1");
		calls = (typeof(calls)){.at = 1, .error = ENOSPC, .of = "write"};
		append("spare", "d2");
		memset(&calls, 0, sizeof(calls));
		place.limit = limit;
		done = append_hurt(at, error);
		check_whole(error);
		place.limit = HISTORY_LIMIT;
		append("after", "d1");
		place.limit = limit;
		check_whole(error);
		if (done)
			return;
		assert_in_range(at, 1, 40);
	}
}

static void test_killed(void **state)
{
	(void)state;
	hurt_all(0, HISTORY_LIMIT);
	hurt_all(0, 300);
}

static void test_failing(void **state)
{
	(void)state;
	hurt_all(EIO, HISTORY_LIMIT);
	hurt_all(ENOSPC, 300);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_append, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_readers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_torn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_spare, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nowhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failing, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("report/history_file", tests, NULL, NULL);
}
