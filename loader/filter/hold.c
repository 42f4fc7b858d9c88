// SPDX-License-Identifier: GPL-2.0
/* Holds a new interface, so that no packet gets in before its filter is there. */
#include "loader/filter/hold.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/refusal.h"

/* The name of a hold's program, by which every command knows it; the kernel keeps 15 characters. */
#define HOLD_NAME "portcullis_hold"

/* XDP_DROP. Accepts frames of several buffers if the kernel does, because the filter will accept
 * them. */
static int load_program(void)
{
	static const struct bpf_insn drop[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_DROP},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static const __u32 flags[] = {BPF_F_XDP_HAS_FRAGS, 0};
	int fd = -1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags) && fd < 0; i++) {
		LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP,
			    .prog_flags = flags[i]);

		fd = bpf_prog_load(BPF_PROG_TYPE_XDP, HOLD_NAME, "GPL", drop, ARRAY_SIZE(drop),
				   &options);
	}
	return fd;
}

static int create_link(int program, unsigned int ifindex, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(program, ifindex, BPF_XDP, &options);

	return link < 0 ? -errno : link;
}

void hook_hold(unsigned int ifindex, enum hook_mode mode, struct hold *hold)
{
	__close_fd int program = load_program();
	struct hook now;

	*hold = HOLD_NONE;
	if (program < 0 || hook_query(ifindex, NULL, 0, &now) || now.program_id)
		return;
	if (mode != HOOK_GENERIC) {
		hold->link = create_link(program, ifindex, XDP_FLAGS_DRV_MODE);
		if (hold->link >= 0 || mode == HOOK_NATIVE)
			return;
		hold->refusal = refusal_words(program, ifindex, XDP_FLAGS_DRV_MODE, hold->link);
	}
	hold->link = create_link(program, ifindex, XDP_FLAGS_SKB_MODE);
}

void hold_free(struct hold *hold)
{
	fd_close(&hold->link);
	free(hold->refusal);
	*hold = HOLD_NONE;
}

bool hold_is(__u32 program_id)
{
	__close_fd int fd = program_id ? bpf_prog_get_fd_by_id(program_id) : -1;
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
	       !strcmp(info.name, HOLD_NAME);
}

bool hook_held(unsigned int ifindex)
{
	struct hook now;

	return !hook_query(ifindex, NULL, 0, &now) && hold_is(now.program_id);
}

/* The link of a hold; -1: the hold has ended. */
static int open_link(unsigned int ifindex, struct hook *now)
{
	__u32 id;

	if (hook_query(ifindex, NULL, 0, now) || !hold_is(now->program_id))
		return -1;
	id = hook_link(now);
	return id ? bpf_link_get_fd_by_id(id) : -1;
}

int hold_become(struct filter *filter, const struct hook *hook, enum hook_mode *mode,
		const char *refusal)
{
	struct hook now;
	__close_fd int link = open_link(hook->ifindex, &now);

	if (link < 0)
		return -EAGAIN;
	if (*mode != HOOK_AUTO && *mode != now.mode) {
		error("%s: another portcullis command is attaching a filter in %s mode; try again when it has ended",
		      hook->name, hook_mode_name(now.mode));
		return -EBUSY;
	}
	if (bpf_link_update(link, filter->fd[FILTER_PROGRAM], NULL)) {
		bpf_link_detach(link);
		return -EAGAIN;
	}
	if (now.mode == HOOK_GENERIC && *mode == HOOK_AUTO && refusal)
		refusal_warn(hook->name, refusal);
	*mode = now.mode;
	filter->fd[FILTER_LINK] = link;
	link = -1;
	return 0;
}
