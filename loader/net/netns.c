// SPDX-License-Identifier: GPL-2.0
/* The network namespace of the caller. */
#include "loader/net/netns.h"

#include <dirent.h>
#include <sys/stat.h>

#include "loader/base/memory.h"

char *netns_name(void)
{
	struct stat own, other;
	struct dirent *entry;
	char *name = NULL;
	DIR *dir;

	dir = opendir("/run/netns");
	if (!dir || stat("/proc/self/ns/net", &own))
		goto out;
	while (!name && (entry = readdir(dir))) {
		__free_text char *path = xasprintf("/run/netns/%s", entry->d_name);

		if (!stat(path, &other) && other.st_ino == own.st_ino && other.st_dev == own.st_dev)
			name = xstrdup(entry->d_name);
	}
out:
	if (dir)
		closedir(dir);
	return name;
}

__u64 netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}
