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
	unsigned int device; /* bound to; 0: none */
	__u32 uid;	     /* of the process that made it */
	__u32 inode;	     /* 0: none, as that of a connection which no server has accepted yet */
	bool only_ipv6;	     /* a server on :: that does not take IPv4 */
};

/* Takes a socket. Returns 0 to go on, 1 to stop, or -errno to stop with that. */
typedef int socket_take(const struct socket_info *socket, void *context);

/*
 * Gives `take` the sockets of a protocol in any of `states` (SOCKET_STATE), of both families; only
 * those that are bound to a device, if `bound`. Returns 0 or -errno; of one family that cannot be
 * read the other is taken all the same.
 */
int sockets_each(__u8 protocol, __u32 states, bool bound, socket_take *take, void *context);

/*
 * Appends the sockets of a protocol in any of `states` (SOCKET_STATE), of both families, to a list
 * made with grow(). Returns 0, or -errno with what was read until then.
 */
int sockets_list(__u8 protocol, __u32 states, struct socket_info **list, size_t *count);

#endif
