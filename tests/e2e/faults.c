// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command and stops it at one of the system calls by which it changes the kernel: kills it
 * before the call, or makes the call fail.
 *
 *	faults [-n] [-i IDS] [-l LIST] [-w FOLDER] [-k POINT | -e ERROR@POINT] COMMAND...
 *
 * A point is a call and how often it was made: unlinkat:2, bpf:MAP_CREATE:7. With a + behind it (of
 * -e), each later call of the kind fails, too. Threads are followed, and counted together. Exits
 * with the command's code; 128 + N if signal N killed it; 98 if it succeeded and never reached the
 * point; 97 if it cannot be run.
 *
 *	-l LIST   writes each point and what it is about
 *	-n        a kernel without tcx: these links are refused with EINVAL, and not counted
 *	-w FOLDER only the calls that write to files below it, with openat, write, fsync and their like
 *	-i IDS    adds the ids of the maps, programs, links and BTF that the command makes
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_UNREACHED 98
#define EXIT_TROUBLE   97
#define TIME_LIMIT     60 /* seconds, for the command */
#define THREADS	       64
#define KINDS	       64

#include "tests/e2e/faults_calls.h"

static void die(const char *what)
{
	fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

/* --- what is asked for --- */

static struct {
	char *point;	    /* NULL: no such point */
	bool onward;	    /* and every later call of that kind */
	int error;	    /* 0: kill the command */
	const char *folder; /* folder of -w; NULL: all calls except those */
	bool no_tcx;
	FILE *list, *ids;
	bool reached;
} wanted;

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"ENOMEM", ENOMEM}, {"EPERM", EPERM}, {"EBUSY", EBUSY}, {"ENOSPC", ENOSPC}, {"EIO", EIO}};

static void read_error(char *text)
{
	char *at = strchr(text, '@');
	size_t i;

	for (i = 0; at && i < ARRAY_SIZE(errors); i++)
		if (!strncmp(text, errors[i].name, at - text)) {
			wanted.error = errors[i].number;
			wanted.point = at + 1;
		}
	if (wanted.error) {
		at += strlen(at) - 1;
		wanted.onward = *at == '+';
		if (wanted.onward)
			*at = '\0';
		return;
	}
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

/* The tracer stops only at these calls. */
static void install_filter(void)
{
	struct sock_filter filter[2 * ARRAY_SIZE(calls) + 2];
	struct sock_fprog program = {.filter = filter};
	size_t i, n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].files && !wanted.folder)
			continue;
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   calls[i].number, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

/* --- counting --- */

/* A loop that waits until a slot has changed is one point, however often it repeats. */
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

/* Whether the command is to be stopped at this point. */
static bool is_wanted(const char *point)
{
	const size_t kind = strrchr(point, ':') - point;

	if (!wanted.point)
		return false;
	if (!wanted.reached)
		return !strcmp(wanted.point, point);
	return wanted.onward && !strncmp(wanted.point, point, kind + 1);
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

/* The call is about to be made. Returns how to continue the thread. */
static int at_call(const struct stop *stop)
{
	char point[64], about[256];

	if (wanted.no_tcx && is_tcx(stop)) {
		skip_call(stop->thread, EINVAL);
		return PTRACE_CONT;
	}
	if (wanted.folder && !is_below(stop, wanted.folder, about, sizeof(about)))
		return PTRACE_CONT;
	if (!repeats(stop)) {
		next_point(stop, point, sizeof(point));
		if (wanted.list) {
			if (!wanted.folder)
				describe(stop, about, sizeof(about));
			fprintf(wanted.list, "%s %s\n", point, about);
		}
		if (is_wanted(point)) {
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

/* An object was made: writes down its id. */
static void write_id(const struct stop *stop, int theirs)
{
	int fd = borrow(leader, theirs);
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

	*stop = (struct stop){
		.leader = leader, .thread = thread, .call = call_of(info->seccomp.nr)};
	for (i = 0; i < ARRAY_SIZE(stop->argument); i++)
		stop->argument[i] = info->seccomp.args[i];
	if (!stop->call || stop->call->number != SYS_bpf)
		return;
	length = stop->argument[2] < sizeof(stop->attr) ? stop->argument[2] : sizeof(stop->attr);
	read_memory(leader, stop->argument[1], &stop->attr, length);
}

/*
 * The call that PTRACE_SYSCALL follows to its end in a thread. Several threads make objects at the
 * same time, so each has a call of its own. `thread` 0: no call yet.
 */
static struct stop *followed(pid_t thread)
{
	static struct stop stops[THREADS];
	struct stop *unused = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(stops); i++) {
		if (stops[i].thread == thread)
			return &stops[i];
		if (!stops[i].thread && !unused)
			unused = &stops[i];
	}
	if (!unused) {
		errno = ENOBUFS;
		die("too many threads");
	}
	return unused;
}

/* A system call begins, or (after one that makes an object) ends. */
static int at_stop(pid_t thread)
{
	struct __ptrace_syscall_info info;
	struct stop now;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0)
		return PTRACE_CONT; /* it was killed */
	if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		struct stop *made = followed(thread);

		if (info.exit.rval >= 0 && made->thread)
			write_id(made, info.exit.rval);
		made->thread = 0;
		return PTRACE_CONT;
	}
	if (info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return PTRACE_CONT;
	read_stop(thread, &info, &now);
	if (!now.call)
		return PTRACE_CONT;
	if (makes_object(&now))
		*followed(thread) = now;
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

/* A thread has stopped. Returns the signal to deliver, and in `*how` how to continue it. */
static int stopped(pid_t thread, int status, int *how)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	*how = PTRACE_CONT;
	if (event == PTRACE_EVENT_SECCOMP || signal == (SIGTRAP | 0x80))
		*how = at_stop(thread);
	else if (!event && signal != SIGSTOP) /* a new thread begins with such a stop */
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
			/* has no effect if the thread was killed meanwhile */
			ptrace(how, thread, 0, signal);
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

int main(int argc, char **argv)
{
	int option, code;

	while ((option = getopt(argc, argv, "+ni:l:w:k:e:")) >= 0) {
		switch (option) {
		case 'n': wanted.no_tcx = true; break;
		case 'i': wanted.ids = open_file(optarg, "ae"); break;
		case 'l': wanted.list = open_file(optarg, "we"); break;
		case 'w': wanted.folder = optarg; break;
		case 'k': wanted.point = optarg; break;
		case 'e': read_error(optarg); break;
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
