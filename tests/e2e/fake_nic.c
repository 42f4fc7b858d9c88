// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded: interfaces that this machine does not have, as ethtool and netlink would tell of
 * them. FAKE_DRIVER=ena FAKE_QUEUES=4/8 (in use of most; FAKE_SPLIT=1: they receive or send)
 * FAKE_ON="rx-lro" FAKE_FIXED="rx-gro-hw" FAKE_XDP=33 (NETDEV_XDP_ACT_*) FAKE_KIND=bridge=bond
 * FAKE_NO_TCX=1; and with FAKE_LAYOUT=1 generations of another version's layout.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 1024

static char names[NAMES][ETH_GSTRING_LEN + 1];

static int fake_driver(struct ethtool_drvinfo *driver, const char *name)
{
	snprintf(driver->driver, sizeof(driver->driver), "%s", name);
	return 0;
}

static int fake_queues(struct ethtool_channels *channels, const char *queues)
{
	unsigned int used, most;

	if (sscanf(queues, "%u/%u", &used, &most) != 2)
		return -1;
	if (getenv("FAKE_SPLIT")) {
		channels->rx_count = channels->tx_count = used;
		channels->max_rx = channels->max_tx = most;
	} else {
		channels->combined_count = used;
		channels->max_combined = most;
	}
	return 0;
}

static void keep_names(const struct ethtool_gstrings *list)
{
	for (__u32 i = 0; i < list->len && i < NAMES; i++)
		memcpy(names[i], list->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
}

static void turn_on(struct ethtool_gfeatures *features, const char *name, int fixed)
{
	for (__u32 i = 0; name && i < NAMES && i / 32 < features->size; i++) {
		struct ethtool_get_features_block *block = &features->features[i / 32];
		__u32 bit = 1U << i % 32;

		if (strcmp(names[i], name))
			continue;
		block->active |= bit;
		block->available = fixed ? block->available & ~bit : block->available | bit;
		block->never_changed &= ~bit;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
	const char *driver = getenv("FAKE_DRIVER"), *queues = getenv("FAKE_QUEUES");
	struct ifreq *ifreq;
	va_list args;
	int result;
	__u32 *command;

	va_start(args, request);
	ifreq = va_arg(args, void *);
	va_end(args);
	if (request != SIOCETHTOOL)
		return real(fd, request, ifreq);
	command = (void *)ifreq->ifr_data;
	if (*command == ETHTOOL_GDRVINFO && driver)
		return fake_driver((void *)command, driver);
	if (*command == ETHTOOL_GCHANNELS && queues)
		return fake_queues((void *)command, queues);
	result = real(fd, request, ifreq);
	if (*command == ETHTOOL_GSTRINGS && !result)
		keep_names((void *)command);
	if (*command == ETHTOOL_GFEATURES && !result) {
		turn_on((void *)command, getenv("FAKE_ON"), 0);
		turn_on((void *)command, getenv("FAKE_FIXED"), 1);
	}
	return result;
}

uint64_t mnl_attr_get_u64(const struct nlattr *attribute)
{
	uint64_t (*real)(const struct nlattr *) = dlsym(RTLD_NEXT, "mnl_attr_get_u64");
	const char *xdp = getenv("FAKE_XDP");

	return xdp ? strtoull(xdp, NULL, 0) : real(attribute);
}

const char *mnl_attr_get_str(const struct nlattr *attribute)
{
	const char *(*real)(const struct nlattr *) = dlsym(RTLD_NEXT, "mnl_attr_get_str");
	const char *kind = getenv("FAKE_KIND"), *text = real(attribute);
	size_t length = strlen(text);

	return kind && !strncmp(kind, text, length) && kind[length] == '=' ? kind + length + 1 :
									     text;
}

int bpf_prog_query_opts(int target_fd, enum bpf_attach_type type, struct bpf_prog_query_opts *opts)
{
	int (*real)(int, enum bpf_attach_type, struct bpf_prog_query_opts *) =
		dlsym(RTLD_NEXT, "bpf_prog_query_opts");

	return getenv("FAKE_NO_TCX") ? -EINVAL : real(target_fd, type, opts);
}
