// SPDX-License-Identifier: GPL-2.0
/* A filter of system calls (seccomp), for processes that read files from untrusted sources. */
#include "loader/base/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "loader/base/memory.h"

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

/* Calls for memory, for open descriptors, and to end the process. */
static const int stream_calls[] = {
	SYS_read,	  SYS_write,	       SYS_readv,	 SYS_writev,
	SYS_lseek,	  SYS_fstat,	       SYS_close,	 SYS_brk,
	SYS_mmap,	  SYS_munmap,	       SYS_mremap,	 SYS_mprotect,
	SYS_madvise,	  SYS_futex,	       SYS_getrandom,	 SYS_clock_gettime,
	SYS_gettimeofday, SYS_rt_sigreturn,    SYS_rt_sigaction, SYS_rt_sigprocmask,
	SYS_getpid,	  SYS_gettid,	       SYS_tgkill,	 SYS_exit,
	SYS_exit_group,	  SYS_restart_syscall,
};

static const int file_calls[] = {
	SYS_openat,
	SYS_openat2,
	SYS_newfstatat,
	SYS_statx,
	SYS_faccessat,
	SYS_readlinkat,
	SYS_pread64,
	SYS_getdents64,
	SYS_fcntl,
	SYS_dup,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getcwd,
	SYS_uname,
	SYS_prlimit64,
	SYS_fadvise64,
	SYS_sched_getaffinity,
#ifdef SYS_open /* not on arm64 */
	SYS_open,
	SYS_stat,
	SYS_lstat,
	SYS_access,
	SYS_readlink,
#endif
};

#define CHECKS (ARRAY_SIZE(stream_calls) + ARRAY_SIZE(file_calls))

struct program {
	struct sock_filter step[4 + 2 * CHECKS + 2 + 1];
	unsigned short steps;
};

static void add(struct program *program, struct sock_filter step)
{
	program->step[program->steps++] = step;
}

static void answer(struct program *program, int call, unsigned int action)
{
	add(program,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)call, 0, 1));
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void allow(struct program *program, const int *call, size_t count)
{
	for (size_t i = 0; i < count; i++)
		answer(program, call[i], SECCOMP_RET_ALLOW);
}

static int install(const struct program *program)
{
	struct sock_fprog filter = {.len = program->steps,
				    .filter = (struct sock_filter *)program->step};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
			       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) ?
		       -errno :
		       0;
}

int confine_calls(enum confined to)
{
#if defined(MACHINE) && !defined(__SANITIZE_ADDRESS__)
	const struct sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	struct program program = {};

	add(&program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, arch)));
	add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0));
	add(&program, kill);
	add(&program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr)));
	allow(&program, stream_calls, ARRAY_SIZE(stream_calls));
	if (to == CONFINED_FILES) {
		allow(&program, file_calls, ARRAY_SIZE(file_calls));
		/* For names of users and groups the C library asks nscd first; without it, it reads
		 * files. */
		answer(&program, SYS_socket, SECCOMP_RET_ERRNO | EACCES);
	}
	add(&program, kill);
	return install(&program);
#else
	(void)to;
	(void)install;
	(void)allow;
	return 0;
#endif
}
