/* SPDX-License-Identifier: GPL-2.0 */
/* Sends a request to the kernel by netlink, and reads all answers. */
#ifndef PORTCULLIS_NET_NETLINK_H
#define PORTCULLIS_NET_NETLINK_H

#include <libmnl/libmnl.h>

/* The largest message that the kernel fills in a dump. */
union netlink_buffer {
	struct nlmsghdr request;
	char bytes[32768];
};

/*
 * A socket in the process's present network namespace; it stays in that namespace. `bus` is
 * NETLINK_ROUTE or the like. Returns 0 or -errno.
 */
int netlink_open(int bus, struct mnl_socket **socket);
void netlink_close(struct mnl_socket **socket); /* NULL is allowed */

/* Begins a request; returns its header of `size` bytes, all 0. Attributes may follow. */
void *netlink_request(union netlink_buffer *buffer, int type, int flags, size_t size);

/* Sends the request, and reads answers until `read` returns MNL_CB_STOP or all are read. 0 or
 * -errno. */
int netlink_ask(struct mnl_socket *socket, union netlink_buffer *buffer, mnl_cb_t read, void *data);

#endif
