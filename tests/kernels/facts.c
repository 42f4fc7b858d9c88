// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel features on which the filter depends, and what the verifier says about the programs:
 * one "name: value" on each line. They are loaded by the loader's own filter_load; the linker puts
 * this file between it and libbpf (-Wl,--wrap=bpf_object__load), and takes the thread away, which
 * keeps no log.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/filter/filter.h"
#include "loader/filter/kernel_memory.h"
#include "loader/filter/load.h"
#include "loader/object/beside.h"

#define LOG_STATS   4 /* BPF_LOG_STATS of the kernel's bpf_verifier.h: only figures */
#define LOG_WORDS   1 /* BPF_LOG_LEVEL1: every instruction */
#define LOG_SIZE    (16 << 20)
#define TCX_INGRESS 46 /* enum bpf_attach_type of 6.6; older headers lack it */

#define PROGRAMS 8

/* The verifier's log of each program. */
static struct {
	char name[32];
	char *log;
} said[PROGRAMS];
static size_t programs;
static bool in_words;

int __real_bpf_object__load(struct bpf_object *object);
int __wrap_bpf_object__load(struct bpf_object *object);
struct beside *__wrap_beside_begin(void);

struct beside *__wrap_beside_begin(void)
{
	return NULL;
}

int __wrap_bpf_object__load(struct bpf_object *object)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		if (programs == PROGRAMS)
			return -E2BIG;
		snprintf(said[programs].name, sizeof(said[programs].name), "%s",
			 bpf_program__name(program));
		said[programs].log = xcalloc(1, LOG_SIZE);
		bpf_program__set_log_buf(program, said[programs++].log, LOG_SIZE);
		bpf_program__set_log_level(program, in_words ? LOG_WORDS | LOG_STATS : LOG_STATS);
	}
	return __real_bpf_object__load(object);
}

static void tell(const char *name, bool yes)
{
	printf("%s: %s\n", name, yes ? "yes" : "no");
}

static int load_empty(enum bpf_prog_type type, enum bpf_attach_type attach, __u32 flags)
{
	const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 2 /* XDP_PASS */},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach,
		    .prog_flags = flags);

	return bpf_prog_load(type, "empty", "GPL", empty, ARRAY_SIZE(empty), &options);
}

/* libbpf refuses attach types that it does not know, so this makes the system call itself. */
static bool has_tcx(void)
{
	__close_fd int program = load_empty(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	LIBBPF_OPTS(bpf_link_create_opts, options);
	__close_fd int link =
		bpf_link_create(program, (int)if_nametoindex("lo"), TCX_INGRESS, &options);

	return link >= 0;
}

static bool runs(__u32 flags, bool context, __u32 run_flags)
{
	__close_fd int program = load_empty(BPF_PROG_TYPE_XDP, 0, flags);
	static char frame[64];
	struct xdp_md md = {.data_end = sizeof(frame)};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1, .flags = run_flags);

	if (context) {
		options.ctx_in = &md;
		options.ctx_size_in = sizeof(md);
	}
	if (program < 0 || bpf_prog_test_run_opts(program, &options))
		return false;
	/* Kernels that do not know the flag ignore it, and return the verdict. */
	return !run_flags || options.retval != XDP_PASS;
}

static void say_features(void)
{
	tell("xdp.frags", runs(BPF_F_XDP_HAS_FRAGS, false, 0));
	tell("tcx link", has_tcx());
	tell("ring buffer", libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1);
	tell("skc_lookup_tcp in XDP",
	     libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp, NULL) == 1);
	tell("skc_lookup_tcp in TC",
	     libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skc_lookup_tcp, NULL) == 1);
	tell("timer", libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_timer_init, NULL) == 1);
	tell("loop helper", libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_loop, NULL) == 1);
	tell("test run", runs(0, false, 0));
	tell("test run with context", runs(0, true, 0));
	tell("test run, live frames", runs(0, false, BPF_F_TEST_XDP_LIVE_FRAMES));
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The lines of a log with figures; if the program was refused, the verifier's last lines. */
static void say_log(const char *name, char *log, bool refused)
{
	size_t length = strlen(log);
	const char *from = log;
	char *line, *rest = log;

	if (in_words || refused) {
		if (!in_words && length > 4096)
			from += length - 4096;
		fputs(from, stdout);
		return;
	}
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("verifier, %s: %s\n", name, line);
}

static void say_size(const char *name, int program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (!bpf_obj_get_info_by_fd(program, &info, &length))
		printf("program %s: %zu instructions, JIT %u bytes\n", name,
		       (size_t)info.xlated_prog_len / sizeof(struct bpf_insn), info.jited_prog_len);
}

static int say_verifier(void)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE, explaining = FILTER_NONE;
	double start = milliseconds();
	int err = filter_load(&filter, PC_FRAME_ETHERNET);
	size_t i;

	printf("load: %s, %.0f ms with its maps\n", err ? strerror(-err) : "done",
	       milliseconds() - start);
	if (!err) {
		start = milliseconds();
		err = filter_load_explaining(&explaining, &filter, PC_FRAME_ETHERNET);
		printf("load to explain: %s, %.0f ms\n", err ? strerror(-err) : "done",
		       milliseconds() - start);
	}
	for (i = 0; i < programs; i++)
		say_log(said[i].name, said[i].log, err);
	if (!programs)
		printf("verifier: the loader does not load by bpf_object__load\n");
	if (err || !programs)
		return 1;
	tell("frags are used", filter.frags);
	say_size("portcullis", filter.fd[FILTER_PROGRAM]);
	say_size("portcullis_egress", filter.fd[FILTER_EGRESS]);
	printf("memory: %llu bytes before the first generation\n",
	       (unsigned long long)filter_memory(&filter));
	return 0;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int main(int argc, char **argv)
{
	in_words = argc > 1 && !strcmp(argv[1], "--log");
	libbpf_set_print(quiet);
	say_features();
	fflush(stdout);
	return say_verifier();
}
