// SPDX-License-Identifier: GPL-2.0
/* The programs that are compared: trivial ones, and those attached to interfaces. */
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

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define TCX_EGRESS 47 /* BPF_TCX_EGRESS: newer than the headers of Debian 12 */
#define QUERIED	   16 /* TC programs of one interface */
#define MAPS_MAX   64

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

	/* As Portcullis does: a veth segments packets for an XDP program without frags. */
	return program_load(type, type == BPF_PROG_TYPE_XDP ? BPF_F_XDP_HAS_FRAGS : 0, name, insn,
			    ARRAY_SIZE(insn));
}

struct bpf_object *object_open(const char *file)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	__free_text char *path = NULL;
	struct bpf_object *object;

	if (length < 0)
		return NULL;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	path = xasprintf("%s/%s", self, file);
	object = bpf_object__open_file(path, NULL);
	if (!object)
		error("bench: %s: %s", path, strerror(errno));
	return object;
}

int object_load(struct bpf_object *object, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	if (program && !bpf_object__load(object))
		return bpf_program__fd(program);
	error("bench: cannot load the program '%s': %s", name, strerror(errno));
	return program ? -errno : -ENOENT;
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
	struct bpf_program *program;

	if (!object) {
		object = object_open("reference.bpf.o");
		return object ? object_load(object, name) : -errno;
	}
	program = bpf_object__find_program_by_name(object, name);
	if (!program)
		error("bench: no program '%s' for reference", name);
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

static int program_of_place(const char *what, bool egress)
{
	struct place place;
	int fd = -1, err = place_open(what, &place);
	__u32 id = 0;

	if (err || (err = place_enter(&place)))
		return err;
	id = program_attached(place.ifindex, egress);
	if (id)
		fd = bpf_prog_get_fd_by_id(id);
	err = -errno;
	place_leave(&place);
	fd_close(&place.netns);
	if (fd >= 0)
		return fd;
	error("bench: %s: no %s program%s%s", what, egress ? "tcx egress" : "XDP", id ? ": " : "",
	      id ? strerror(-err) : "");
	return id ? err : -ENOENT;
}

int program_open(const char *what)
{
	int action;

	if (!strncmp(what, "reference:", 10))
		return reference_open(what + 10);
	if (!strncmp(what, "egress:", 7))
		return program_of_place(what + 7, true);
	if (!strncmp(what, "p-", 2))
		return program_of_place(what, false);
	return action_of(what, &action) ? -EINVAL : program_constant(what, action);
}

int program_map(int program, const char *name)
{
	__u32 id[MAPS_MAX], i, length;
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)id};

	length = sizeof(info);
	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	for (i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
		struct bpf_map_info map = {};
		int fd = bpf_map_get_fd_by_id(id[i]);

		length = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &length) &&
		    !strcmp(map.name, name))
			return fd;
		fd_close(&fd);
	}
	return -ENOENT;
}

int bench_program(int argc, char **argv)
{
	__close_fd int fd = program_open(argv[1]);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	(void)argc;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return 1;
	printf("{\"kind\": \"program\", \"name\": \"%s\", \"instructions\": %zu, \"jited_bytes\": %u, \"verified_instructions\": %u}\n",
	       argv[0], info.xlated_prog_len / sizeof(struct bpf_insn), info.jited_prog_len,
	       info.verified_insns);
	return 0;
}

int bench_attach(int argc, char **argv)
{
	bool take_off = !strcmp(argv[1], "none");
	__close_fd int fd = take_off ? -1 : program_open(argv[1]);
	struct place place;
	int err;

	(void)argc;
	if ((fd < 0 && !take_off) || place_open(argv[0], &place))
		return 1;
	err = bpf_xdp_attach(place.ifindex, fd, XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		error("bench: %s: %s", argv[0], strerror(-err));
	return !!err;
}

int bench_gro(int argc, char **argv)
{
	struct place place;

	(void)argc;
	return place_open(argv[0], &place) || veth_gro_on(&place);
}
