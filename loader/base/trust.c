// SPDX-License-Identifier: GPL-2.0
/* Whether only those who may decide for the host can have written a file. */
#include "loader/base/trust.h"

#include <stdbool.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"

#define LINKS 40 /* as the kernel's MAXSYMLINKS */

struct trusted {
	uid_t uid[4]; /* root's is the first */
	size_t uids;
	gid_t gid; /* a group that can write the executable; (gid_t)-1: none can */
};

static struct trusted trusted_now(void)
{
	struct trusted trusted = {.uid = {0, geteuid()}, .uids = 2, .gid = (gid_t)-1};
	const char *sudo = geteuid() ? NULL : getenv("SUDO_UID");
	struct stat self;
	char *end;

	if (sudo && *sudo >= '0' && *sudo <= '9') {
		unsigned long uid = strtoul(sudo, &end, 10);

		if (!*end && uid < (uid_t)-1)
			trusted.uid[trusted.uids++] = uid;
	}
	/* Whoever can write what runs decides anyway: a tree of sources may be a developer's. */
	if (!stat("/proc/self/exe", &self)) {
		trusted.uid[trusted.uids++] = self.st_uid;
		if (self.st_mode & S_IWGRP)
			trusted.gid = self.st_gid;
	}
	return trusted;
}

static bool owner_trusted(const struct trusted *trusted, const struct stat *st)
{
	for (size_t i = 0; i < trusted->uids; i++)
		if (st->st_uid == trusted->uid[i])
			return true;
	return false;
}

static int check(const struct trusted *trusted, const char *path, const struct stat *st, char **why)
{
	mode_t wide = st->st_mode & (S_IWGRP | S_IWOTH);

	if (!owner_trusted(trusted, st)) {
		*why = xasprintf(
			"refused: %s belongs to user %u, neither root nor you: chown %sroot %s",
			path, st->st_uid, S_ISLNK(st->st_mode) ? "-h " : "", path);
		return -EPERM;
	}
	if (st->st_gid == trusted->gid)
		wide &= ~S_IWGRP;
	/* In a sticky folder nobody moves or replaces what another one owns. */
	if (!wide || S_ISLNK(st->st_mode) || (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return 0;
	*why = xasprintf("refused: others can write %s (mode %04o): chmod go-w %s", path,
			 st->st_mode & 07777, path);
	return -EPERM;
}

/* What a symbolic link says, with what is left of the path behind it. */
static int follow(const char *link, char **rest)
{
	char target[PATH_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);
	char *joined;

	if (length < 0)
		return -errno;
	target[length] = '\0';
	joined = xasprintf("%s/%s", target, *rest);
	free(*rest);
	*rest = joined;
	return 0;
}

/* Takes the first name off `*rest`; NULL: nothing is left. */
static char *first_name(char **rest)
{
	size_t start = strspn(*rest, "/"), length = strcspn(*rest + start, "/");
	char *name = length ? xstrndup(*rest + start, length) : NULL;

	memmove(*rest, *rest + start + length, strlen(*rest + start + length) + 1);
	return name;
}

/* `*at` holds no symbolic link, so ".." is its name cut off. "/" is "" here. */
static int step(const struct trusted *trusted, char **at, char **rest, int *links, char **why)
{
	__free_text char *name = first_name(rest);
	__free_text char *next = NULL;
	struct stat st;
	int err;

	if (!name || !strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		char *slash = strrchr(*at, '/');

		if (slash)
			*slash = '\0';
		return 0;
	}
	next = xasprintf("%s/%s", *at, name);
	if (lstat(next, &st))
		return -errno;
	err = check(trusted, next, &st, why);
	if (err)
		return err;
	if (!S_ISLNK(st.st_mode)) {
		free(*at);
		*at = next;
		next = NULL;
		return 0;
	}
	if (++*links > LINKS)
		return -ELOOP;
	err = follow(next, rest);
	if (!err && (*rest)[0] == '/')
		(*at)[0] = '\0';
	return err;
}

int file_trusted(const char *path, char **why)
{
	struct trusted trusted = trusted_now();
	__free_text char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	__free_text char *rest = xasprintf("%s/%s", cwd ? cwd : "", path);
	__free_text char *at = xstrdup("");
	struct stat root;
	int links = 0, err;

	*why = NULL;
	if (path[0] != '/' && !cwd)
		return -errno;
	err = stat("/", &root) ? -errno : check(&trusted, "/", &root, why);
	while (!err && *rest)
		err = step(&trusted, &at, &rest, &links, why);
	return err;
}
