/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the packet that `explain` is asked about from its words and options. */
#ifndef PORTCULLIS_COMMAND_PACKET_WORDS_H
#define PORTCULLIS_COMMAND_PACKET_WORDS_H

#include "loader/command/options.h"

/* The port of the side that begins, unless --source-port gives one. */
#define PACKET_EPHEMERAL 50000

/* A packet between a remote host and this one. Addresses and ports as in struct made_packet. */
struct packet_words {
	const char *interface; /* NULL: none was named */
	__u8 family;	       /* AF_INET or AF_INET6 */
	__u8 remote[16];
	bool has_local;
	__u8 local[16];
	__u8 protocol;
	__u16 port; /* of the side that answers; 0: the protocol has none */
	__u16 from; /* of the side that begins */
	__u8 tcp_flags;
	bool icmp; /* --icmp: `protocol` is that of the family */
	__u8 icmp_type, icmp_code;
	__u8 quoted; /* an ICMP error: the protocol of the packet that it quotes */
	bool out;
};

/* -EINVAL with a message. `there` tells whether an interface of that name exists. */
int packet_words_read(const struct options *options, bool (*there)(const char *name),
		      struct packet_words *words);

#endif
