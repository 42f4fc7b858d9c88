// SPDX-License-Identifier: GPL-2.0
/* Reads files below a folder as if it were /. */
#include "loader/base/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

#define PARTS	64    /* folders in a path */
#define BRACES	2     /* pairs of braces in a pattern */
#define ENTRIES 65536 /* entries of a folder that are looked at */

int root_open(const char *path, struct root *root)
{
	const char *slash = strrchr(path, '/');
	__free_text char *folder = NULL;

	*root = (struct root){.fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	if (root->fd >= 0)
		return 0;
	if (errno != ENOTDIR)
		return -errno;
	folder = slash ? xasprintf("%.*s/", (int)(slash - path), path) : xstrdup(".");
	root->fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return -errno;
	root->only = xstrdup(slash ? slash + 1 : path);
	return 0;
}

void root_close(struct root *root)
{
	fd_close(&root->fd);
	free(root->only);
	*root = (struct root){.fd = -1};
}

/* The kernel keeps symbolic links and ".." below the folder. */
static int open_below(const struct root *root, const char *path, int flags)
{
	struct open_how how = {
		/* Opening a FIFO would wait for a writer. */
		.flags = (__u64)flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY | O_NONBLOCK),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root->fd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder that match one part of a pattern, each behind the folder's path. */
static void list_folder(const struct root *root, const char *folder, const char *part,
			struct names *paths)
{
	int fd = open_below(root, folder, O_RDONLY | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct names found = {};
	struct dirent *entry;

	if (!stream) {
		fd_close(&fd);
		return;
	}
	for (size_t seen = 0; seen < ENTRIES && (entry = readdir(stream)); seen++)
		if (!fnmatch(part, entry->d_name, FNM_PERIOD | (root->windows ? FNM_CASEFOLD : 0)))
			names_add(&found, entry->d_name);
	closedir(stream);
	if (found.count)
		qsort(found.name, found.count, sizeof(*found.name), compare_names);
	for (size_t i = 0; i < found.count && paths->count < ROOT_MATCHES; i++) {
		__free_text char *path =
			xasprintf("%s%s%s", folder, *folder ? "/" : "", found.name[i]);

		names_add(paths, path);
	}
	names_free(&found);
}

/* A part without wildcards also works in a folder that cannot be listed. */
static bool is_plain(const struct root *root, const char *part)
{
	return !root->windows && !part[strcspn(part, "*?[\\")];
}

static void step(const struct root *root, const char *part, struct names *paths)
{
	struct names next = {};

	for (size_t i = 0; i < paths->count && next.count < ROOT_MATCHES; i++) {
		const char *folder = paths->name[i];
		__free_text char *path = xasprintf("%s%s%s", folder, *folder ? "/" : "", part);

		if (is_plain(root, part))
			names_add(&next, path);
		else
			list_folder(root, folder, part, &next);
	}
	names_free(paths);
	*paths = next;
}

/* Keeps only the files that exist. */
static void leave_files(const struct root *root, struct names *paths)
{
	struct names there = {};

	for (size_t i = 0; i < paths->count; i++) {
		__close_fd int fd = open_below(root, paths->name[i], O_PATH);
		struct stat status;

		if (fd >= 0 && !fstat(fd, &status) && S_ISREG(status.st_mode))
			names_add(&there, paths->name[i]);
	}
	names_free(paths);
	*paths = there;
}

/* "C:", "[CE Install Directory]": it stands for the root itself. */
static bool stands_for_root(const char *part)
{
	size_t length = strlen(part);

	return (length == 2 && part[1] == ':') ||
	       (length > 2 && *part == '[' && part[length - 1] == ']');
}

static void find_plain(const struct root *root, const char *pattern, struct names *paths)
{
	__free_text char *copy = xstrdup(pattern);
	bool windows = strchr(pattern, '\\');
	const struct root as = {.fd = root->fd, .windows = root->windows || windows};
	struct names found = {};
	char *rest = copy, *part;
	size_t parts = 0;

	names_add(&found, "");
	while ((part = strsep(&rest, windows ? "\\/" : "/")) && parts < PARTS) {
		part += strspn(part, " ");
		for (size_t end = strlen(part); end && part[end - 1] == ' ';)
			part[--end] = '\0';
		if (!*part || !strcmp(part, ".") || (!parts && stands_for_root(part)))
			continue;
		if (!strcmp(part, ".."))
			names_free(&found);
		step(&as, part, &found);
		parts++;
	}
	leave_files(root, &found);
	for (size_t i = 0; parts && i < found.count; i++) {
		__free_text char *path = xasprintf("/%s", found.name[i]);

		names_add(paths, path);
	}
	names_free(&found);
}

/* Tries each alternative of the first braces; `left`: how many more there may be. */
static void find_each(const struct root *root, const char *pattern, unsigned int left,
		      struct names *paths)
{
	const char *open = strchr(pattern, '{'), *close = open ? strchr(open, '}') : NULL;

	if (!close || !left) {
		find_plain(root, pattern, paths);
		return;
	}
	for (const char *from = open + 1, *comma; from <= close; from = comma + 1) {
		__free_text char *one = NULL;

		comma = from + strcspn(from, ",}");
		one = xasprintf("%.*s%.*s%s", (int)(open - pattern), pattern, (int)(comma - from),
				from, close + 1);
		find_each(root, one, left - 1, paths);
	}
}

void root_find(const struct root *root, const char *pattern, struct names *paths)
{
	__free_text char *only = root->only ? xasprintf("/%s", root->only) : NULL;

	if (!only)
		find_each(root, pattern, BRACES, paths);
	else if (!fnmatch(pattern, only, FNM_PATHNAME | FNM_CASEFOLD))
		names_add(paths, only);
}

int root_read(const struct root *root, const char *path, size_t limit, char **text, size_t *length)
{
	__close_fd int fd = open_below(root, path, O_RDONLY);

	return fd < 0 ? fd : read_open_file(fd, limit, text, length);
}
