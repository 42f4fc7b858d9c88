// SPDX-License-Identifier: GPL-2.0
/*
 * Finds folders in which users who are not root could pin a map again, and so open it for writing.
 */
#include "loader/object/repin.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/shell.h"

#define DEPTH 16

/* The first folder on the way down from `path` that others can write. A symbolic link is not a
 * folder. */
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

/* Decodes a name of mountinfo, in which \040 is a space. */
static void unescape(char *name)
{
	char *to = name;
	unsigned int code;

	for (; *name; name++)
		if (name[0] == '\\' && sscanf(name + 1, "%3o", &code) == 1) {
			*to++ = code;
			name += 3;
		} else {
			*to++ = *name;
		}
	*to = '\0';
}

/*
 * The mount point in a line of mountinfo (proc(5)) if a bpffs is mounted there, as a part of the
 * line; else NULL.
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
	unescape(word);
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

char *repin_fix(const char *folder)
{
	__free_text char *word = shell_word(folder);
	struct stat st;
	bool others = !lstat(folder, &st) && st.st_uid;

	return others ? xasprintf("chown root %s && chmod 0700 %s", word, word) :
			xasprintf("chmod 0700 %s", word);
}
