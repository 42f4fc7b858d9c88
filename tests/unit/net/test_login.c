// SPDX-License-Identifier: GPL-2.0
/* Which sessions are logins, by a folder of processes. */
#include <netinet/in.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/net/login.h"
#include "loader/net/sockets.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

static void process_file(int pid, const char *name, const char *text)
{
	__free_text char *path = xasprintf("proc/%d/%s", pid, name);

	put_bytes(path, text, strlen(text));
}

/* `session`: of audit; `sockets`: inodes, "5 6"; `children`: as the kernel lists them. */
static void process_of(int pid, const char *uid, const char *session, const char *cgroup,
		       const char *sockets, const char *children)
{
	__free_text char *task = xasprintf("%s/proc/%d/task/%d", root, pid, pid);
	__free_text char *fd = xasprintf("%s/proc/%d/fd", root, pid);
	__free_text char *make = xasprintf("mkdir -p %s %s", task, fd);
	__free_text char *status = xasprintf("Name:\tUid: 0\nUid:\t%s\t%s\n", uid, uid);
	__free_text char *list = xasprintf("task/%d/children", pid), *copy = xstrdup(sockets);
	char *rest = copy, *word;

	assert_int_equal(0, system(make));
	process_file(pid, "status", status);
	process_file(pid, "sessionid", session);
	process_file(pid, "loginuid", *session == '4' ? session : "1001");
	process_file(pid, "cgroup", cgroup);
	process_file(pid, list, children);
	while ((word = strsep(&rest, " ")) && *word) {
		__free_text char *path = xasprintf("%s/%s", fd, word);
		__free_text char *target = xasprintf("socket:[%s]", word);

		assert_int_equal(0, symlink(target, path));
	}
}

#define NO_SESSION "4294967295"
#define SERVICE	   "0::/system.slice/ssh.service\n"
#define SCOPE	   "0::/user.slice/user-0.slice/session-3.scope\n"

static void test_find_logins(void **state)
{
	/* The server has inode 5 and is process 50, which begins without a session. */
	static const struct {
		const char *uid, *session, *cgroup, *sockets, *children;
		const char *server; /* its session */
		bool login;
	} cases[] = {
		{"0", NO_SESSION, SERVICE, "6", "", NO_SESSION, false},
		{"0", "7", SERVICE, "6", "", NO_SESSION, true},
		{"0", "7", SERVICE, "6", "", "7", false},
		{"0", "7", SERVICE, "6", "", "8", true},
		{"0", "7", SERVICE, "5 6", "", NO_SESSION, false},
		{"0", "7", SERVICE, "8", "", NO_SESSION, false},
		{"1000", "7", SERVICE, "6", "", NO_SESSION, false},
		{"61184", "7", SERVICE, "6", "", NO_SESSION, true},
		{"0", NO_SESSION, SCOPE, "6", "", NO_SESSION, true},
		{"0", NO_SESSION, "1:name=systemd:/user.slice/session-3.scope\n0::/\n", "6", "",
		 NO_SESSION, true},
		/* Folders that a user can make. */
		{"0", NO_SESSION,
		 "0::/user.slice/user-0.slice/user@0.service/app.slice/session-3.scope\n", "6", "",
		 NO_SESSION, false},
		/* The child process is logged in, as behind telnetd, or is not. */
		{"0", NO_SESSION, SERVICE, "6", "61 62 ", NO_SESSION, true},
		{"0", NO_SESSION, SERVICE, "6", "61 ", NO_SESSION, false},
	};
	const struct socket_info server = {.protocol = IPPROTO_TCP, .local_port = 22, .inode = 5};
	const struct socket_info session = {.protocol = IPPROTO_TCP, .local_port = 22, .inode = 6};
	__free_text char *proc = xasprintf("%s/proc", root);
	__free_text char *clear = xasprintf("rm -rf %s", proc);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct login login = {.session = &session, .found = true, .uid = 9};

		process_of(50, "0", cases[i].server, SERVICE, "5", "60 62");
		process_of(60, cases[i].uid, cases[i].session, cases[i].cgroup, cases[i].sockets,
			   cases[i].children);
		process_of(61, "74", NO_SESSION, SERVICE, "", "");
		process_of(62, "1001", "9", SERVICE, "", "");
		logins_find(proc, &server, 1, &login, 1);
		if (login.found != cases[i].login)
			fail_msg("case %zu", i);
		if (login.found && !strstr(cases[i].cgroup, "scope"))
			assert_int_equal(1001, login.uid);
		assert_int_equal(0, system(clear));
	}
}

static void test_last_system(void **state)
{
	static const struct {
		const char *text;
		__u32 last;
	} cases[] = {
		{"", 999},
		{"SYS_UID_MAX 499\nUID_MIN 1000\n", 499},
		{"UID_MIN 500\nSYS_UID_MAX\t0\n", 0},
		{"SYS_UID_MAX 61183\n", 61183},
		{"SYS_UID_MAX 61184\n", 999},
		{"SYS_UID_MAX -1\nUID_MIN 500\n", 499},
		{"SYS_UID_MAX 61184\nUID_MIN\t500\n", 499},
		{"UID_MIN 1\n", 0},
		{"UID_MIN 0\n", 999},
		{"UID_MIN 61183\n", 61182},
		{"UID_MIN 61184\n", 999},
		{"UID_MIN x\n", 999},
		{"# UID_MIN 500\nUID_MINIMUM 500\nUID_MIN 700", 699},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (login_last_system(cases[i].text) != cases[i].last)
			fail_msg("case %zu: %u", i, login_last_system(cases[i].text));
}

/* Accounts of systemd's DynamicUser= are system accounts, too. */
static void test_is_system(void **state)
{
	(void)state;
	assert_true(login_is_system(0));
	assert_false(login_is_system(61183));
	assert_true(login_is_system(61184));
	assert_true(login_is_system(65519));
	assert_false(login_is_system(65520));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_logins),
		cmocka_unit_test(test_last_system),
		cmocka_unit_test(test_is_system),
	};

	return cmocka_run_group_tests_name("net/login", tests, make_root, remove_root);
}
