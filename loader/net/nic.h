/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the properties of a NIC: queues and offloads by ethtool, native XDP by netdev. */
#ifndef PORTCULLIS_NET_NIC_H
#define PORTCULLIS_NET_NIC_H

#include <stdbool.h>
#include <linux/types.h>

#define DRIVER_HYPERV "hv_netvsc" /* the NIC of guests of Hyper-V and Azure */

enum offload {
	OFFLOAD_UNKNOWN, /* the driver does not report it */
	OFFLOAD_OFF,
	OFFLOAD_ON,
	OFFLOAD_FIXED, /* on, and cannot be turned off */
};

#define NIC_XDP_NATIVE (1 << 0) /* bits of `xdp`, as NETDEV_XDP_ACT_* */
#define NIC_XDP_FRAGS  (1 << 5) /* native XDP takes frames of several buffers */

struct nic {
	char driver[32];   /* empty: the driver does not report it */
	unsigned int rx;   /* receive queues in use; 0: the driver does not report them */
	unsigned int most; /* receive queues that the NIC could have */
	bool combined;	   /* the receive queues send, too */
	unsigned int tx;   /* queues that only send */
	unsigned int mtu;  /* 0: unknown */
	bool xdp_known;	   /* false: no kernel of 6.3 or newer, or no right to ask */
	__u64 xdp;	   /* NIC_XDP_* */
	enum offload lro;
	enum offload gro_hw;
	enum offload vlan; /* tags are taken off received frames */
};

/* Reads the state of an interface of the caller's network namespace. Needs no privilege. */
void nic_read(const char *interface, unsigned int ifindex, struct nic *nic);

/* Receive queues in use; 0: the driver does not report them. */
unsigned int nic_queues(const char *interface);

#endif
