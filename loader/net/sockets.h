/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets of the caller's network namespace. */
#ifndef PORTCULLIS_NET_SOCKETS_H
#define PORTCULLIS_NET_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define SOCKET_STATE(number) (1U << (number))

/* Ports in host order, addresses as on the wire. An IPv4-mapped address is IPv4. */
struct socket_info {
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 protocol;
	__u8 state; /* TCP_*; a UDP socket is TCP_ESTABLISHED when connected, else TCP_CLOSE */
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16];
	__u8 remote[16];
	unsigned int device; /* device that the socket is bound to; 0: none */
	__u32 uid;	     /* user of the process that made the socket */
	__u32 inode;	     /* 0: none; a connection that no server has accepted yet has none */
	bool only_ipv6;	     /* a server on :: that does not accept IPv4 */
};

/* Takes a socket. Returns 0 to continue, 1 to stop, or -errno to stop with that error. */
typedef int socket_take(const struct socket_info *socket, void *context);

/*
 * Gives `take` the sockets of a protocol in any of `states` (SOCKET_STATE), of both families; with
 * `bound` only those that are bound to a device. Returns 0 or -errno; if one family cannot be read,
 * the other is read all the same.
 */
int sockets_each(__u8 protocol, __u32 states, bool bound, socket_take *take, void *context);

/*
 * Appends the sockets of a protocol in any of `states` (SOCKET_STATE), of both families, to a list
 * made with grow(). Returns 0, or -errno; the sockets read before the error stay in the list.
 */
int sockets_list(__u8 protocol, __u32 states, struct socket_info **list, size_t *count);

#endif
