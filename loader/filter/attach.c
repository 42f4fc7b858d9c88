// SPDX-License-Identifier: GPL-2.0
/* Attaches a filter to the XDP hook of an interface. */
#include "loader/filter/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/refusal.h"

static int link_xdp(struct filter *filter, unsigned int ifindex, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(filter->fd[FILTER_PROGRAM], ifindex, BPF_XDP, &options);

	if (link < 0)
		return -errno;
	filter->fd[FILTER_LINK] = link;
	return 0;
}

int hook_attach(struct filter *filter, const struct hook *hook, enum hook_mode *mode)
{
	__free_text char *native_words = NULL;
	__free_text char *fix = NULL;
	__free_text char *generic_words = NULL;
	struct hook now;
	int err = -EOPNOTSUPP, gone;

	if (*mode != HOOK_GENERIC) {
		err = link_xdp(filter, hook->ifindex, XDP_FLAGS_DRV_MODE);
		if (!err) {
			*mode = HOOK_NATIVE;
			return 0;
		}
		gone = hook_query(hook->ifindex, NULL, 0, &now);
		if (gone == -ENODEV || gone == -ENXIO) {
			error("%s: the interface is gone", hook->name);
			return -ENODEV;
		}
		if (now.program_id)
			return hook_free(&now); /* another program was attached meanwhile */
		native_words = refusal_words(filter->fd[FILTER_PROGRAM], hook->ifindex,
					     XDP_FLAGS_DRV_MODE, err);
		fix = refusal_fix(native_words, hook->name);
		if (*mode == HOOK_NATIVE) {
			error_fix(
				fix ?: "leave out --mode native: generic mode works, but is slower",
				"%s: native XDP refused: %s", hook->name, native_words);
			return err;
		}
	}
	err = link_xdp(filter, hook->ifindex, XDP_FLAGS_SKB_MODE);
	if (!err) {
		if (native_words)
			warning_fix(
				fix,
				"%s: native XDP refused: %s; attached in generic mode, which is slower",
				hook->name, native_words);
		*mode = HOOK_GENERIC;
		return 0;
	}
	generic_words =
		refusal_words(filter->fd[FILTER_PROGRAM], hook->ifindex, XDP_FLAGS_SKB_MODE, err);
	if (native_words)
		error("%s: native XDP refused: %s; generic XDP refused: %s", hook->name,
		      native_words, generic_words);
	else
		error("%s: generic XDP refused: %s", hook->name, generic_words);
	return err;
}
