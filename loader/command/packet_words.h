/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the words and options of `explain` that describe the packet. */
#ifndef PORTCULLIS_COMMAND_PACKET_WORDS_H
#define PORTCULLIS_COMMAND_PACKET_WORDS_H

#include "loader/command/options.h"

/* The port of the side that begins, without --source-port. */
#define PACKET_EPHEMERAL 50000

/* A packet between a remote host and this one. Addresses and ports as in struct made_packet. */
struct packet_words {
	const char *interface; /* NULL: no interface was named */
	__u8 family;	       /* AF_INET or AF_INET6 */
	__u8 remote[16];
	bool has_local;
	__u8 local[16];
	__u8 protocol;
	__u16 port; /* port of the side that answers; 0: the protocol has none */
	__u16 from; /* port of the side that begins */
	__u8 tcp_flags;
	bool icmp; /* --icmp: `protocol` is the ICMP of the family */
	__u8 icmp_type, icmp_code;
	__u8 quoted; /* an ICMP error: the protocol of the quoted packet */
	bool out;
};

/* -EINVAL with a message. `there` tells whether an interface of that name exists. */
int packet_words_read(const struct options *options, bool (*there)(const char *name),
		      struct packet_words *words);

#endif
