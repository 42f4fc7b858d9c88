// SPDX-License-Identifier: GPL-2.0
/* Tells which process, unit and container a socket belongs to. */
#include "loader/net/socket_owner.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/net/login.h"

#define CGROUP_LIMIT 65536
#define ID_LEAST     12 /* hexadecimal digits of a container's id, at least; as many are shown */

/* --- a path of cgroups --- */

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length >= size && !memcmp(text + length - size, end, size);
}

/* "docker:0123456789ab" of "docker-0123...scope", or NULL. */
static char *container_of(const char *part, size_t length)
{
	static const struct {
		const char *before, *kind;
	} known[] = {
		{"docker-", "docker"},	 {"libpod-", "podman"},	  {"cri-containerd-", "kubernetes"},
		{"crio-", "kubernetes"}, {"nerdctl-", "nerdctl"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		size_t before = strlen(known[i].before);

		if (length > before && !memcmp(part, known[i].before, before) &&
		    strspn(part + before, "0123456789abcdef") >= ID_LEAST)
			return xasprintf("%s:%.*s", known[i].kind, ID_LEAST, part + before);
	}
	if (length > 12 && !memcmp(part, "lxc.payload.", 12))
		return xasprintf("lxc:%.*s", (int)length - 12, part + 12);
	if (length > 14 && !memcmp(part, "machine-", 8) && ends_with(part, length, ".scope"))
		return xasprintf("machine:%.*s", (int)length - 14, part + 8);
	return NULL;
}

/* Cgroups that a container manager makes itself, without systemd: /docker/ID. */
static char *container_below(const char *before, size_t before_length, const char *part,
			     size_t length)
{
	if (before_length == 6 && !memcmp(before, "docker", 6) && length >= ID_LEAST &&
	    strspn(part, "0123456789abcdef") >= ID_LEAST)
		return xasprintf("docker:%.*s", ID_LEAST, part);
	return NULL;
}

static void read_part(const char *part, size_t length, char **unit, char **container)
{
	char *found = container_of(part, length);

	if (found) {
		free(*container);
		*container = found;
	} else if (ends_with(part, length, ".service") ||
		   (!*unit && ends_with(part, length, ".scope"))) {
		free(*unit);
		*unit = xstrndup(part, length);
	}
}

static void read_path(const char *path, char **unit, char **container)
{
	const char *before = "";
	size_t before_length = 0;

	while (*path && *path != '\n') {
		size_t length = strcspn(path, "/\n");

		if (!*container)
			*container = container_below(before, before_length, path, length);
		read_part(path, length, unit, container);
		before = path;
		before_length = length;
		path += length;
		path += *path == '/';
	}
}

void cgroup_read(const char *text, char **unit, char **container)
{
	const char *line = text, *chosen = NULL;

	*unit = *container = NULL;
	for (; *line; line = strchrnul(line, '\n'), line += *line == '\n') {
		const char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (!path || path > strchrnul(line, '\n') || path[1] != '/' || path[2] == '\n')
			continue;
		if (!strncmp(line, "0::", 3) || strstr(line, ":name=systemd:") == strchr(line, ':'))
			chosen = path + 2;
	}
	if (chosen)
		read_path(chosen, unit, container);
}

/* --- processes --- */

static void read_owner(const char *proc, pid_t pid, struct socket_owner *owner)
{
	__free_text char *name = xasprintf("%s/%d/comm", proc, (int)pid);
	__free_text char *groups = xasprintf("%s/%d/cgroup", proc, (int)pid);
	__close_file FILE *comm = fopen(name, "re");
	__close_file FILE *cgroup = fopen(groups, "re");
	char *text = xcalloc(1, CGROUP_LIMIT);

	owner->pid = pid;
	if (comm && fgets(owner->process, sizeof(owner->process), comm))
		owner->process[strcspn(owner->process, "\n")] = '\0';
	if (cgroup && fread(text, 1, CGROUP_LIMIT - 1, cgroup))
		cgroup_read(text, &owner->unit, &owner->container);
	free(text);
}

static void find_held(const char *proc, pid_t pid, const struct socket_info *socket, size_t count,
		      struct socket_owner *owner)
{
	__free_text __u32 *inode = NULL;
	size_t held = 0, i, j;

	login_sockets(proc, pid, &inode, &held);
	for (i = 0; i < count; i++) {
		if (!socket[i].inode || (owner[i].pid && owner[i].pid < pid))
			continue;
		for (j = 0; j < held && inode[j] != socket[i].inode;)
			j++;
		if (j == held)
			continue;
		free(owner[i].unit);
		free(owner[i].container);
		owner[i] = (struct socket_owner){};
		read_owner(proc, pid, &owner[i]);
	}
}

void owners_find(const char *proc, const struct socket_info *socket, size_t count,
		 struct socket_owner *owner)
{
	DIR *folder = opendir(proc);
	const struct dirent *entry;

	memset(owner, 0, count * sizeof(*owner));
	while (folder && (entry = readdir(folder))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end)
			find_held(proc, (pid_t)pid, socket, count, owner);
	}
	if (folder)
		closedir(folder);
}

void owners_free(struct socket_owner *owner, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(owner[i].unit);
		free(owner[i].container);
	}
	free(owner);
}
