// SPDX-License-Identifier: GPL-2.0
/* The programs that are compared: trivial ones made here, and those that interfaces hold. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

#define REFERENCE  "/reference.bpf.o" /* beside the helper */
#define TCX_EGRESS 47		      /* BPF_TCX_EGRESS: newer than the headers of Debian 12 */
#define QUERIED	   16		      /* TC programs of one interface */

static int program_load(enum bpf_prog_type type, __u32 flags, const char *name,
			const struct bpf_insn *insn, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = flags);
	int fd = bpf_prog_load(type, name, "GPL", insn, count, &options);

	if (fd >= 0)
		return fd;
	error("bench: cannot load the program '%s': %s", name, strerror(errno));
	return -errno;
}

static int program_constant(const char *name, int action)
{
	enum bpf_prog_type type =
		action == TC_ACT_UNSPEC ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_XDP;
	const struct bpf_insn insn[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = action},
		{.code = BPF_JMP | BPF_EXIT},
	};

	/* As Portcullis: a veth segments what is sent to an XDP program without frags. */
	return program_load(type, type == BPF_PROG_TYPE_XDP ? BPF_F_XDP_HAS_FRAGS : 0, name, insn,
			    ARRAY_SIZE(insn));
}

int program_redirect(unsigned int ifindex)
{
	const struct bpf_insn insn[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = ifindex},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return program_load(BPF_PROG_TYPE_XDP, 0, "send", insn, ARRAY_SIZE(insn));
}

int action_of(const char *word, int *action)
{
	static const struct {
		const char *word;
		int action;
	} known[] = {{"drop", XDP_DROP}, {"pass", XDP_PASS}, {"next", TC_ACT_UNSPEC}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(word, known[i].word))
			continue;
		*action = known[i].action;
		return 0;
	}
	error("bench: '%s' is neither drop nor pass nor next", word);
	return -EINVAL;
}

static int reference_open(const char *name)
{
	static struct bpf_object *object;
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(REFERENCE));
	struct bpf_program *program;

	if (length < 0)
		return -errno;
	path[length] = '\0';
	strcpy(strrchr(path, '/'), REFERENCE);
	if (!object) {
		object = bpf_object__open_file(path, NULL);
		if (!object || bpf_object__load(object)) {
			error("bench: %s: %s", path, strerror(errno));
			return -errno;
		}
	}
	program = bpf_object__find_program_by_name(object, name);
	if (!program)
		error("bench: %s: no program '%s'", path, name);
	return program ? bpf_program__fd(program) : -ENOENT;
}

/* The id of the XDP program of an interface, or of Portcullis' TC program there; 0: none. */
static __u32 program_attached(unsigned int ifindex, bool egress)
{
	__u32 id[QUERIED] = {}, i;
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = id, .prog_cnt = QUERIED);

	if (!egress)
		return bpf_xdp_query_id(ifindex, 0, &id[0]) ? 0 : id[0];
	if (bpf_prog_query_opts(ifindex, TCX_EGRESS, &query))
		return 0;
	for (i = 0; i < query.prog_cnt; i++) {
		__close_fd int fd = bpf_prog_get_fd_by_id(id[i]);
		struct bpf_prog_info info = {};
		__u32 length = sizeof(info);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    !strncmp(info.name, "portcullis", 10))
			return id[i];
	}
	return 0;
}

int program_open(const char *what)
{
	bool egress = !strncmp(what, "egress:", 7);
	const char *interface = egress ? what + 7 : what;
	unsigned int ifindex = if_nametoindex(interface);
	int action, fd;
	__u32 id;

	if (!strncmp(what, "reference:", 10))
		return reference_open(what + 10);
	if (!ifindex && !strchr(what, ':'))
		return action_of(what, &action) ? -EINVAL : program_constant(what, action);
	id = program_attached(ifindex, egress);
	if (!id) {
		error("bench: %s: no %s program", interface, egress ? "tcx egress" : "XDP");
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

int bench_attach(int argc, char **argv)
{
	unsigned int ifindex = if_nametoindex(argv[0]);
	__close_fd int fd = strcmp(argv[1], "none") ? program_open(argv[1]) : -1;
	int err;

	(void)argc;
	if (fd < 0 && strcmp(argv[1], "none"))
		return 1;
	err = bpf_xdp_attach(ifindex, fd, XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		error("bench: %s: %s", argv[0], strerror(-err));
	return !!err;
}
