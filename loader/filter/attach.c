// SPDX-License-Identifier: GPL-2.0
/* Attaches a filter to the XDP hook of an interface. */
#include "loader/filter/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/hold.h"
#include "loader/filter/refusal.h"
#include "loader/net/link.h"

static int link_xdp(struct filter *filter, unsigned int ifindex, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(filter->fd[FILTER_PROGRAM], ifindex, BPF_XDP, &options);

	if (link < 0)
		return -errno;
	filter->fd[FILTER_LINK] = link;
	return 0;
}

/*
 * Returns -errno if the interface or its hook is the reason why the link was refused; 0 if the
 * driver is.
 */
static int check_hook(const struct hook *hook)
{
	struct hook now;
	int err = hook_query(hook->ifindex, NULL, 0, &now);

	if (err == -ENODEV || err == -ENXIO)
		return link_failed(hook->name, err, "cannot read its XDP program");
	if (err || !now.program_id)
		return 0;
	/* Another program was attached in between. */
	return hold_is(now.program_id) ? -EAGAIN : hook_free(&now);
}

int hook_attach(struct filter *filter, const struct hook *hook, enum hook_mode *mode)
{
	__free_text char *native_words = NULL;
	__free_text char *fix = NULL;
	__free_text char *generic_words = NULL;
	int err = -EOPNOTSUPP, wrong;

	if (*mode != HOOK_GENERIC) {
		err = link_xdp(filter, hook->ifindex, XDP_FLAGS_DRV_MODE);
		if (!err) {
			*mode = HOOK_NATIVE;
			return 0;
		}
		wrong = check_hook(hook);
		if (wrong)
			return wrong;
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
			refusal_warn(hook->name, native_words);
		*mode = HOOK_GENERIC;
		return 0;
	}
	wrong = check_hook(hook);
	if (wrong)
		return wrong;
	generic_words =
		refusal_words(filter->fd[FILTER_PROGRAM], hook->ifindex, XDP_FLAGS_SKB_MODE, err);
	if (native_words)
		error("%s: native XDP refused: %s; generic XDP refused: %s", hook->name,
		      native_words, generic_words);
	else
		error("%s: generic XDP refused: %s", hook->name, generic_words);
	return err;
}
