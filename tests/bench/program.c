// SPDX-License-Identifier: GPL-2.0
/* The programs that are compared: trivial ones made here, and those that interfaces hold. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

static int program_load(const char *name, const struct bpf_insn *insn, size_t count)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", insn, count, NULL);

	if (fd >= 0)
		return fd;
	error("bench: cannot load the program '%s': %s", name, strerror(errno));
	return -errno;
}

static int program_constant(const char *name, int action)
{
	const struct bpf_insn insn[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = action},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return program_load(name, insn, ARRAY_SIZE(insn));
}

int program_redirect(unsigned int ifindex)
{
	const struct bpf_insn insn[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = ifindex},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return program_load("send", insn, ARRAY_SIZE(insn));
}

int action_of(const char *word)
{
	if (!strcmp(word, "drop"))
		return XDP_DROP;
	if (!strcmp(word, "pass"))
		return XDP_PASS;
	error("bench: '%s' is neither drop nor pass", word);
	return -EINVAL;
}

int program_open(const char *what)
{
	unsigned int ifindex;
	__u32 id = 0;
	int fd;

	if (!strcmp(what, "drop") || !strcmp(what, "pass"))
		return program_constant(what, action_of(what));
	ifindex = if_nametoindex(what);
	if (!ifindex || bpf_xdp_query_id(ifindex, 0, &id) || !id) {
		error("bench: %s: no XDP program", what);
		return -ENOENT;
	}
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		error("bench: program %u of %s: %s", id, what, strerror(errno));
	return fd;
}

int bench_program(int argc, char **argv)
{
	__close_fd int fd = program_open(argv[0]);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	(void)argc;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return 1;
	printf("{\"kind\": \"program\", \"name\": \"%s\", \"instructions\": %zu, \"jited_bytes\": %u, \"verified_instructions\": %u}\n",
	       info.name, info.xlated_prog_len / sizeof(struct bpf_insn), info.jited_prog_len,
	       info.verified_insns);
	return 0;
}
