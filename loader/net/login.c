// SPDX-License-Identifier: GPL-2.0
/* Tells logins from other connections, by the processes that hold the sockets. */
#include "loader/net/login.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

#define FILE_LIMIT  65536 /* bytes of a file of /proc */
#define DESCENDANTS 1024  /* processes below a socket's holder that are looked at */
#define DYNAMIC_MIN 61184 /* systemd's range for DynamicUser=; accounts of people are not in it */
#define DYNAMIC_MAX 65519
#define LAST_SYSTEM 999 /* where login.defs says nothing */

/* --- accounts --- */

/* The number after a word at the start of a line, as in "Uid:\t0\t..." or "SYS_UID_MAX 999". */
static bool read_number(const char *text, const char *word, long long *number)
{
	const char *line = text;
	size_t length = strlen(word);

	for (; line; line = strchr(line, '\n'), line += line ? 1 : 0)
		if (!strncmp(line, word, length) && strspn(line + length, " \t"))
			return sscanf(line + length, "%lld", number) == 1;
	return false;
}

__u32 login_last_system(const char *text)
{
	long long number;

	if (read_number(text, "SYS_UID_MAX", &number) && number >= 0 && number < DYNAMIC_MIN)
		return number;
	if (read_number(text, "UID_MIN", &number) && number > 0 && number < DYNAMIC_MIN)
		return number - 1;
	return LAST_SYSTEM;
}

static __u32 read_last_system(void)
{
	__free_text char *text = NULL;
	size_t length;

	return read_file("/etc/login.defs", FILE_LIMIT, &text, &length) ? LAST_SYSTEM :
									  login_last_system(text);
}

bool login_is_system(__u32 uid)
{
	static __u32 last = LOGIN_UID_NONE;

	if (last == LOGIN_UID_NONE)
		last = read_last_system();
	return uid <= last || (uid >= DYNAMIC_MIN && uid <= DYNAMIC_MAX);
}

/* --- a process --- */

/* The content of a file of a process; NULL: missing or unreadable. The caller frees. */
static char *process_file(const char *proc, pid_t pid, const char *name)
{
	__free_text char *path = xasprintf("%s/%d/%s", proc, pid, name);
	char *text = NULL;
	size_t length;

	return read_file(path, FILE_LIMIT, &text, &length) ? NULL : text;
}

/* loginuid or sessionid; LOGIN_UID_NONE: not set, or the kernel has no such file. */
static __u32 audit_number(const char *proc, pid_t pid, const char *name)
{
	__free_text char *text = process_file(proc, pid, name);

	return text && *text ? strtoul(text, NULL, 10) : LOGIN_UID_NONE;
}

__u32 login_uid(const char *proc, pid_t pid)
{
	return audit_number(proc, pid, "loginuid");
}

/*
 * "session-3.scope" of ".../user.slice/user-0.slice/session-3.scope", as sd_pid_get_session(3)
 * finds it: the first part that is no slice. A user may make folders of that name only below
 * user@UID.service. Empty: none. The caller frees.
 */
static char *session_scope(const char *proc, pid_t pid)
{
	__free_text char *text = process_file(proc, pid, "cgroup");
	char *line = text, *rest, *part;

	while (line) {
		rest = strsep(&line, "\n");
		/* "0::PATH", or "1:name=systemd:PATH" beside version 1. */
		if (strncmp(rest, "0::/", 4) && !strstr(rest, ":name=systemd:/"))
			continue;
		rest = strchr(rest, '/');
		while ((part = strsep(&rest, "/"))) {
			size_t length = strlen(part);

			if (!length || (length > 6 && !strcmp(part + length - 6, ".slice")))
				continue;
			if (!strncmp(part, "session-", 8) && length > 14 &&
			    !strcmp(part + length - 6, ".scope"))
				return xstrdup(part);
			break;
		}
	}
	return xstrdup("");
}

void login_sockets(const char *proc, pid_t pid, __u32 **inode, size_t *count)
{
	__free_text char *path = xasprintf("%s/%d/fd", proc, pid);
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char target[64];
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		unsigned long number;

		target[length > 0 ? length : 0] = '\0';
		if (sscanf(target, "socket:[%lu]", &number) != 1 || !number)
			continue;
		*inode = grow(*inode, *count, sizeof(**inode));
		(*inode)[(*count)++] = number;
	}
	if (dir)
		closedir(dir);
}

/* --- processes that hold sockets --- */

/* A process that holds one of the wanted sockets. */
struct holder {
	__u32 inode;
	pid_t pid;
};

/* A process that holds a server's socket. */
struct keeper {
	pid_t pid;
	__u16 port;
};

struct search {
	const char *proc;
	__u32 *wanted; /* inodes, sorted */
	size_t count;
	struct holder *holder; /* sorted by inode */
	size_t holders;
	struct keeper *keeper;
	size_t keepers;
};

static int compare_inodes(const void *a, const void *b)
{
	__u32 left = *(const __u32 *)a, right = *(const __u32 *)b;

	return left < right ? -1 : left > right;
}

static void want(struct search *search, __u32 inode)
{
	if (!inode)
		return;
	search->wanted = grow(search->wanted, search->count, sizeof(*search->wanted));
	search->wanted[search->count++] = inode;
}

static bool is_system_process(const char *proc, pid_t pid)
{
	__free_text char *text = process_file(proc, pid, "status");
	long long uid;

	return text && read_number(text, "Uid:", &uid) && login_is_system(uid);
}

static void look_at_process(struct search *search, pid_t pid)
{
	__u32 *inode = NULL;
	size_t count = 0, i;

	if (!is_system_process(search->proc, pid))
		return;
	login_sockets(search->proc, pid, &inode, &count);
	for (i = 0; i < count; i++) {
		if (!bsearch(&inode[i], search->wanted, search->count, sizeof(*inode),
			     compare_inodes))
			continue;
		search->holder = grow(search->holder, search->holders, sizeof(*search->holder));
		search->holder[search->holders++] = (struct holder){inode[i], pid};
	}
	free(inode);
}

static void look_at_processes(struct search *search)
{
	DIR *dir = opendir(search->proc);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0)
			look_at_process(search, pid);
	}
	if (dir)
		closedir(dir);
	/* The first member is the inode. */
	if (search->holders)
		qsort(search->holder, search->holders, sizeof(*search->holder), compare_inodes);
}

static size_t first_holder(const struct search *search, __u32 inode)
{
	size_t low = 0, high = search->holders;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (search->holder[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note_keepers(struct search *search, const struct socket_info *server)
{
	size_t i;

	for (i = first_holder(search, server->inode);
	     server->inode && i < search->holders && search->holder[i].inode == server->inode;
	     i++) {
		search->keeper = grow(search->keeper, search->keepers, sizeof(*search->keeper));
		search->keeper[search->keepers++] =
			(struct keeper){search->holder[i].pid, server->local_port};
	}
}

static bool holds_server(const struct search *search, pid_t pid, __u16 port)
{
	size_t i;

	for (i = 0; i < search->keepers; i++)
		if (search->keeper[i].pid == pid && search->keeper[i].port == port)
			return true;
	return false;
}

/* --- logins --- */

/*
 * True if a process that holds the server's socket is in the same session: then the session belongs
 * to the server and is not a login.
 */
static bool is_servers(const struct search *search, __u16 port, __u32 session, const char *scope)
{
	size_t i;

	for (i = 0; i < search->keepers; i++) {
		const struct keeper *keeper = &search->keeper[i];
		__free_text char *own = NULL;

		if (keeper->port != port)
			continue;
		if (!scope) {
			if (audit_number(search->proc, keeper->pid, "sessionid") == session)
				return true;
			continue;
		}
		own = session_scope(search->proc, keeper->pid);
		if (!strcmp(own, scope))
			return true;
	}
	return false;
}

static bool is_logged_in(const struct search *search, pid_t pid, __u16 port)
{
	__u32 session = audit_number(search->proc, pid, "sessionid");
	__free_text char *scope = NULL;

	if (session != LOGIN_UID_NONE && !is_servers(search, port, session, NULL))
		return true;
	scope = session_scope(search->proc, pid);
	return *scope && !is_servers(search, port, 0, scope);
}

/* The process or the first of its descendants that is logged in; 0: none. */
static pid_t find_logged_in(const struct search *search, pid_t top, __u16 port)
{
	pid_t *list = grow(NULL, 0, sizeof(*list)), found = 0;
	size_t count = 1, at;

	list[0] = top;
	for (at = 0; at < count && !found; at++) {
		__free_text char *name = xasprintf("task/%d/children", list[at]);
		__free_text char *children = NULL;
		char *rest, *end;
		pid_t pid;

		if (is_logged_in(search, list[at], port)) {
			found = list[at];
			break;
		}
		children = process_file(search->proc, list[at], name);
		for (rest = children; rest && count < DESCENDANTS; rest = end) {
			pid = strtol(rest, &end, 10);
			if (end == rest)
				break;
			list = grow(list, count, sizeof(*list));
			list[count++] = pid;
		}
	}
	free(list);
	return found;
}

static void ask(const struct search *search, struct login *login)
{
	__u32 inode = login->session->inode;
	__u16 port = login->session->local_port;
	size_t i;

	for (i = first_holder(search, inode);
	     !login->found && i < search->holders && search->holder[i].inode == inode; i++) {
		pid_t pid = search->holder[i].pid;

		/* Skip PID 1: every process descends from it. */
		if (pid == 1 || holds_server(search, pid, port))
			continue;
		pid = find_logged_in(search, pid, port);
		login->found = pid;
		if (pid)
			login->uid = login_uid(search->proc, pid);
	}
}

void logins_find(const char *proc, const struct socket_info *server, size_t servers,
		 struct login *login, size_t count)
{
	struct search search = {.proc = proc};
	size_t i, j;

	for (i = 0; i < count; i++) {
		login[i].found = false;
		login[i].uid = LOGIN_UID_NONE;
		want(&search, login[i].session->inode);
	}
	if (!search.count)
		return;
	for (i = 0; i < servers; i++)
		for (j = 0; j < count; j++)
			if (server[i].protocol == login[j].session->protocol &&
			    server[i].local_port == login[j].session->local_port) {
				want(&search, server[i].inode);
				break;
			}
	qsort(search.wanted, search.count, sizeof(*search.wanted), compare_inodes);
	look_at_processes(&search);
	for (i = 0; i < servers; i++)
		note_keepers(&search, &server[i]);
	for (i = 0; i < count; i++)
		if (login[i].session->inode)
			ask(&search, &login[i]);
	free(search.wanted);
	free(search.holder);
	free(search.keeper);
}
