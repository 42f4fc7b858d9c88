// SPDX-License-Identifier: GPL-2.0
/* Whether users who are not root can pin a descriptor of a map, and so open it for writing. */
#include "loader/object/repin.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

#define DEPTH  16
#define NOBODY 65534

/* The first folder from `path` down that others can write. A symbolic link is none. */
static char *open_folder(const char *path, int depth)
{
	struct dirent *entry;
	struct stat st;
	char *found = NULL;
	DIR *dir;

	if (lstat(path, &st) || !S_ISDIR(st.st_mode))
		return NULL;
	if (st.st_uid || st.st_mode & 0022 || depth == DEPTH)
		return xstrdup(path);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		__free_text char *name = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
		    strcmp(entry->d_name, ".."))
			found = open_folder(name, depth + 1);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The mount point of a line of mountinfo (proc(5)) if a bpffs is there; it is cut out of the line.
 */
static const char *bpffs_of(char *line)
{
	char *type = strstr(line, " - bpf ");
	char *word = line;
	int i;

	for (i = 0; i < 4 && word; i++) {
		word = strchr(word, ' ');
		word = word ? word + 1 : NULL;
	}
	if (!type || !word)
		return NULL;
	word[strcspn(word, " ")] = '\0';
	return word;
}

char *repin_folder(void)
{
	__close_file FILE *mounts = fopen("/proc/self/mountinfo", "re");
	__free_text char *line = NULL;
	char *found = NULL;
	size_t size = 0;

	while (mounts && !found && getline(&line, &size, mounts) > 0) {
		const char *path = bpffs_of(line);

		if (path)
			found = open_folder(path, 0);
	}
	return found;
}

/* As an ordinary user, as far as the capabilities that are left allow. Nothing stays of the mount.
 */
static void try_mount(void)
{
	bool ordinary = geteuid() || (!setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
				      !setresuid(NOBODY, NOBODY, NOBODY));

	(void)ordinary;
	_exit(!unshare(CLONE_NEWUSER | CLONE_NEWNS) && !mount("bpf", "/", "bpf", 0, NULL));
}

bool repin_mounts(void)
{
	int status = 0;
	pid_t child = fork();

	if (!child)
		try_mount();
	/* What cannot be found out counts as possible. */
	return child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) ||
	       WEXITSTATUS(status);
}
