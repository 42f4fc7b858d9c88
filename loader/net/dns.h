/* SPDX-License-Identifier: GPL-2.0 */
/* Asks the name servers of /etc/resolv.conf, with the time for which each answer holds. */
#ifndef PORTCULLIS_NET_DNS_H
#define PORTCULLIS_NET_DNS_H

#include <stddef.h>
#include <linux/types.h>

struct dns_reply {
	__u8 (*address)[16]; /* network byte order, IPv4 in the first 4 bytes */
	size_t count;
	__u32 ttl; /* seconds, the least of the addresses and of the aliases that lead to them */
};

/*
 * Asks for the addresses of a family, AF_INET or AF_INET6, of a full name; aliases are followed.
 * Search domains and /etc/hosts are not used. Returns 0; -ENODATA: the name has none of the family;
 * -ENOENT: there is no such name; -ETIMEDOUT: no server answered, in 8 s or less a server; -EAGAIN:
 * it failed. `*why` is a text for each of the errors. dns_reply_free is due anyway.
 */
int dns_ask(const char *name, int family, struct dns_reply *reply, const char **why);
void dns_reply_free(struct dns_reply *reply);

#endif
