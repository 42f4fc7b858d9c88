// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command and stops it at one of the system calls by which it changes the kernel: kills it
 * before the call is made, or lets the call fail without making it.
 *
 *	faults [-n] [-i IDS] [-l LIST] [-k POINT | -e ERROR@POINT] COMMAND...
 *	faults -w IDS [COUNT]
 *
 * A point is a call and how often it was made: unlinkat:2, bpf:MAP_CREATE:7. Threads are followed,
 * and counted together. Exits as the command does, with 128 + N if signal N killed it, 98 if it did
 * well and never came to the point, 97 if it cannot be run.
 *
 *	-l LIST   writes each point and what it is about
 *	-n        a kernel without tcx: these links are refused with EINVAL, and not counted
 *	-i IDS    adds the ids of the maps, programs, links and BTF that the command makes
 *	-w IDS    waits until no more than COUNT (0) of these are left, 3 s at most; else prints
 *them. Only what is left remains in IDS
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_UNREACHED 98
#define EXIT_TROUBLE   97
#define TIME_LIMIT     60 /* seconds, for the command */
#define WAIT_LIMIT     3
#define THREADS	       64
#define KINDS	       64

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void die(const char *what)
{
	fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

/* --- the calls that count --- */

static const struct call {
	int number;
	const char *name;
	int path; /* which argument is one, -1: none */
} calls[] = {
	{SYS_bpf, "bpf", -1},
	{SYS_unlinkat, "unlinkat", 1},
	{SYS_renameat, "renameat", 1},
	{SYS_renameat2, "renameat2", 1},
	{SYS_mkdirat, "mkdirat", 1},
	{SYS_linkat, "linkat", 1},
	{SYS_symlinkat, "symlinkat", 0},
	{SYS_mount, "mount", 1},
	{SYS_fchmod, "fchmod", -1},
	{SYS_fchmodat, "fchmodat", 1},
	{SYS_fchown, "fchown", -1},
	{SYS_fchownat, "fchownat", 1},
	{SYS_flock, "flock", -1},
	{SYS_sendto, "sendto", -1},
	{SYS_sendmsg, "sendmsg", -1},
#ifdef SYS_unlink /* not on arm64 */
	{SYS_unlink, "unlink", 0},
	{SYS_rename, "rename", 0},
	{SYS_mkdir, "mkdir", 0},
	{SYS_rmdir, "rmdir", 0},
	{SYS_link, "link", 0},
	{SYS_symlink, "symlink", 0},
	{SYS_chmod, "chmod", 0},
	{SYS_chown, "chown", 0},
	{SYS_lchown, "lchown", 0},
#endif
};

static const char *const bpf_names[] = { /* by command */
	"MAP_CREATE", "MAP_LOOKUP_ELEM", "MAP_UPDATE_ELEM", "MAP_DELETE_ELEM", "MAP_GET_NEXT_KEY",
	"PROG_LOAD", "OBJ_PIN", "OBJ_GET", "PROG_ATTACH", "PROG_DETACH", "PROG_TEST_RUN",
	"PROG_GET_NEXT_ID", "MAP_GET_NEXT_ID", "PROG_GET_FD_BY_ID", "MAP_GET_FD_BY_ID",
	"OBJ_GET_INFO_BY_FD", "PROG_QUERY", "RAW_TRACEPOINT_OPEN", "BTF_LOAD", "BTF_GET_FD_BY_ID",
	"TASK_FD_QUERY", "MAP_LOOKUP_AND_DELETE_ELEM", "MAP_FREEZE", "BTF_GET_NEXT_ID",
	"MAP_LOOKUP_BATCH", "MAP_LOOKUP_AND_DELETE_BATCH", "MAP_UPDATE_BATCH", "MAP_DELETE_BATCH",
	"LINK_CREATE", "LINK_UPDATE", "LINK_GET_FD_BY_ID", "LINK_GET_NEXT_ID", "ENABLE_STATS",
	"ITER_CREATE", "LINK_DETACH", "PROG_BIND_MAP",
};

static const struct call *call_of(long number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* The tracer is told of these calls, and of no others. */
static void install_filter(void)
{
	struct sock_filter filter[2 * ARRAY_SIZE(calls) + 2];
	struct sock_fprog program = {.filter = filter};
	size_t i, n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   calls[i].number, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

/* --- what is asked for --- */

static struct {
	const char *point; /* NULL: none */
	int error;	   /* 0: kill */
	bool no_tcx;
	FILE *list, *ids;
	bool reached;
} wanted;

static const struct {
	const char *name;
	int number;
} errors[] = {{"ENOMEM", ENOMEM}, {"EPERM", EPERM}, {"EBUSY", EBUSY}};

static void read_error(char *text)
{
	char *at = strchr(text, '@');
	size_t i;

	for (i = 0; at && i < ARRAY_SIZE(errors); i++)
		if (!strncmp(text, errors[i].name, at - text)) {
			wanted.error = errors[i].number;
			wanted.point = at + 1;
		}
	if (wanted.error)
		return;
	fprintf(stderr, "faults: not ERROR@POINT, or an error unknown here: %s\n", text);
	exit(EXIT_TROUBLE);
}

static FILE *open_file(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		die(path);
	return file;
}

/* --- the command --- */

static pid_t leader;

/* What a thread is about to do, or has done. */
struct stop {
	pid_t thread;
	const struct call *call;
	uint64_t argument[6];
	union bpf_attr attr; /* of bpf(2) */
};

/* -1 and nothing if it cannot be read. */
static ssize_t read_memory(uint64_t address, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)address, length};

	return process_vm_readv(leader, &local, 1, &remote, 1, 0);
}

/* Byte by byte past a page's end, which may be the last one. */
static const char *read_text(uint64_t address, char *text, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i++)
		if (read_memory(address + i, text + i, 1) != 1 || !text[i])
			break;
	text[i] = '\0';
	return text;
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

/* A descriptor of the command, as one of ours. */
static int borrow(int fd)
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
	int fd = borrow(stop->attr.map_fd);

	if (fd >= 0 && get_info(fd, &info, sizeof(info)))
		snprintf(text, size, "%s", info.name);
	if (fd >= 0)
		close(fd);
}

static void describe_bpf(const struct stop *stop, char *text, size_t size)
{
	switch (stop->argument[0]) {
	case BPF_OBJ_PIN:
	case BPF_OBJ_GET: read_text(stop->attr.pathname, text, size); break;
	case BPF_MAP_CREATE: snprintf(text, size, "%s", stop->attr.map_name); break;
	case BPF_PROG_LOAD: snprintf(text, size, "%s", stop->attr.prog_name); break;
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
		read_text(stop->argument[stop->call->path], text, size);
}

/* --- counting --- */

/* A loop that looks until a slot has changed is one point, however often it goes round. */
static bool repeats(const struct stop *stop)
{
	static struct {
		pid_t thread;
		union bpf_attr attr;
	} last[THREADS];
	bool same, lookup = is_bpf(stop, BPF_MAP_LOOKUP_ELEM);
	size_t i;

	for (i = 0; i + 1 < THREADS && last[i].thread && last[i].thread != stop->thread; i++)
		;
	same = lookup && last[i].thread == stop->thread &&
	       !memcmp(&last[i].attr, &stop->attr, sizeof(stop->attr));
	last[i].thread = stop->thread;
	memset(&last[i].attr, 0xff, sizeof(last[i].attr));
	if (lookup)
		last[i].attr = stop->attr;
	return same;
}

/* Writes the point of this call, and counts it. */
static void next_point(const struct stop *stop, char *point, size_t size)
{
	static struct {
		char name[48];
		unsigned int count;
	} kinds[KINDS];
	char name[48];
	unsigned int command = stop->argument[0];
	size_t i;

	if (stop->call->number != SYS_bpf)
		snprintf(name, sizeof(name), "%s", stop->call->name);
	else if (command < ARRAY_SIZE(bpf_names))
		snprintf(name, sizeof(name), "bpf:%s", bpf_names[command]);
	else
		snprintf(name, sizeof(name), "bpf:%u", command);
	for (i = 0; i + 1 < KINDS && kinds[i].count && strcmp(kinds[i].name, name); i++)
		;
	memcpy(kinds[i].name, name, sizeof(name));
	snprintf(point, size, "%s:%u", name, ++kinds[i].count);
}

/* --- stops --- */

static void skip_call(pid_t thread, int error)
{
#if defined(__x86_64__)
	const size_t number = 15 * 8, result = 10 * 8; /* orig_rax, rax in struct user */

	if (ptrace(PTRACE_POKEUSER, thread, number, -1L) ||
	    ptrace(PTRACE_POKEUSER, thread, result, (long)-error))
		die("cannot skip a call");
#elif defined(__aarch64__)
	long registers[34];
	int number = -1;
	struct iovec all = {registers, sizeof(registers)}, call = {&number, sizeof(number)};

	if (ptrace(PTRACE_GETREGSET, thread, 1 /* NT_PRSTATUS */, &all))
		die("cannot skip a call");
	registers[0] = -error;
	if (ptrace(PTRACE_SETREGSET, thread, 1, &all) ||
	    ptrace(PTRACE_SETREGSET, thread, 0x404 /* NT_ARM_SYSTEM_CALL */, &call))
		die("cannot skip a call");
#else
#error "how is a system call skipped here?"
#endif
}

static bool makes_object(const struct stop *stop)
{
	return is_bpf(stop, BPF_MAP_CREATE) || is_bpf(stop, BPF_PROG_LOAD) ||
	       is_bpf(stop, BPF_LINK_CREATE) || is_bpf(stop, BPF_BTF_LOAD);
}

/* The call is about to be made. Returns how the thread goes on. */
static int at_call(const struct stop *stop)
{
	char point[64], about[256];

	if (wanted.no_tcx && is_tcx(stop)) {
		skip_call(stop->thread, EINVAL);
		return PTRACE_CONT;
	}
	if (!repeats(stop)) {
		next_point(stop, point, sizeof(point));
		describe(stop, about, sizeof(about));
		if (wanted.list)
			fprintf(wanted.list, "%s %s\n", point, about);
		if (wanted.point && !wanted.reached && !strcmp(wanted.point, point)) {
			wanted.reached = true;
			if (wanted.error)
				skip_call(stop->thread, wanted.error);
			else
				kill(leader, SIGKILL);
			return PTRACE_CONT;
		}
	}
	return wanted.ids && makes_object(stop) ? PTRACE_SYSCALL : PTRACE_CONT;
}

/* An object was made: its id is written down. */
static void write_id(const struct stop *stop, int theirs)
{
	int fd = borrow(theirs);
	union {
		struct bpf_map_info map;
		struct bpf_prog_info program;
		struct bpf_link_info link;
		struct bpf_btf_info btf;
	} info;

	if (fd < 0)
		return; /* closed by another thread */
	if (is_bpf(stop, BPF_MAP_CREATE) && get_info(fd, &info, sizeof(info.map)))
		fprintf(wanted.ids, "map %u :%s\n", info.map.id, info.map.name);
	else if (is_bpf(stop, BPF_PROG_LOAD) && get_info(fd, &info, sizeof(info.program)))
		fprintf(wanted.ids, "program %u :%s\n", info.program.id, info.program.name);
	else if (is_bpf(stop, BPF_LINK_CREATE) && get_info(fd, &info, sizeof(info.link)))
		fprintf(wanted.ids, "link %u type-%u\n", info.link.id, info.link.type);
	else if (is_bpf(stop, BPF_BTF_LOAD) && get_info(fd, &info, sizeof(info.btf)))
		fprintf(wanted.ids, "btf %u -\n", info.btf.id);
	close(fd);
}

static void read_stop(pid_t thread, const struct __ptrace_syscall_info *info, struct stop *stop)
{
	size_t i, length;

	*stop = (struct stop){.thread = thread, .call = call_of(info->seccomp.nr)};
	for (i = 0; i < ARRAY_SIZE(stop->argument); i++)
		stop->argument[i] = info->seccomp.args[i];
	if (!stop->call || stop->call->number != SYS_bpf)
		return;
	length = stop->argument[2] < sizeof(stop->attr) ? stop->argument[2] : sizeof(stop->attr);
	read_memory(stop->argument[1], &stop->attr, length);
}

/* A system call begins, or (after one that makes an object) ends. */
static int at_stop(pid_t thread)
{
	struct __ptrace_syscall_info info;
	static struct stop stop; /* of the call that PTRACE_SYSCALL follows */
	struct stop now;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0)
		return PTRACE_CONT; /* it was killed */
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		if (info.exit.rval >= 0 && thread == stop.thread)
			write_id(&stop, info.exit.rval);
		return PTRACE_CONT;
	}
	if (info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return PTRACE_CONT;
	read_stop(thread, &info, &now);
	if (!now.call)
		return PTRACE_CONT;
	if (makes_object(&now))
		stop = now;
	return at_call(&now);
}

/* --- running it --- */

static void start(char **command)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status;

	leader = fork();
	if (leader < 0)
		die("fork");
	if (!leader) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			die("ptrace");
		raise(SIGSTOP);
		install_filter();
		execvp(command[0], command);
		die(command[0]);
	}
	if (waitpid(leader, &status, 0) != leader || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, leader, 0, options) || ptrace(PTRACE_CONT, leader, 0, 0))
		die("ptrace");
}

/* A thread has stopped: the signal it gets, and in `*how` how it goes on. */
static int stopped(pid_t thread, int status, int *how)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	*how = PTRACE_CONT;
	if (event == PTRACE_EVENT_SECCOMP || signal == (SIGTRAP | 0x80))
		*how = at_stop(thread);
	else if (!event && signal != SIGSTOP) /* a new thread begins with one */
		return signal;
	return 0;
}

static int follow(void)
{
	int status, how, signal;
	pid_t thread;

	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			signal = stopped(thread, status, &how);
			ptrace(how, thread, 0, signal); /* in vain if it was killed meanwhile */
		} else if (thread == leader) {
			if (WIFSIGNALED(status))
				return 128 + WTERMSIG(status);
			if (!WEXITSTATUS(status) && wanted.point && !wanted.reached)
				return EXIT_UNREACHED;
			return WEXITSTATUS(status);
		}
	}
	die("wait");
	return EXIT_TROUBLE;
}

/* --- what is left --- */

static bool is_there(const char *kind, unsigned int id)
{
	static const struct {
		const char *kind;
		int command;
	} ways[] = {{"map", BPF_MAP_GET_FD_BY_ID},
		    {"program", BPF_PROG_GET_FD_BY_ID},
		    {"link", BPF_LINK_GET_FD_BY_ID},
		    {"btf", BPF_BTF_GET_FD_BY_ID}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		union bpf_attr attr = {.map_id = id};
		int fd;

		if (strcmp(kind, ways[i].kind))
			continue;
		fd = bpf(ways[i].command, &attr);
		if (fd < 0 && errno != ENOENT)
			die("cannot look up an id");
		if (fd >= 0)
			close(fd);
		return fd >= 0;
	}
	fprintf(stderr, "faults: what is a %s?\n", kind);
	exit(EXIT_TROUBLE);
}

/* Reads what is left of those in `path`: how many, and the text. */
static unsigned int read_left(const char *path, char **text)
{
	char kind[16], name[32];
	FILE *ids = open_file(path, "re"), *lines;
	unsigned int id, left = 0;
	size_t size;

	lines = open_memstream(text, &size);
	while (lines && fscanf(ids, "%15s %u %31s", kind, &id, name) == 3)
		if (is_there(kind, id)) {
			fprintf(lines, "%s %u %s\n", kind, id, name);
			left++;
		}
	if (!lines || fclose(lines) || fclose(ids))
		die(path);
	return left;
}

/* The kernel frees late: after a grace period, in a worker. */
static int await_few(const char *path, unsigned int count)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	FILE *ids;
	char *text;
	int i;

	for (i = 0; i < WAIT_LIMIT * 100 && read_left(path, &text) > count; i++) {
		free(text);
		nanosleep(&pause, NULL);
	}
	if (i == WAIT_LIMIT * 100) {
		read_left(path, &text);
		fputs(text, stdout);
		return EXIT_FAILURE;
	}
	ids = open_file(path, "we");
	if (fputs(text, ids) < 0 || fclose(ids))
		die(path);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	int option, code;

	while ((option = getopt(argc, argv, "+ni:l:k:e:w:")) >= 0) {
		switch (option) {
		case 'n': wanted.no_tcx = true; break;
		case 'i': wanted.ids = open_file(optarg, "ae"); break;
		case 'l': wanted.list = open_file(optarg, "we"); break;
		case 'k': wanted.point = optarg; break;
		case 'e': read_error(optarg); break;
		case 'w': return await_few(optarg, argv[optind] ? atoi(argv[optind]) : 0);
		default: return EXIT_TROUBLE;
		}
	}
	if (optind == argc) {
		fprintf(stderr, "faults: what is to be run?\n");
		return EXIT_TROUBLE;
	}
	alarm(TIME_LIMIT);
	start(argv + optind);
	code = follow();
	if ((wanted.list && fclose(wanted.list)) || (wanted.ids && fclose(wanted.ids)))
		die("cannot write");
	return code;
}
