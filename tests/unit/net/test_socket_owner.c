// SPDX-License-Identifier: GPL-2.0
/* Units and containers out of /proc/PID/cgroup. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_units_and_containers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
