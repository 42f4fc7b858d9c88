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

/* The last good answer for a name, and the result of the last question. Times are s since 1970. */
struct dns_answer {
	struct prefix *prefix; /* /32 and /128, in the order of prefix_compare */
	size_t prefixes;
	__u64 since;  /* the addresses are the same since then; 0: there was never an answer */
	__u64 asked;  /* a name server last confirmed them */
	__u64 due;    /* the next question is due */
	__u64 failed; /* every question since then has failed; 0: the last one was answered */
	char *error;  /* why it failed or was cut; NULL: neither */
};

/*
 * Parses "mail.example.org" (without DNS_WORD) into a name in lower case without a final dot.
 * Returns 0, or -EINVAL and in `*why` what is wrong. The caller frees both.
 */
int dns_name_parse(const char *text, size_t length, char **name, char **why);

/*
 * The kind of address, if groups refuse it in an answer: "loopback", "multicast" ...; NULL:
 * accepted.
 */
const char *dns_refused(const struct prefix *prefix);

/* The text of an answer's file; the caller frees. */
char *dns_answer_text(const struct dns_answer *answer);
/* Returns 0, or -EBADMSG: the text has another form. Call dns_answer_free in each case. */
int dns_answer_parse(const char *text, size_t length, struct dns_answer *answer);
/* Returns 0; -ENOENT: there is no answer for the name; -errno. Call dns_answer_free in each case. */
int dns_answer_read(const char *name, struct dns_answer *answer);
/* Writes the answer whole, synced; -errno. Needs root. */
int dns_answer_write(const char *name, const struct dns_answer *answer);
/*
 * Deletes answers older than DNS_FORGET, except for these names: another network namespace may use
 * the others.
 */
#define DNS_FORGET (30 * 86400) /* seconds */
void dns_answers_keep(const struct names *names);
void dns_answer_free(struct dns_answer *answer);

#endif
