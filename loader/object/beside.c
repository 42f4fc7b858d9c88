// SPDX-License-Identifier: GPL-2.0
/*
 * Loads a program in a thread. When libbpf has prepared the program for the kernel, it calls back:
 * the thread then gets a copy, and libbpf loads a stub in its place.
 */
#include "loader/object/beside.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"

#define LICENSE "GPL"

struct beside {
	const struct bpf_program *program;
	pthread_t thread;
	bool begun, runs; /* whether the thread was started; whether it runs */
	int result;	  /* the thread's result: a descriptor or -errno */
	/* The program that the thread loads. */
	char *name;
	enum bpf_prog_type type;
	struct bpf_insn *instructions;
	size_t count;
	struct bpf_prog_load_opts options;
};

/*
 * The active load. libbpf calls back without an argument of ours, in the thread that loads the
 * object. The callback is registered once, for the whole process, and stays registered: libbpf 1.1
 * frees its registry twice if it was emptied and is filled again.
 */
static _Thread_local struct beside *active;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool registered;

static void *copy_of(const void *from, size_t size)
{
	void *copy = xcalloc(1, size);

	memcpy(copy, from, size);
	return copy;
}

/*
 * Copies what the thread needs, because libbpf frees the original if another program is refused.
 * Copies field by field, because a newer libbpf may have a longer struct. Leaves out source lines:
 * they take 2 ms, and serve the verifier's log only, which the thread does not keep.
 */
static void take_copy(struct beside *beside, const struct bpf_prog_load_opts *options)
{
	beside->name = xstrdup(bpf_program__name(beside->program));
	beside->type = bpf_program__type(beside->program);
	beside->count = bpf_program__insn_cnt(beside->program);
	beside->instructions = copy_of(bpf_program__insns(beside->program),
				       beside->count * sizeof(*beside->instructions));
	beside->options = (struct bpf_prog_load_opts){
		.sz = sizeof(beside->options),
		.expected_attach_type = options->expected_attach_type,
		.prog_btf_fd = options->prog_btf_fd,
		.prog_flags = options->prog_flags,
		.func_info_cnt = options->func_info_cnt,
		.func_info_rec_size = options->func_info_rec_size,
		.func_info = copy_of(options->func_info,
				     (size_t)options->func_info_cnt * options->func_info_rec_size),
	};
}

static void *load_program(void *argument)
{
	struct beside *beside = argument;
	int fd = bpf_prog_load(beside->type, beside->name, LICENSE, beside->instructions,
			       beside->count, &beside->options);

	beside->result = fd < 0 ? -errno : fd;
	return NULL;
}

/* libbpf calls it before it loads a program of the section. */
static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	static struct bpf_insn stub[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct beside *beside = active;

	(void)cookie;
	if (!beside || program != beside->program)
		return 0;
	take_copy(beside, options);
	if (pthread_create(&beside->thread, NULL, load_program, beside))
		return 0;
	beside->begun = beside->runs = true;
	options->func_info_cnt = 0;
	options->line_info_cnt = 0;
	return bpf_program__set_insns(program, stub, ARRAY_SIZE(stub));
}

static void register_callback(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare);

	registered = libbpf_register_prog_handler("xdp", BPF_PROG_TYPE_XDP, BPF_XDP, &options) >= 0;
}

struct beside *beside_begin(void)
{
	pthread_once(&once, register_callback);
	if (!registered)
		return NULL;
	active = xcalloc(1, sizeof(*active));
	active->result = -1;
	return active;
}

void beside_choose(struct beside *beside, const struct bpf_program *program)
{
	beside->program = program;
}

static void join(struct beside *beside)
{
	if (beside->runs)
		pthread_join(beside->thread, NULL);
	beside->runs = false;
}

int beside_wait(struct beside *beside)
{
	if (!beside->begun)
		return bpf_program__fd(beside->program);
	join(beside);
	return beside->result;
}

void beside_end(struct beside **beside)
{
	if (!*beside)
		return;
	join(*beside);
	active = NULL;
	fd_close(&(*beside)->result);
	free((*beside)->name);
	free((*beside)->instructions);
	free((void *)(*beside)->options.func_info);
	free(*beside);
	*beside = NULL;
}
