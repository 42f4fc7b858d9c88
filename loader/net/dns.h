/* SPDX-License-Identifier: GPL-2.0 */
/* Asks the name servers of /etc/resolv.conf, with the time for which each answer is valid. */
#ifndef PORTCULLIS_NET_DNS_H
#define PORTCULLIS_NET_DNS_H

#include <stddef.h>
#include <linux/types.h>

struct dns_reply {
	__u8 (*address)[16]; /* network byte order, IPv4 in the first 4 bytes */
	size_t count;
	/* seconds: the lowest TTL of the addresses and of the aliases that lead to them */
	__u32 ttl;
};

/*
 * Asks for the addresses of a family, AF_INET or AF_INET6, of a full name; aliases are followed.
 * Search domains and /etc/hosts are not used. Returns 0; -ENODATA: the name has none of the family;
 * -ENOENT: there is no such name; -ETIMEDOUT: no server answered (at most 8 s for each); -EAGAIN:
 * the question failed. `*why`: the error as text. Call dns_reply_free in each case.
 */
int dns_ask(const char *name, int family, struct dns_reply *reply, const char **why);
void dns_reply_free(struct dns_reply *reply);

#endif
