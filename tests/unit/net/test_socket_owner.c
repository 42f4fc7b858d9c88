// SPDX-License-Identifier: GPL-2.0
/* Units and containers from /proc/PID/cgroup. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/net/socket_owner.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* clang-format off */
static const struct {
	const char *text, *unit, *container; /* NULL: none */
} known[] = {
	{"0::/system.slice/postfix.service\n", "postfix.service", NULL},
	{"0::/system.slice/system-postfix.slice/postfix@-.service\n", "postfix@-.service", NULL},
	{"0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope", NULL},
	{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/nc.service\n", "nc.service", NULL},
	{"0::/system.slice/docker-" ID ".scope\n", NULL, "docker:0123456789ab"},
	{"0::/machine.slice/libpod-" ID ".scope/container\n", NULL, "podman:0123456789ab"},
	{"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope\n", NULL, "kubernetes:0123456789ab"},
	{"0::/lxc.payload.mail/system.slice/postfix.service\n", "postfix.service", "lxc:mail"},
	{"0::/machine.slice/machine-mail.scope/payload\n", NULL, "machine:mail"},
	{"12:pids:/docker/" ID "\n1:name=systemd:/docker/" ID "\n0::/\n", NULL, "docker:0123456789ab"},
	{"2:cpu:/\n1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service", NULL},
	{"0::/\n", NULL, NULL},
	{"0::/system.slice/docker-.scope\n", "docker-.scope", NULL},
	{"", NULL, NULL},
	{"garbage", NULL, NULL},
	{":\n::\n0::", NULL, NULL},
};
/* clang-format on */

static void same(const char *wanted, const char *is, const char *text)
{
	if (wanted && is)
		assert_string_equal(is, wanted);
	else if (wanted || is)
		fail_msg("%s: '%s', wanted '%s'", text, is, wanted);
}

static void reads_units_and_containers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char *unit, *container;

		cgroup_read(known[i].text, &unit, &container);
		same(known[i].unit, unit, known[i].text);
		same(known[i].container, container, known[i].text);
		free(unit);
		free(container);
	}
}

static char folder[] = "/tmp/portcullis-proc-XXXXXX";

static void put(const char *path, const char *text)
{
	__free_text char *name = xasprintf("%s/%s", folder, path);
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Makes a process that holds these sockets. */
static void add_process(const char *pid, const char *comm, const char *cgroup,
			const char *const *socket, size_t sockets)
{
	__free_text char *base = xasprintf("%s/%s", folder, pid), *fd = xasprintf("%s/fd", base);
	__free_text char *name = xasprintf("%s/comm", pid), *group = xasprintf("%s/cgroup", pid);

	assert_int_equal(mkdir(base, 0700), 0);
	assert_int_equal(mkdir(fd, 0700), 0);
	put(name, comm);
	put(group, cgroup);
	for (size_t i = 0; i < sockets; i++) {
		__free_text char *link = xasprintf("%s/%zu", fd, i);

		assert_int_equal(symlink(socket[i], link), 0);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* If several processes hold a socket, the one with the lowest id counts. */
static void finds_owners(void **state)
{
	const struct socket_info socket[] = {
		{.inode = 11}, {.inode = 12}, {.inode = 0}, {.inode = 14}};
	struct socket_owner *owner = xcalloc(ARRAY_SIZE(socket), sizeof(*owner));

	(void)state;
	assert_non_null(mkdtemp(folder));
	add_process("200", "worker\n", "0::/system.slice/worker.service\n",
		    (const char *[]){"socket:[11]", "/dev/null", "socket:[12]"}, 3);
	add_process("99", "master\n", "0::/system.slice/postfix.service\n",
		    (const char *[]){"pipe:[12]", "socket:[11]"}, 2);
	add_process("300", "later\n", "0::/\n",
		    (const char *[]){"socket:[11]", "socket:[14]", "socket:[0]"}, 3);
	add_process("7x", "none\n", "0::/\n", (const char *[]){"socket:[11]"}, 1);
	owners_find(folder, socket, ARRAY_SIZE(socket), owner);
	assert_int_equal(owner[0].pid, 99);
	assert_string_equal(owner[0].process, "master");
	assert_string_equal(owner[0].unit, "postfix.service");
	assert_int_equal(owner[1].pid, 200);
	assert_string_equal(owner[1].process, "worker");
	assert_int_equal(owner[2].pid, 0);
	assert_string_equal(owner[2].process, "");
	assert_int_equal(owner[3].pid, 300);
	assert_null(owner[3].unit);
	owners_free(owner, ARRAY_SIZE(socket));
	assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_units_and_containers),
					   cmocka_unit_test(finds_owners)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
