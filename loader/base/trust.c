// SPDX-License-Identifier: GPL-2.0
/* Checks that only root, the caller or the owner of this program can have written a file. */
#include "loader/base/trust.h"

#include <stdbool.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/shell.h"

#define LINKS 40 /* as the kernel's MAXSYMLINKS */

struct trusted {
	uid_t uid[4]; /* the first is root */
	size_t uids;
	gid_t gid;	   /* a group that can write the executable; (gid_t)-1: none can */
	char **why, **fix; /* as in file_trusted */
};

static struct trusted trusted_now(char **why, char **fix)
{
	struct trusted trusted = {
		.uid = {0, geteuid()}, .uids = 2, .gid = (gid_t)-1, .why = why, .fix = fix};
	const char *sudo = geteuid() ? NULL : getenv("SUDO_UID");
	struct stat self;
	char *end;

	if (sudo && *sudo >= '0' && *sudo <= '9') {
		unsigned long uid = strtoul(sudo, &end, 10);

		if (!*end && uid < (uid_t)-1)
			trusted.uid[trusted.uids++] = uid;
	}
	/* The owner of the executable could do anything anyway; in a source tree that is the
	 * developer. */
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

static int check(const struct trusted *trusted, const char *path, const struct stat *st)
{
	mode_t wide = st->st_mode & (S_IWGRP | S_IWOTH);
	__free_text char *word = shell_word(path);

	if (!owner_trusted(trusted, st)) {
		*trusted->why = xasprintf("refused: %s belongs to user %u, neither root nor you",
					  path, st->st_uid);
		*trusted->fix =
			xasprintf("chown %sroot %s", S_ISLNK(st->st_mode) ? "-h " : "", word);
		return -EPERM;
	}
	if (st->st_gid == trusted->gid)
		wide &= ~S_IWGRP;
	/* In a sticky folder a user can move or replace only files of his own. */
	if (!wide || S_ISLNK(st->st_mode) || (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return 0;
	*trusted->why =
		xasprintf("refused: others can write %s (mode %04o)", path, st->st_mode & 07777);
	*trusted->fix = xasprintf("chmod go-w %s", word);
	return -EPERM;
}

/* Puts the target of a symbolic link in front of `*rest`, the part of the path behind it. */
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

/* Moves the first name of `*rest` to `*at`. `*at` holds no symbolic link, so ".." cuts its last
 * name off. "/" is "". */
static int step(const struct trusted *trusted, char **at, char **rest, int *links)
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
	err = check(trusted, next, &st);
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

int file_trusted(const char *path, char **why, char **fix)
{
	struct trusted trusted = trusted_now(why, fix);
	__free_text char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
	__free_text char *rest = xasprintf("%s/%s", cwd ? cwd : "", path);
	__free_text char *at = xstrdup("");
	struct stat root;
	int links = 0, err;

	*why = NULL;
	*fix = NULL;
	if (path[0] != '/' && !cwd)
		return -errno;
	err = stat("/", &root) ? -errno : check(&trusted, "/", &root);
	while (!err && *rest)
		err = step(&trusted, &at, &rest, &links);
	return err;
}
