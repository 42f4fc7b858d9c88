// SPDX-License-Identifier: GPL-2.0
/* Takes the rights of the user who called sudo, for opening files. */
#include "loader/base/invoker.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"

/* The number in the variable; 0: it has none, or it is root's. */
static unsigned long number_of(const char *variable)
{
	const char *text = getenv(variable);
	char *end;
	unsigned long number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	number = strtoul(text, &end, 10);
	return *end || number >= (uid_t)-1 ? 0 : number;
}

/* Takes all groups of the user; if the user is unknown, only `gid`. */
static int take_groups(uid_t uid, gid_t gid)
{
	const struct passwd *user = getpwuid(uid);
	__free_text gid_t *groups = NULL;
	int count = 0;

	if (!user)
		return setgroups(1, &gid);
	getgrouplist(user->pw_name, gid, NULL, &count);
	groups = xcalloc((size_t)count, sizeof(*groups));
	if (getgrouplist(user->pw_name, gid, groups, &count) < 0)
		return setgroups(1, &gid);
	return setgroups((size_t)count, groups);
}

/*
 * The saved user is set too, so that invoker_resume needs no CAP_SETUID. setfsuid and setfsgid
 * return the previous id also when they fail; a call with -1 changes nothing and returns the
 * present id.
 */
static int take_ids(uid_t uid, gid_t gid)
{
	if (setresuid((uid_t)-1, (uid_t)-1, uid))
		return -1;
	setfsgid(gid);
	setfsuid(uid);
	if ((gid_t)setfsgid((gid_t)-1) == gid && (uid_t)setfsuid((uid_t)-1) == uid)
		return 0;
	errno = EPERM;
	return -1;
}

int invoker_become(void)
{
	uid_t uid = geteuid() ? 0 : (uid_t)number_of("SUDO_UID");
	const struct passwd *user = uid ? getpwuid(uid) : NULL;
	gid_t gid = user ? user->pw_gid : (gid_t)number_of("SUDO_GID");
	int err;

	if (!uid)
		return 0;
	if (!take_groups(uid, gid) && !take_ids(uid, gid))
		return 1;
	err = -errno;
	error("cannot read files as user %u, who called sudo: %s", uid, strerror(-err));
	return err;
}

uid_t invoker_pause(void)
{
	return (uid_t)setfsuid(0);
}

void invoker_resume(uid_t paused)
{
	setfsuid(paused);
}
