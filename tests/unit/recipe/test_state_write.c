// SPDX-License-Identifier: GPL-2.0
/*
 * What boots next: what is written below /var/lib/portcullis, in which order it reaches the disk,
 * and what is there when a call fails. The test has a /var/lib of its own, in a mount namespace.
 */
#include "loader/recipe/state_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

/* --- the system calls that change something: logged, and one of them may fail --- */

static struct {
	char *log; /* "sync confirmed" and the like, a line each; NULL: nothing is logged */
	unsigned int seen, fail_at; /* which call fails, counted from 1; 0: none */
} calls;

static bool fails(const char *call, const char *what)
{
	char *log = calls.log;

	if (!log)
		return false;
	calls.log = xasprintf("%s%s %s\n", log, call, what);
	free(log);
	if (++calls.seen != calls.fail_at)
		return false;
	errno = ENOSPC;
	return true;
}

/* The last part of a descriptor's path. */
static const char *name_of(int fd)
{
	static char path[4096];
	__free_text char *link = xasprintf("/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof(path) - 1);

	path[length < 0 ? 0 : length] = '\0';
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

int fsync(int fd)
{
	return fails("sync", name_of(fd)) ? -1 : (int)syscall(SYS_fsync, fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
	return fails("rename", new) ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

int symlinkat(const char *target, int folder, const char *name)
{
	return fails("link", name) ? -1 : (int)syscall(SYS_symlinkat, target, folder, name);
}

int mkdirat(int folder, const char *name, mode_t mode)
{
	return fails("mkdir", name) ? -1 : (int)syscall(SYS_mkdirat, folder, name, mode);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (fd <= STDERR_FILENO)
		return syscall(SYS_write, fd, bytes, length);
	/* Writes in pieces, as the kernel may. */
	return fails("write", name_of(fd)) ?
		       -1 :
		       syscall(SYS_write, fd, bytes, length > 100 ? 100 : length);
}

/* --- the place --- */

static bool own_mounts; /* otherwise nothing may be written to /var/lib */

static bool write_proc(const char *name, const char *text)
{
	__free_text char *path = xasprintf("/proc/self/%s", name);
	__close_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && syscall(SYS_write, fd, text, strlen(text)) > 0;
}

static bool map_root(void)
{
	__free_text char *user = xasprintf("0 %u 1", geteuid());
	__free_text char *group = xasprintf("0 %u 1", getegid());

	return !unshare(CLONE_NEWUSER) && write_proc("setgroups", "deny") &&
	       write_proc("uid_map", user) && write_proc("gid_map", group);
}

static int begin(void **state)
{
	own_mounts = (!geteuid() || map_root()) && !unshare(CLONE_NEWNS) &&
		     !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		     !mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755");
	return make_root(state);
}

static struct catalog catalog;
static char *heard;
static int descriptors; /* descriptors that are open before a test */

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void take(void *context, bool is_error, const char *text, const char *fix)
{
	(void)context;
	assert_false(is_error);
	assert_null(fix);
	free(heard);
	heard = xstrdup(text);
}

static int open_catalog(void)
{
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(names_free) struct names folder = {};
	__free_text char *profiles = xasprintf("%s/profiles", root);

	names_add(&folder, profiles);
	return catalog_open(&folder, &catalog, &diag);
}

static int set_up(void **state)
{
	(void)state;
	descriptors = count_descriptors();
	if (!own_mounts)
		return 0;
	put("profiles/ssh.yaml", "profile: ssh\nservices: [{name: ssh, in: 22/tcp}]\n");
	put("profiles/web.yaml",
	    "profile: web\ninclude: [ssh, base]\nservices: [{name: web, in: 80/tcp, from: g}]\n");
	put("profiles/base.yaml", "profile: base\nservices: [{name: ping, in: 7/udp}]\n");
	put("profiles/other.yaml", "profile: other\nservices: [{name: x, in: 9/udp}]\n");
	put("site/g", "192.0.2.0/24\n2001:db8::/32\n");
	messages_to(take, NULL);
	return open_catalog();
}

static int tear_down(void **state)
{
	(void)state;
	text_free(&calls.log);
	calls.seen = calls.fail_at = 0;
	messages_to(NULL, NULL);
	text_free(&heard);
	if (own_mounts) {
		catalog_close(&catalog);
		chmod(STATE, 0700);
		nftw(STATE, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	}
	return count_descriptors() != descriptors;
}

static void needs_own_mounts(void)
{
	if (own_mounts)
		return;
	print_message("SKIP: needs root, or user namespaces: a /var/lib of its own\n");
	skip();
}

/* --- what is looked at --- */

#define TWO                                \
	"groups: {g: '@g'}\n"              \
	"interfaces:\n"                    \
	"  eth0: {profiles: [web, ssh]}\n" \
	"  eth1: {profiles: ssh}\n"

static struct site site_of(const char *text)
{
	__free_text char *path = xasprintf("%s/site/site.yaml", root);
	struct diag diag = {};
	struct site site;

	if (site_parse(path, text, strlen(text), &site, &diag))
		diag_print(&diag, stderr);
	assert_int_equal(diag.count, 0);
	return site;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder below STATE; for a snapshot without its number. */
static char *list_of(const char *folder)
{
	__free_text char *path = xasprintf(STATE "/%s", folder);
	__cleanup(names_free) struct names names = {};
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			names_add(&names, !strncmp(entry->d_name, "snapshot-", 9) ? "snapshot" :
										    entry->d_name);
	if (dir)
		closedir(dir);
	if (names.count)
		qsort(names.name, names.count, sizeof(*names.name), by_name);
	return names_join(&names, " ");
}

static void expect_list(const char *folder, const char *expected)
{
	__free_text char *list = list_of(folder);

	assert_string_equal(list, expected);
}

static void expect_file(const char *name, const char *expected)
{
	__free_text char *path = xasprintf(STATE "/%s", name);
	__free_text char *text = NULL;
	struct stat st;
	size_t length;

	assert_int_equal(read_file(path, 1 << 20, &text, &length), 0);
	assert_string_equal(text, expected);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* Where a link leads; "" if it does not exist. */
static char *target_of(const char *link)
{
	__free_text char *path = xasprintf(STATE "/%s", link);
	char target[64] = "";

	if (readlink(path, target, sizeof(target) - 1) < 0)
		return xstrdup("");
	assert_int_equal(strlen(target), strlen("snapshot-01234567"));
	return xstrdup(target);
}

static bool tried(const struct site *site)
{
	char digest[SHA256_TEXT];

	site_digest(site, digest);
	return state_tried(digest);
}

/* The snapshot is complete, and was made from this site. */
static struct snapshot opened(const char *path, const struct site *site)
{
	struct diag diag = {};
	struct snapshot snapshot;
	char digest[SHA256_TEXT];

	if (snapshot_open(path, &snapshot, &diag))
		diag_print(&diag, stderr);
	assert_int_equal(diag.count, 0);
	assert_int_equal(snapshot.there, !!site);
	if (site) {
		site_digest(site, digest);
		assert_string_equal(snapshot.digest, digest);
		assert_int_equal(strlen(snapshot.content), SHA256_TEXT - 1);
	}
	return snapshot;
}

static void expect_snapshot(const char *path, const struct site *site)
{
	__cleanup(snapshot_free) struct snapshot snapshot = opened(path, site);
}

static void expect_heard(const char *expected)
{
	if (!expected) {
		if (heard)
			fail_msg("heard: %s", heard);
		return;
	}
	assert_non_null(heard);
	assert_string_equal(heard, expected);
	text_free(&heard);
}

/* --- tests --- */

static void test_kept(void **state)
{
	static const char *const folder[] = {STATE_CONFIRMED, STATE_CONFIRMED "/groups",
					     STATE_CONFIRMED "/profiles"};
	__cleanup(site_free) struct site two = {}, same = {}, other = {};
	__free_text char *first = NULL, *again = NULL, *third = NULL;
	struct stat st;

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	same = site_of("# a comment\n" TWO);
	other = site_of("interfaces: {eth0: {profiles: other}}\n");
	expect_snapshot(STATE_CONFIRMED, NULL);
	state_keep(&two, &catalog);
	expect_heard(NULL);
	assert_int_equal(stat(STATE, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	expect_list("", "confirmed snapshot");
	expect_list("confirmed", "about.json groups profiles site.yaml");
	expect_list("confirmed/groups", "g");
	expect_list("confirmed/profiles", "base.yaml ssh.yaml web.yaml");
	expect_file("confirmed/site.yaml", TWO);
	expect_file("confirmed/groups/g", "192.0.2.0/24\n2001:db8::/32\n");
	expect_file("confirmed/profiles/base.yaml",
		    "profile: base\nservices: [{name: ping, in: 7/udp}]\n");
	expect_snapshot(STATE_CONFIRMED, &two);
	for (size_t i = 0; i < ARRAY_SIZE(folder); i++) {
		assert_int_equal(stat(folder[i], &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	/* A snapshot that is already kept is not written again. */
	first = target_of("confirmed");
	state_keep(&two, &catalog);
	again = target_of("confirmed");
	assert_string_equal(first, again);
	/* The same settings, but another text. */
	state_keep(&same, &catalog);
	third = target_of("confirmed");
	assert_string_not_equal(first, third);
	expect_list("", "confirmed snapshot");
	expect_snapshot(STATE_CONFIRMED, &two);
	state_keep(&other, &catalog);
	expect_list("", "confirmed snapshot");
	expect_list("confirmed/profiles", "other.yaml");
	expect_list("confirmed/groups", "");
	expect_snapshot(STATE_CONFIRMED, &other);
	expect_heard(NULL);
}

/* Groups of interfaces and machines have files of their own, and the profiles of machines are
 * copied, too. */
static void test_kept_machines(void **state)
{
	__cleanup(site_free) struct site site = {};
	__cleanup(snapshot_free) struct snapshot snapshot = {};
	const struct site_interface *eth0;

	(void)state;
	needs_own_mounts();
	put("site/h", "198.51.100.0/24\n");
	put("site/i", "203.0.113.0/24\n");
	site = site_of("groups: {g: '@g'}\ninterfaces:\n  eth0:\n    profiles: ssh\n"
		       "    groups: {g: '@h'}\n    machines:\n"
		       "      mail: {address: 10.0.0.1, profiles: other, groups: {g: '@i'}}\n"
		       "  'en*':\n    profiles: ssh\n    groups: {g: '@i'}\n");
	state_keep(&site, &catalog);
	expect_heard(NULL);
	expect_list("confirmed/groups", "en*:g eth0:g eth0:mail:g g");
	expect_list("confirmed/profiles", "other.yaml ssh.yaml");
	expect_file("confirmed/groups/eth0:mail:g", "203.0.113.0/24\n");
	/* The files beside the site file are not needed after that. */
	put("site/h", "");
	put("site/i", "");
	snapshot = opened(STATE_CONFIRMED, &site);
	eth0 = site_interface(&snapshot.site, "eth0");
	assert_int_equal(eth0->recipe.machines, 1);
	assert_int_equal(groups_find(&eth0->recipe.groups, "g")->prefix[0].address[0], 198);
	assert_int_equal(
		groups_find(&eth0->recipe.machine[0].own.groups, "g")->prefix[0].address[0], 203);
	assert_int_equal(groups_find(&snapshot.site.groups, "g")->prefixes, 2);
}

/* A change of a profile, or of a group's file, changes the content. */
static void test_content(void **state)
{
	static const struct {
		const char *file, *text;
	} change[] = {
		{"profiles/base.yaml", "profile: base\nservices: [{name: ping, in: 8/udp}]\n"},
		{"site/g", "192.0.2.0/25\n"},
	};

	(void)state;
	needs_own_mounts();
	for (size_t i = 0; i < ARRAY_SIZE(change); i++) {
		__cleanup(site_free) struct site site = site_of(TWO), now = {};
		__free_text char *before = NULL, *after = NULL;

		state_keep(&site, &catalog);
		before = target_of("confirmed");
		put(change[i].file, change[i].text);
		catalog_close(&catalog);
		assert_int_equal(open_catalog(), 0);
		now = site_of(TWO);
		state_keep(&now, &catalog);
		after = target_of("confirmed");
		assert_string_not_equal(before, after);
		expect_snapshot(STATE_CONFIRMED, &now);
	}
}

/* A file is on the disk before the link leads to it, and the link is before the command ends. */
static void test_order(void **state)
{
	static const char *const needed[] = {"sync site.yaml", "sync g",	 "sync web.yaml",
					     "sync ssh.yaml",  "sync base.yaml", "sync about.json",
					     "sync groups",    "sync profiles",	 "sync snapshot-"};
	__cleanup(site_free) struct site two = {};
	char *renamed, *last;

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	calls.log = xstrdup("\n");
	state_keep(&two, &catalog);
	expect_heard(NULL);
	renamed = strstr(calls.log, "\nrename confirmed\n");
	assert_non_null(renamed);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const char *found = strstr(calls.log, needed[i]);

		if (!found || found > renamed)
			fail_msg("not before the link: %s\n%s", needed[i], calls.log);
		if (strncmp(needed[i], "sync snapshot", 13) &&
		    found > strstr(calls.log, "sync snapshot-"))
			fail_msg("not before its folder: %s\n%s", needed[i], calls.log);
	}
	assert_non_null(strstr(renamed, "\nsync portcullis\n"));
	/* The same for the list of tried files. */
	free(calls.log);
	calls.log = xstrdup("\n");
	state_try(&two, &catalog, &(struct names){});
	last = strstr(calls.log, "\nrename tried\n");
	assert_non_null(last);
	renamed = strstr(calls.log, "\nsync tried.new\n");
	assert_true(renamed && renamed < last);
	assert_non_null(strstr(last, "\nsync portcullis\n"));
	/* The digest is written before the file that it belongs to. */
	assert_true(last < strstr(calls.log, "\nrename trying\n"));
	free(calls.log);
	calls.log = xstrdup("\n");
	state_pend();
	last = strstr(calls.log, "\nrename pending\n");
	assert_true(last && strstr(last, "\nsync portcullis\n"));
	/* The last digest is removed, and so is the file. */
	free(calls.log);
	calls.log = xstrdup("\n");
	state_keep(&two, &catalog);
	assert_non_null(strstr(calls.log, "\nsync portcullis\n"));
	expect_list("", "confirmed snapshot");
}

static void test_tried_and_confirmed(void **state)
{
	static const struct names both = {};
	struct names one = {.name = (char *[]){"eth1"}, .count = 1};
	__cleanup(site_free) struct site two = {}, other = {};
	__free_text char *target = NULL, *confirmed = NULL;
	char digest[SHA256_TEXT];

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	other = site_of("interfaces: {eth0: {profiles: other}}\n");
	site_digest(&two, digest);
	state_keep(&other, &catalog);
	state_try(&two, &catalog, &both);
	expect_list("", "confirmed snapshot snapshot tried trying");
	assert_true(tried(&two));
	assert_false(tried(&other));
	expect_snapshot(STATE_TRYING, &two);
	expect_snapshot(STATE_CONFIRMED, &other);
	/* The change was made, and is pending. */
	target = target_of("trying");
	state_pend();
	expect_list("", "confirmed pending snapshot snapshot tried");
	confirmed = target_of("pending");
	assert_string_equal(target, confirmed);
	{
		__cleanup(snapshot_free) struct snapshot waited = opened(STATE_PENDING, &two);

		assert_int_equal(waited.interfaces.count, 0);
		state_promote(&waited, "pending");
	}
	expect_list("", "confirmed snapshot");
	text_free(&confirmed);
	confirmed = target_of("confirmed");
	assert_string_equal(target, confirmed);
	assert_false(tried(&two));
	expect_snapshot(STATE_CONFIRMED, &two);
	/* Only some interfaces: what is confirmed for boot stays. */
	state_try(&other, &catalog, &one);
	state_pend();
	{
		__cleanup(snapshot_free) struct snapshot waited = opened(STATE_PENDING, &other);

		expect_names(&waited.interfaces, "eth1");
		state_promote(&waited, "pending");
	}
	expect_list("", "confirmed snapshot");
	assert_false(tried(&other));
	expect_snapshot(STATE_CONFIRMED, &two);
	/* Killed before it was pending: the snapshot that is being tried can be confirmed, too. */
	state_try(&other, &catalog, &both);
	{
		__cleanup(snapshot_free) struct snapshot waited = opened(STATE_TRYING, &other);

		state_promote(&waited, "trying");
	}
	expect_list("", "confirmed snapshot");
	expect_snapshot(STATE_CONFIRMED, &other);
	expect_heard(NULL);
}

static void test_failed_change(void **state)
{
	static const struct names all = {};
	__cleanup(site_free) struct site two = {}, other = {};
	char digest[SHA256_TEXT];

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	other = site_of("interfaces: {eth0: {profiles: other}}\n");
	state_try(&other, &catalog, &all);
	state_pend();
	/* The earlier pending snapshot stays pending. */
	state_try(&two, &catalog, &all);
	expect_list("", "pending snapshot snapshot tried trying");
	site_digest(&two, digest);
	state_untry(digest);
	expect_list("", "pending snapshot tried");
	assert_false(tried(&two));
	assert_true(tried(&other));
	expect_snapshot(STATE_PENDING, &other);
	/* It had been tried before, so it stays in the list. */
	state_try(&two, &catalog, &all);
	state_untry(NULL);
	expect_list("", "pending snapshot tried");
	assert_true(tried(&two));
	/* Once kept, it is no longer pending. */
	state_keep(&two, &catalog);
	expect_list("", "confirmed snapshot tried");
	assert_false(tried(&two));
	assert_true(tried(&other));
	expect_heard(NULL);
}

static void test_list_of_tried(void **state)
{
	static const struct names all = {};
	__cleanup(site_free) struct site two = {};
	__free_text char *text = NULL;
	char digest[SHA256_TEXT];
	FILE *file;
	size_t length;

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	site_digest(&two, digest);
	assert_int_equal(mkdir(STATE, 0700), 0);
	file = fopen(STATE_TRIED, "w");
	for (int i = 0; i < STATE_TRIES; i++)
		fprintf(file, "%064x\n", i);
	fclose(file);
	/* The oldest digest is removed, the new one is the last. */
	state_try(&two, &catalog, &all);
	assert_int_equal(read_file(STATE_TRIED, 1 << 20, &text, &length), 0);
	assert_int_equal(length, STATE_TRIES * SHA256_TEXT);
	assert_null(strstr(text, "000000\n"));
	assert_non_null(strstr(text, "000001\n"));
	assert_memory_equal(text + length - SHA256_TEXT, digest, SHA256_TEXT - 1);
	/* A digest that is tried again is in the list once; lines in another form are removed. */
	text_free(&text);
	file = fopen(STATE_TRIED, "w");
	fprintf(file, "%s\nshort\n%064x\n", digest, 7);
	fclose(file);
	state_try(&two, &catalog, &all);
	assert_int_equal(read_file(STATE_TRIED, 1 << 20, &text, &length), 0);
	assert_int_equal(length, 2 * SHA256_TEXT);
	assert_memory_equal(text + SHA256_TEXT, digest, SHA256_TEXT - 1);
	/* Any two of the links can exist without the third. */
	state_untry(digest);
	text_free(&text);
	assert_int_equal(read_file(STATE_TRIED, 1 << 20, &text, &length), 0);
	assert_int_equal(length, SHA256_TEXT);
	assert_false(tried(&two));
	expect_heard(NULL);
}

/* The remains of a killed command do not disturb the next, which removes them. */
static void test_left_over(void **state)
{
	__cleanup(site_free) struct site two = {};

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	assert_int_equal(mkdir(STATE, 0700), 0);
	assert_int_equal(mkdir(STATE "/snapshot-00000001", 0700), 0);
	assert_int_equal(mkdir(STATE "/snapshot-00000001/groups", 0700), 0);
	assert_int_equal(mknod(STATE "/snapshot-00000001/groups/g", S_IFREG | 0600, 0), 0);
	assert_int_equal(mknod(STATE "/snapshot-00000001/site.yaml", S_IFREG | 0600, 0), 0);
	assert_int_equal(symlink("snapshot-00000001", STATE "/link.new"), 0);
	assert_int_equal(mknod(STATE "/tried.new", S_IFREG | 0600, 0), 0);
	assert_int_equal(mknod(STATE "/mine", S_IFREG | 0600, 0), 0);
	state_try(&two, &catalog, &(struct names){});
	expect_list("", "mine snapshot tried trying");
	expect_snapshot(STATE_TRYING, &two);
	assert_int_equal(symlink("snapshot-00000001", STATE "/link.new"), 0);
	state_untry(NULL);
	expect_list("", "mine tried");
	state_keep(&two, &catalog);
	expect_list("", "confirmed mine snapshot");
	expect_heard(NULL);
}

/* A profile that is missing, and paths that are in use: nothing incomplete is confirmed. */
static void test_cannot(void **state)
{
	static const char *const taken[] = {STATE "/link.new", STATE "/tried.new"};
	__cleanup(site_free) struct site two = {}, missing = {};

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	missing = site_of("interfaces: {eth0: {profiles: [ssh, none]}}\n");
	state_keep(&missing, &catalog);
	assert_non_null(heard);
	assert_non_null(
		strstr(heard, "cannot keep the site file that was applied: Invalid argument"));
	text_free(&heard);
	expect_list("", "");
	state_keep(&two, &catalog);
	expect_heard(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		assert_int_equal(mkdir(taken[i], 0700), 0);
		state_try(&two, &catalog, &(struct names){});
		assert_non_null(heard);
		assert_non_null(strstr(heard, "Is a directory"));
		text_free(&heard);
		assert_int_equal(rmdir(taken[i]), 0);
		expect_snapshot(STATE_CONFIRMED, &two);
		state_untry(NULL);
		expect_list("", "confirmed snapshot");
	}
}

/* Descriptor 0, as in a command with a closed stdin, works like any other. */
static void test_without_stdin(void **state)
{
	__cleanup(site_free) struct site two = {};
	int copy, count;

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	copy = dup(STDIN_FILENO);
	close(STDIN_FILENO);
	count = count_descriptors();
	state_try(&two, &catalog, &(struct names){});
	state_pend();
	state_keep(&two, &catalog);
	assert_int_equal(count_descriptors(), count);
	dup2(copy, STDIN_FILENO);
	close(copy);
	expect_heard(NULL);
	expect_snapshot(STATE_CONFIRMED, &two);
}

static void test_not_ours(void **state)
{
	static const struct names all = {};
	__cleanup(site_free) struct site two = {};
	struct snapshot waited = {.digest = "x"};

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	assert_int_equal(mkdir(STATE, 0700), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(chmod(STATE, i ? 0702 : 0720), 0);
		state_keep(&two, &catalog);
		expect_heard(
			STATE
			": cannot keep the site file that was applied: others than root can write the folder: the next boot applies the site file as it is then; once that is fixed, portcullis apply keeps it");
		state_try(&two, &catalog, &all);
		expect_heard(
			STATE
			": cannot keep the site file that is tried: others than root can write the folder: the next boot applies it even if it is not confirmed");
		state_pend();
		expect_heard(
			STATE
			": cannot keep the pending change for boot: others than root can write the folder; once that is fixed and the change is confirmed, portcullis apply keeps it");
		state_untry("x");
		expect_heard(
			STATE
			": cannot remove the site file that was tried: others than root can write the folder");
		state_promote(&waited, "pending");
		expect_heard(
			STATE
			": cannot keep the site file that was confirmed: others than root can write the folder: the next boot applies the site file as it is then; once that is fixed, portcullis apply keeps it");
		expect_list("", "");
	}
	/* Not where a link leads to. */
	assert_int_equal(rmdir(STATE), 0);
	assert_int_equal(symlink("/var/lib", STATE), 0);
	state_keep(&two, &catalog);
	assert_non_null(heard);
	text_free(&heard);
	assert_int_equal(unlink(STATE), 0);
}

/*
 * Whichever call fails: it is reported, and the old or the new confirmed snapshot can be read; a
 * file that was being tried does not boot, unless that is reported, too.
 */
static void test_faults(void **state)
{
	static const struct names all = {};
	__cleanup(site_free) struct site two = {}, other = {};
	unsigned int at = 0, told = 0;
	bool failed = true;

	(void)state;
	needs_own_mounts();
	two = site_of(TWO);
	other = site_of("interfaces: {eth0: {profiles: other}}\n");
	while (failed) {
		__cleanup(snapshot_free) struct snapshot now = {};
		__cleanup(diag_free) struct diag diag = {};
		char digest[SHA256_TEXT];

		state_keep(&other, &catalog);
		expect_heard(NULL);
		calls.log = xstrdup("\n");
		calls.seen = 0;
		calls.fail_at = ++at;
		state_try(&two, &catalog, &all);
		if (!heard) {
			state_pend();
			if (!heard)
				state_keep(&two, &catalog);
		}
		failed = calls.seen >= at;
		told += failed && heard;
		calls.fail_at = 0;
		text_free(&calls.log);
		if (failed != !!heard)
			fail_msg("call %u failed, and %s was said", at, heard ? heard : "nothing");
		if (heard && strstr(heard, "is tried: ")) {
			assert_int_equal(!!strstr(heard, "No space left on device"), 1);
			/* If the copy is missing, the digest is missing, too, or that is
			 * reported. */
			site_digest(&two, digest);
			if (state_tried(digest))
				assert_non_null(
					strstr(heard, "applies the one that was confirmed before"));
			else
				assert_non_null(strstr(heard, "applies it even if"));
		}
		text_free(&heard);
		assert_int_equal(snapshot_open(STATE_CONFIRMED, &now, &diag), 0);
		assert_true(now.there);
		site_digest(&other, digest);
		if (!failed || strcmp(now.digest, digest)) {
			site_digest(&two, digest);
			assert_string_equal(now.digest, digest);
		}
		/* The next command cleans everything up. */
		state_untry(NULL);
		state_keep(&two, &catalog);
		expect_heard(NULL);
		expect_snapshot(STATE_CONFIRMED, &two);
		expect_list("", "confirmed snapshot");
	}
	print_message("%u calls that fail, each told\n", told);
	assert_true(told > 30);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept_machines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tried_and_confirmed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failed_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list_of_tried, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cannot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without_stdin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("recipe/state_write", tests, begin, remove_root);
}
