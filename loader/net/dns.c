// SPDX-License-Identifier: GPL-2.0
/* Asks name servers by the C library's resolver, which returns answers with their TTLs. */
#include "loader/net/dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"

#define ANSWER_LIMIT 65536 /* bytes of an answer; its limit over TCP */
#define ALIASES	     16
#define PATIENCE     2		   /* seconds, tries: of each server */
#define SECOND	     1000000000ULL /* in ns */

static void close_state(struct __res_state *state)
{
	res_nclose(state);
}

/* A record of the answer with this owner and type; -ENOENT: there is none from `*at` on. */
static int next_record(ns_msg *message, const char *owner, int type, int *at, ns_rr *record)
{
	for (; *at < ns_msg_count(*message, ns_s_an); (*at)++) {
		if (ns_parserr(message, ns_s_an, *at, record))
			return -EBADMSG;
		if ((int)ns_rr_type(*record) == type && ns_rr_class(*record) == ns_c_in &&
		    !strcasecmp(ns_rr_name(*record), owner)) {
			(*at)++;
			return 0;
		}
	}
	return -ENOENT;
}

static void lower(__u32 *ttl, const ns_rr *record)
{
	if (ns_rr_ttl(*record) < *ttl)
		*ttl = ns_rr_ttl(*record);
}

/* Follows aliases from `owner` to the name that has the addresses. */
static int follow(ns_msg *message, char owner[NS_MAXDNAME], __u32 *ttl)
{
	ns_rr record;
	int i, at, err;

	for (i = 0; i < ALIASES; i++) {
		at = 0;
		err = next_record(message, owner, ns_t_cname, &at, &record);
		if (err)
			return err == -ENOENT ? 0 : err;
		lower(ttl, &record);
		if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
				       ns_rr_rdata(record), owner, NS_MAXDNAME) < 0)
			return -EBADMSG;
	}
	return -ELOOP;
}

static int read_answer(const unsigned char *answer, int length, const char *name, int family,
		       struct dns_reply *reply)
{
	const size_t size = family == AF_INET ? 4 : 16;
	char owner[NS_MAXDNAME];
	ns_msg message;
	ns_rr record;
	int at = 0, err;

	if (ns_initparse(answer, length, &message))
		return -EBADMSG;
	snprintf(owner, sizeof(owner), "%s", name);
	reply->ttl = ~0U;
	err = follow(&message, owner, &reply->ttl);
	while (!err) {
		err = next_record(&message, owner, family == AF_INET ? ns_t_a : ns_t_aaaa, &at,
				  &record);
		if (!err && ns_rr_rdlen(record) != size)
			err = -EBADMSG;
		if (err)
			break;
		lower(&reply->ttl, &record);
		reply->address = grow(reply->address, reply->count, sizeof(*reply->address));
		memset(reply->address[reply->count], 0, sizeof(*reply->address));
		memcpy(reply->address[reply->count++], ns_rr_rdata(record), size);
	}
	if (err == -ENOENT)
		err = reply->count ? 0 : -ENODATA;
	return err;
}

/* The C library reports ETIMEDOUT also if every server has failed at once. */
static int why_not(const struct __res_state *state, int err, __u64 took, const char **why)
{
	switch (state->res_h_errno) {
	case HOST_NOT_FOUND: *why = "there is no such name"; return -ENOENT;
	case NO_DATA: *why = "the name has no address"; return -ENODATA;
	default: break;
	}
	if (err == ECONNREFUSED) {
		*why = "no name server is there";
		return -ETIMEDOUT;
	}
	if (err == ETIMEDOUT && took >= PATIENCE * PATIENCE * SECOND) {
		*why = "no name server answered in time";
		return -ETIMEDOUT;
	}
	*why = "the name server failed to answer";
	return -EAGAIN;
}

int dns_ask(const char *name, int family, struct dns_reply *reply, const char **why)
{
	__cleanup(close_state) struct __res_state state = {};
	__free_text unsigned char *answer = xcalloc(ANSWER_LIMIT, 1);
	__u64 begun = clock_monotonic();
	int length, err;

	*reply = (struct dns_reply){};
	if (res_ninit(&state)) {
		*why = "/etc/resolv.conf cannot be read";
		return -EAGAIN;
	}
	state.retrans = PATIENCE;
	state.retry = PATIENCE;
	state.options |= RES_USE_EDNS0;
	errno = 0;
	length = res_nquery(&state, name, ns_c_in, family == AF_INET ? ns_t_a : ns_t_aaaa, answer,
			    ANSWER_LIMIT);
	if (length < 0)
		return why_not(&state, errno, clock_monotonic() - begun, why);
	err = read_answer(answer, length < ANSWER_LIMIT ? length : ANSWER_LIMIT, name, family,
			  reply);
	if (err == -ENODATA)
		*why = "the name has no address";
	else if (err)
		*why = "the answer is damaged, or its aliases have no end";
	return err && err != -ENODATA ? -EAGAIN : err;
}

void dns_reply_free(struct dns_reply *reply)
{
	free(reply->address);
	*reply = (struct dns_reply){};
}
