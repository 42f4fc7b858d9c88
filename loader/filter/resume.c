// SPDX-License-Identifier: GPL-2.0
/*
 * Repairs filters after suspend and hibernation. The kernel keeps the program of an interface, but
 * some drivers lose it: virtio_net makes new queues without it, and everything passes. To update a
 * link to the program that it already has does nothing, so the link gets another program for a
 * moment.
 */
#include "loader/filter/resume.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/filter/any_layout.h"
#include "loader/filter/change_log.h"
#include "loader/filter/hook.h"

/* Loads a program that lets everything pass, as the driver does until it is repaired. */
static int load_other(enum bpf_attach_type type, __u32 flags)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type, .prog_flags = flags);

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "portcullis_none", "GPL", pass, ARRAY_SIZE(pass),
			     &options);
}

/*
 * Puts another program into the link. It must have the link's attach type. With a large MTU, a
 * driver refuses a program that does not accept frames of several buffers; an old kernel refuses
 * one that does.
 */
static int put_other(int link)
{
	static const struct {
		enum bpf_attach_type type;
		__u32 flags;
	} kind[] = {{BPF_XDP, BPF_F_XDP_HAS_FRAGS}, {BPF_XDP, 0}, {0, BPF_F_XDP_HAS_FRAGS}, {0, 0}};
	int err = -EINVAL;
	size_t i;

	for (i = 0; err && i < ARRAY_SIZE(kind); i++) {
		__close_fd int program = load_other(kind[i].type, kind[i].flags);

		err = program < 0 ? -errno : bpf_link_update(link, program, NULL) ? -errno : 0;
	}
	return err;
}

static int put_again(const struct hook *hook)
{
	__cleanup(any_layout_close) struct any_layout other = {.filter = FILTER_NONE};
	__free_text char *word = shell_word(hook->name);
	int err = any_layout_open(hook->id, &other);

	if (!err)
		err = put_other(other.filter.fd[FILTER_LINK]);
	if (!err &&
	    bpf_link_update(other.filter.fd[FILTER_LINK], other.filter.fd[FILTER_PROGRAM], NULL))
		err = -errno;
	if (err)
		error("%s: cannot put the program into its driver again: %s; since suspend packets may pass unfiltered: portcullis detach %s, then attach again",
		      hook->name, strerror(-err), word);
	return err;
}

int resume_all(const char *comment)
{
	__cleanup(change_log_free) struct change_log log = {.comment = comment};
	__cleanup(hooks_free) struct hooks hooks = {};
	size_t i;
	int err = hooks_read(&hooks);

	for (i = 0; i < hooks.count; i++) {
		const struct hook *hook = &hooks.hook[i];

		if (hook->mode != HOOK_NATIVE)
			continue;
		if (put_again(hook))
			err = -EIO;
		else
			change_log_add(
				&log, &(struct logged){
					      .action = RECORD_RESUME,
					      .name = hook->name,
					      .what = "its program was put into the driver again"});
	}
	change_log_write(&log);
	return err;
}
