/* SPDX-License-Identifier: GPL-2.0 */
/* The system calls at which faults.c stops a command, and what each is about. */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct call {
	int number;
	const char *name;
	int path;   /* which argument is a path; -1: none */
	int folder; /* which argument is the descriptor of its folder; -1: none */
	int file;   /* which argument is the descriptor of a file; -1: none */
	bool files; /* stopped at only with -w */
} calls[] = {
	{SYS_bpf, "bpf", -1, -1, -1, false},
	{SYS_unlinkat, "unlinkat", 1, 0, -1, false},
	{SYS_renameat, "renameat", 1, 0, -1, false},
	{SYS_renameat2, "renameat2", 1, 0, -1, false},
	{SYS_mkdirat, "mkdirat", 1, 0, -1, false},
	{SYS_linkat, "linkat", 1, 0, -1, false},
	{SYS_symlinkat, "symlinkat", 2, 1, -1, false},
	{SYS_mount, "mount", 1, -1, -1, false},
	{SYS_fchmod, "fchmod", -1, -1, 0, false},
	{SYS_fchmodat, "fchmodat", 1, 0, -1, false},
	{SYS_fchown, "fchown", -1, -1, 0, false},
	{SYS_fchownat, "fchownat", 1, 0, -1, false},
	{SYS_flock, "flock", -1, -1, 0, false},
	{SYS_sendto, "sendto", -1, -1, -1, false},
	{SYS_sendmsg, "sendmsg", -1, -1, -1, false},
#ifdef SYS_unlink /* not on arm64 */
	{SYS_unlink, "unlink", 0, -1, -1, false},
	{SYS_rename, "rename", 0, -1, -1, false},
	{SYS_mkdir, "mkdir", 0, -1, -1, false},
	{SYS_rmdir, "rmdir", 0, -1, -1, false},
	{SYS_link, "link", 0, -1, -1, false},
	{SYS_symlink, "symlink", 1, -1, -1, false},
	{SYS_chmod, "chmod", 0, -1, -1, false},
	{SYS_chown, "chown", 0, -1, -1, false},
	{SYS_lchown, "lchown", 0, -1, -1, false},
#endif
	{SYS_openat, "openat", 1, 0, -1, true},
	{SYS_write, "write", -1, -1, 0, true},
	{SYS_fsync, "fsync", -1, -1, 0, true},
	{SYS_pwrite64, "pwrite64", -1, -1, 0, true},
	{SYS_ftruncate, "ftruncate", -1, -1, 0, true},
	{SYS_fdatasync, "fdatasync", -1, -1, 0, true},
};

static const char *const bpf_names[] = {
	/* calls of bpf(2), by command */
	"MAP_CREATE",	     "MAP_LOOKUP_ELEM",
	"MAP_UPDATE_ELEM",   "MAP_DELETE_ELEM",
	"MAP_GET_NEXT_KEY",  "PROG_LOAD",
	"OBJ_PIN",	     "OBJ_GET",
	"PROG_ATTACH",	     "PROG_DETACH",
	"PROG_TEST_RUN",     "PROG_GET_NEXT_ID",
	"MAP_GET_NEXT_ID",   "PROG_GET_FD_BY_ID",
	"MAP_GET_FD_BY_ID",  "OBJ_GET_INFO_BY_FD",
	"PROG_QUERY",	     "RAW_TRACEPOINT_OPEN",
	"BTF_LOAD",	     "BTF_GET_FD_BY_ID",
	"TASK_FD_QUERY",     "MAP_LOOKUP_AND_DELETE_ELEM",
	"MAP_FREEZE",	     "BTF_GET_NEXT_ID",
	"MAP_LOOKUP_BATCH",  "MAP_LOOKUP_AND_DELETE_BATCH",
	"MAP_UPDATE_BATCH",  "MAP_DELETE_BATCH",
	"LINK_CREATE",	     "LINK_UPDATE",
	"LINK_GET_FD_BY_ID", "LINK_GET_NEXT_ID",
	"ENABLE_STATS",	     "ITER_CREATE",
	"LINK_DETACH",	     "PROG_BIND_MAP",
};

static const struct call *call_of(long number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* The call that a thread is about to make, or has made. */
struct stop {
	pid_t leader, thread;
	const struct call *call;
	uint64_t argument[6];
	union bpf_attr attr; /* of bpf(2) */
};

/* -1 and no text if it cannot be read. */
static ssize_t read_memory(pid_t leader, uint64_t address, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)address, length};

	return process_vm_readv(leader, &local, 1, &remote, 1, 0);
}

/* Reads single bytes at the end of a page, which may be the last one. */
static const char *read_text(pid_t leader, uint64_t address, char *text, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i++)
		if (read_memory(leader, address + i, text + i, 1) != 1 || !text[i])
			break;
	text[i] = '\0';
	return text;
}

/* The path of a descriptor of the command, or "". */
static void path_of(const struct stop *stop, int argument, char *path, size_t size)
{
	char link[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", stop->leader, (int)stop->argument[argument]);
	length = readlink(link, path, size - 1);
	path[length > 0 ? length : 0] = '\0';
}

/* Whether the call writes to a file or folder below `folder`; its path as text. */
static bool is_below(const struct stop *stop, const char *folder, char *text, size_t size)
{
	const struct call *call = stop->call;
	char path[256] = "", name[256] = "";

	if (call->number == SYS_openat && !(stop->argument[2] & (O_WRONLY | O_RDWR | O_CREAT)))
		return false;
	if (call->file >= 0)
		path_of(stop, call->file, path, sizeof(path));
	if (call->path >= 0)
		read_text(stop->leader, stop->argument[call->path], name, sizeof(name));
	if (call->folder >= 0 && *name != '/')
		path_of(stop, call->folder, path, sizeof(path));
	snprintf(text, size, "%s%s%s", path, *path && *name ? "/" : "", name);
	return !strncmp(text, folder, strlen(folder));
}

static bool is_bpf(const struct stop *stop, int command)
{
	return stop->call->number == SYS_bpf && (int)stop->argument[0] == command;
}

static bool is_tcx(const struct stop *stop)
{
	return is_bpf(stop, BPF_LINK_CREATE) && (stop->attr.link_create.attach_type == 46 ||
						 stop->attr.link_create.attach_type == 47);
}

/* Duplicates a descriptor of the command. */
static int borrow(pid_t leader, int fd)
{
	static int pidfd = -1;

	if (pidfd < 0)
		pidfd = syscall(SYS_pidfd_open, leader, 0);
	return syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static bool get_info(int fd, void *info, uint32_t length)
{
	union bpf_attr attr = {.info = {.bpf_fd = fd, .info_len = length, .info = (uintptr_t)info}};

	memset(info, 0, length);
	return !bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* The name of the map that a call is about. */
static void map_name(const struct stop *stop, char *text, size_t size)
{
	struct bpf_map_info info;
	int fd = borrow(stop->leader, stop->attr.map_fd);

	if (fd >= 0 && get_info(fd, &info, sizeof(info)))
		snprintf(text, size, "%s", info.name);
	if (fd >= 0)
		close(fd);
}

static void describe_bpf(const struct stop *stop, char *text, size_t size)
{
	switch (stop->argument[0]) {
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET: read_text(stop->leader, stop->attr.pathname, text, size); break;
	case BPF_MAP_CREATE: snprintf(text, size, "%s", stop->attr.map_name); break;
	case BPF_PROG_LOAD: snprintf(text, size, "%s", stop->attr.prog_name); break;
	case BPF_BTF_LOAD: /* libbpf loads such small programs to test what the kernel supports */
		snprintf(text, size, "%s", stop->attr.btf_size > 4096 ? "object" : "");
		break;
	case BPF_LINK_CREATE:
		snprintf(text, size, "type %u, interface %u", stop->attr.link_create.attach_type,
			 stop->attr.link_create.target_fd);
		break;
	case BPF_MAP_LOOKUP_ELEM ... BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM ... BPF_MAP_FREEZE: map_name(stop, text, size); break;
	case BPF_MAP_UPDATE_BATCH:
		snprintf(text, size, "%u entries", stop->attr.batch.count);
		break;
	}
}

static void describe(const struct stop *stop, char *text, size_t size)
{
	text[0] = '\0';
	if (stop->call->number == SYS_bpf)
		describe_bpf(stop, text, size);
	else if (stop->call->path >= 0)
		read_text(stop->leader, stop->argument[stop->call->path], text, size);
}

#endif
