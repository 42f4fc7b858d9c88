// SPDX-License-Identifier: GPL-2.0
/* Reads the properties of a NIC: queues and offloads by ethtool, native XDP by netdev. */
#include "loader/net/nic.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/net/netlink.h"

/* Values of linux/netdev.h, which the build's headers are too old to have. */
#define NETDEV_GET	    1
#define NETDEV_IFINDEX	    1
#define NETDEV_XDP_FEATURES 3

#define FEATURES_MOST 1024

/* --- ethtool --- */

static int ask(int fd, const char *interface, void *command)
{
	struct ifreq request = {.ifr_data = command};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

static void read_driver(int fd, const char *interface, struct nic *nic)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};

	if (!ask(fd, interface, &driver))
		snprintf(nic->driver, sizeof(nic->driver), "%.31s", driver.driver);
}

static void read_queues(int fd, const char *interface, struct nic *nic)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

	if (ask(fd, interface, &channels))
		return;
	nic->rx = channels.combined_count + channels.rx_count;
	nic->tx = channels.tx_count;
	nic->combined = channels.max_combined;
	nic->most = nic->combined ? channels.max_combined : channels.max_rx;
}

static void read_mtu(int fd, const char *interface, struct nic *nic)
{
	struct ifreq request = {};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (!ioctl(fd, SIOCGIFMTU, &request))
		nic->mtu = request.ifr_mtu;
}

/* How many offloads this kernel has. They are found by name, because their numbers change. */
static __u32 count_features(int fd, const char *interface)
{
	struct {
		struct ethtool_sset_info info;
		__u32 count;
	} set = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES}};

	if (ask(fd, interface, &set) || !set.info.sset_mask || set.count > FEATURES_MOST)
		return 0;
	return set.count;
}

static enum offload state_of(const struct ethtool_get_features_block *block, __u32 bit)
{
	if (!(block->active & bit))
		return OFFLOAD_OFF;
	return block->available & bit && !(block->never_changed & bit) ? OFFLOAD_ON : OFFLOAD_FIXED;
}

static void take_feature(struct nic *nic, const char *name, enum offload state)
{
	if (!strcmp(name, "rx-lro"))
		nic->lro = state;
	else if (!strcmp(name, "rx-gro-hw"))
		nic->gro_hw = state;
	else if (!strcmp(name, "rx-vlan-hw-parse"))
		nic->vlan = state;
}

static void read_features(int fd, const char *interface, struct nic *nic)
{
	__u32 count = count_features(fd, interface), blocks = (count + 31) / 32, i;
	struct ethtool_gstrings *names =
		xcalloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	struct ethtool_gfeatures *features =
		xcalloc(1, sizeof(*features) + blocks * sizeof(features->features[0]));

	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = count;
	features->cmd = ETHTOOL_GFEATURES;
	features->size = blocks;
	if (count && !ask(fd, interface, names) && !ask(fd, interface, features))
		for (i = 0; i < count && i < names->len && i / 32 < features->size; i++) {
			char name[ETH_GSTRING_LEN + 1] = "";

			memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
			take_feature(nic, name,
				     state_of(&features->features[i / 32], 1U << i % 32));
		}
	free(names);
	free(features);
}

/* --- netdev --- */

static int read_family(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
		*(__u16 *)data = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int read_family_message(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), read_family, data);
}

static int read_xdp(const struct nlattr *attribute, void *data)
{
	struct nic *nic = data;

	if (mnl_attr_get_type(attribute) == NETDEV_XDP_FEATURES) {
		nic->xdp = mnl_attr_get_u64(attribute);
		nic->xdp_known = true;
	}
	return MNL_CB_OK;
}

static int read_xdp_message(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr), read_xdp, data);
}

static struct genlmsghdr *request(union netlink_buffer *buffer, int family, int command)
{
	struct genlmsghdr *head = netlink_request(buffer, family, NLM_F_ACK, sizeof(*head));

	head->cmd = command;
	head->version = 1;
	return head;
}

/* Kernels before 6.3 do not have the netdev family. */
static void read_xdp_features(unsigned int ifindex, struct nic *nic)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	__u16 family = 0;

	if (netlink_open(NETLINK_GENERIC, &socket))
		return;
	request(&buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(&buffer.request, CTRL_ATTR_FAMILY_NAME, "netdev");
	if (netlink_ask(socket, &buffer, read_family_message, &family) || !family)
		return;
	request(&buffer, family, NETDEV_GET);
	mnl_attr_put_u32(&buffer.request, NETDEV_IFINDEX, ifindex);
	netlink_ask(socket, &buffer, read_xdp_message, nic);
}

unsigned int nic_queues(const char *interface)
{
	__close_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct nic nic = {};

	if (fd >= 0)
		read_queues(fd, interface, &nic);
	return nic.rx;
}

void nic_read(const char *interface, unsigned int ifindex, struct nic *nic)
{
	__close_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*nic = (struct nic){};
	if (fd >= 0) {
		read_driver(fd, interface, nic);
		read_queues(fd, interface, nic);
		read_mtu(fd, interface, nic);
		read_features(fd, interface, nic);
	}
	read_xdp_features(ifindex, nic);
}
