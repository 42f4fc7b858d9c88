/* SPDX-License-Identifier: GPL-2.0 */
/* Names of hosts in groups, "dns:NAME", and the last good answer for each, which boot uses. */
#ifndef PORTCULLIS_CATALOG_DNS_ANSWER_H
#define PORTCULLIS_CATALOG_DNS_ANSWER_H

#include <stddef.h>
#include <linux/types.h>

#include "loader/base/names.h"
#include "loader/catalog/prefix.h"

#define DNS_WORD      "dns:"
#define DNS_FOLDER    "/var/lib/portcullis/dns" /* NAME.json each */
#define DNS_ADDRESSES 64			/* of a name */

struct prefix;

/* The last good answer for a name, and what came of the last question. Times in s since 1970. */
struct dns_answer {
	struct prefix *prefix; /* /32 and /128, in the order of prefix_compare */
	size_t prefixes;
	__u64 since;  /* its addresses are these; 0: there was never an answer */
	__u64 asked;  /* it was confirmed by a name server */
	__u64 due;    /* it is to be asked again */
	__u64 failed; /* questions have failed since then; 0: the last one was answered */
	char *error;  /* why; NULL: no failure, nothing was left out */
};

/*
 * "mail.example.org", without DNS_WORD: lower case, without a final dot. Returns 0 and the name,
 * or -EINVAL and in `*why` what is wrong. The caller frees both.
 */
int dns_name_parse(const char *text, size_t length, char **name, char **why);

/*
 * The kind of an address that no group gets from DNS: "loopback", "multicast" ...; NULL: it is
 * fine.
 */
const char *dns_refused(const struct prefix *prefix);

/* The text of an answer's file; the caller frees. */
char *dns_answer_text(const struct dns_answer *answer);
/* 0, or -EBADMSG: it is no such text. dns_answer_free is due anyway. */
int dns_answer_parse(const char *text, size_t length, struct dns_answer *answer);
/* 0, -ENOENT: nothing is known of the name; -errno. dns_answer_free is due anyway. */
int dns_answer_read(const char *name, struct dns_answer *answer);
/* Writes it whole, synced; -errno. Needs root. */
int dns_answer_write(const char *name, const struct dns_answer *answer);
/*
 * Forgets what is older than DNS_FORGET, but for these names. Another network namespace may use the
 * rest.
 */
#define DNS_FORGET (30 * 86400) /* seconds */
void dns_answers_keep(const struct names *names);
void dns_answer_free(struct dns_answer *answer);

#endif
