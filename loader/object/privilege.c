// SPDX-License-Identifier: GPL-2.0
/* Checks that the caller has the privileges that a command needs. */
#include "loader/object/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/names.h"
#include "loader/base/process.h"
#include "loader/object/admins.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

#define FIRST_USER_NAMESPACE 0xEFFFFFFDU /* the kernel's PROC_USER_INIT_INO */

/* For BPF the kernel wants capabilities of the host: those of a user namespace do not count. */
static bool in_user_namespace(void)
{
	struct stat st;

	return !stat("/proc/self/ns/user", &st) && st.st_ino != FIRST_USER_NAMESPACE;
}

int kernel_privileged(const char *command)
{
	static const struct {
		int bit;
		const char *name;
	} need[] = {
		{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
		{39 /* since 5.8 */, "CAP_BPF"},
		{38 /* since 5.8 */, "CAP_PERFMON"},
	};
	unsigned long long have = process_capabilities();
	struct names missing = {};
	int err = 0;
	size_t i;

	if (!geteuid() && in_user_namespace()) {
		error("%s: needs root of the host: this is root of a user namespace, as in a container without privileges; run it on the host",
		      command);
		return -EPERM;
	}
	for (i = 0; i < ARRAY_SIZE(need); i++) {
		bool by_admin = need[i].bit != CAP_NET_ADMIN && have & 1ULL << CAP_SYS_ADMIN;

		if (!(have & 1ULL << need[i].bit) && !by_admin)
			names_add(&missing, need[i].name);
	}
	if (missing.count) {
		__free_text char *list = names_join(&missing, ", ");

		err = -EPERM;
		error("%s: needs root, with the capabilities CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (missing: %s)",
		      command, list);
	}
	names_free(&missing);
	if (!err && access(PINS, R_OK | X_OK) && errno == EACCES) {
		err = -EACCES;
		error("%s: " PINS ": %s: only root may read the pins; run it as root", command,
		      strerror(-err));
	}
	return err;
}

int kernel_readable(const char *command)
{
	int err;
	gid_t gid;

	if (!geteuid() || access(PINS, R_OK | X_OK)) {
		err = kernel_privileged(command);
		if (err && admins_exist(&gid))
			error("%s: members of the group " ADMINS
			      " may do this without root: usermod -a -G " ADMINS
			      " USER, then log in again",
			      command);
		return err;
	}
	/* Linux before 5.19 fails without looking for the pin, which does not exist. */
	if (object_get("no", "pin") != -EPERM)
		return 0;
	error("%s: this kernel lets only root use BPF: members of the group " ADMINS
	      " need Linux 5.19; run it as root",
	      command);
	return -EPERM;
}
