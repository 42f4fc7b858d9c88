// SPDX-License-Identifier: GPL-2.0
/* Explains why a driver refuses an XDP program, and how to fix it. */
#include "loader/filter/refusal.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/object/log.h"

char *refusal_words(int program, unsigned int ifindex, __u32 flags, int err)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, undo, .old_prog_fd = program);
	__free_text char *words = NULL;

	libbpf_log_start();
	if (!bpf_xdp_attach(ifindex, program, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
		bpf_xdp_detach(ifindex, flags | XDP_FLAGS_REPLACE, &undo);
	words = libbpf_log_kernel_message();
	return words ? xasprintf("%s (%s)", words, strerror(-err)) : xstrdup(strerror(-err));
}

/* Without VIRTIO_NET_F_CTRL_GUEST_OFFLOADS a guest cannot switch these off; its hypervisor can. */
#define VIRTIO \
	"on the hypervisor, guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,guest_csum=off for the virtio-net device of %s"

/*
 * Words in messages of the kernel's drivers (NL_SET_ERR_MSG in ndo_bpf, drivers/net of Linux 5.10
 * to 6.18), and the fix. The first row whose words are in the message counts. %s: the interface.
 */
static const struct {
	const char *words;
	const char *fix;
} known_words[] = {
	{"host is implementing", VIRTIO},
	{"rx queues not less than peer",
	 "ethtool -L %s rx N, with N the queues that its peer sends by"},
	{"Peer MTU", "ip link set dev %s mtu 1500, and its peer too"},
	{"MTU", "ip link set dev %s mtu 1500"},
	{"mtu", "ip link set dev %s mtu 1500"},
	{"HW-GRO", "ethtool -K %s rx-gro-hw off lro off"},
	{"GRO_HW", "ethtool -K %s rx-gro-hw off"},
	{"LRO", "ethtool -K %s lro off"},
	{"tcp-data-split", "ethtool -G %s tcp-data-split off"},
	{"header split", "ethtool -G %s tcp-data-split off"},
	{"channel", "ethtool -L %s combined N, with N at most half of what ethtool -l shows"},
	{"queues", "ethtool -L %s combined N, with N at most half of what ethtool -l shows"},
	{"TX rings", "ethtool -L %s combined N, with N at most half of what ethtool -l shows"},
};

char *refusal_fix(const char *words, const char *interface)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_words); i++) {
		const char *fix = known_words[i].fix, *name;

		if (!strstr(words, known_words[i].words))
			continue;
		name = strstr(fix, "%s");
		return xasprintf("%.*s%s%s", (int)(name - fix), fix, interface, name + 2);
	}
	return NULL;
}

void refusal_warn(const char *interface, const char *words)
{
	__free_text char *fix = refusal_fix(words, interface);

	warning_fix(fix, "%s: native XDP refused: %s; attached in generic mode, which is slower",
		    interface, words);
}

char *refusal_virtio(const char *interface)
{
	return xasprintf(VIRTIO, interface);
}
