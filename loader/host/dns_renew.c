// SPDX-License-Identifier: GPL-2.0
/* Asks name servers for the names of groups, and stores each good answer. */
#include "loader/host/dns_renew.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/catalog/dns_answer.h"
#include "loader/net/dns.h"

#define SECOND	  1000000000ULL /* in ns */
#define TTL_LEAST 60		/* seconds: a name is asked at most this often */
#define TTL_MOST  86400
/* seconds until the next question if the name has no address of a family: RFC 2308 */
#define TTL_NONE  3600
#define PATIENCE  60	/* seconds after which no further name is begun */
/* seconds after which the timer seems to be off, because an answer is overdue */
#define FORGOTTEN 86400
/* names in a row without an answer of any server, after which the rest is not asked */
#define SILENCE	  3

void dns_names_of_recipe(const struct recipe *recipe, struct names *names)
{
	for (size_t i = 0; i < recipe->groups.count; i++)
		for (size_t j = 0; j < recipe->groups.group[i].dns.count; j++)
			names_add_once(names, recipe->groups.group[i].dns.name[j]);
	for (size_t i = 0; i < recipe->machines; i++)
		dns_names_of_recipe(&recipe->machine[i].own, names);
}

void dns_names_of_site(const struct site *site, struct names *names)
{
	for (size_t i = 0; i < site->groups.count; i++)
		for (size_t j = 0; j < site->groups.group[i].dns.count; j++)
			names_add_once(names, site->groups.group[i].dns.name[j]);
	for (size_t i = 0; i < site->interfaces; i++)
		dns_names_of_recipe(&site->interface[i].recipe, names);
	for (size_t i = 0; i < site->patterns; i++)
		dns_names_of_recipe(&site->pattern[i].recipe, names);
}

/* --- one name --- */

/* The queries for one name, and their results. */
struct asking {
	const char *name;
	const struct ifaddrs *own;
	struct dns_answer before, now;
	size_t found; /* addresses in the answers that are accepted */
	bool silent;  /* no server answered */
	bool failed;  /* a family has no good answer */
	__u32 ttl;
	char *remark; /* why an address, or a family, is left out */
};

static void asking_free(struct asking *asking)
{
	dns_answer_free(&asking->before);
	dns_answer_free(&asking->now);
	free(asking->remark);
}

static void remark(struct asking *asking, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Keeps the first remark. */
static void remark(struct asking *asking, const char *format, ...)
{
	va_list args;

	if (asking->remark)
		return;
	va_start(args, format);
	asking->remark = xvasprintf(format, args);
	va_end(args);
}

static bool is_own(const struct ifaddrs *own, const struct prefix *prefix)
{
	for (; own; own = own->ifa_next) {
		const struct sockaddr *address = own->ifa_addr;

		if (!address || address->sa_family != prefix->family)
			continue;
		if (address->sa_family == AF_INET ?
			    !memcmp(&((const struct sockaddr_in *)address)->sin_addr,
				    prefix->address, 4) :
			    !memcmp(&((const struct sockaddr_in6 *)address)->sin6_addr,
				    prefix->address, 16))
			return true;
	}
	return false;
}

static void add(struct dns_answer *answer, const struct prefix *prefix)
{
	answer->prefix = grow(answer->prefix, answer->prefixes, sizeof(*prefix));
	answer->prefix[answer->prefixes++] = *prefix;
}

/* Keeps the former addresses of a family that has no good answer at present. */
static void keep_family(struct asking *asking, int family)
{
	asking->failed = true;
	for (size_t i = 0; i < asking->before.prefixes; i++)
		if (asking->before.prefix[i].family == family)
			add(&asking->now, &asking->before.prefix[i]);
}

static void take(struct asking *asking, int family, const struct dns_reply *reply)
{
	const size_t had = asking->now.prefixes;
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < reply->count; i++) {
		struct prefix prefix = {.family = (__u8)family,
					.length = family == AF_INET ? 32 : 128};
		const char *what;

		memcpy(prefix.address, reply->address[i], sizeof(prefix.address));
		what = dns_refused(&prefix);
		if (!what && is_own(asking->own, &prefix))
			what = "an address of this host";
		if (what)
			remark(asking, "%s is left out: %s", prefix_format(&prefix, text), what);
		else
			add(&asking->now, &prefix);
	}
	asking->found += asking->now.prefixes - had;
	if (asking->now.prefixes == had)
		keep_family(asking, family);
}

static void ask_family(struct asking *asking, int family)
{
	__cleanup(dns_reply_free) struct dns_reply reply;
	const char *why = NULL;
	int err = dns_ask(asking->name, family, &reply, &why);
	__u32 ttl = err ? TTL_NONE : reply.ttl;

	if (!err) {
		take(asking, family, &reply);
	} else if (err != -ENODATA) {
		remark(asking, "%s", why);
		asking->silent |= err == -ETIMEDOUT;
		keep_family(asking, family);
	}
	if (ttl < asking->ttl)
		asking->ttl = ttl;
}

/* Keeps the addresses that sort first, because the order in answers changes each time. */
static void cut(struct asking *asking)
{
	prefixes_sort_once(asking->now.prefix, &asking->now.prefixes);
	if (asking->now.prefixes <= DNS_ADDRESSES)
		return;
	remark(asking, "it has %zu addresses, of which the first %d are taken",
	       asking->now.prefixes, DNS_ADDRESSES);
	asking->now.prefixes = DNS_ADDRESSES;
}

/* --- what is said --- */

static void put_missing(FILE *to, const struct dns_answer *of, const struct dns_answer *in,
			const char *sign)
{
	char text[PREFIX_TEXT];
	size_t at = 0;

	for (size_t i = 0; i < of->prefixes; i++) {
		while (at < in->prefixes && prefix_compare(&in->prefix[at], &of->prefix[i]) < 0)
			at++;
		if (at == in->prefixes || prefix_compare(&in->prefix[at], &of->prefix[i]))
			fprintf(to, " %s%s", sign, prefix_format(&of->prefix[i], text));
	}
}

static void say_difference(const struct asking *asking)
{
	__free_text char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	if (!to)
		return;
	put_missing(to, &asking->now, &asking->before, "+");
	put_missing(to, &asking->before, &asking->now, "-");
	fclose(to);
	say_line("%s:%s", asking->name, text);
}

/* Prints only news, because the timer asks each minute. */
static void say(const struct asking *asking)
{
	const struct dns_answer *before = &asking->before, *now = &asking->now;
	bool same = before->error && now->error && !strcmp(before->error, now->error);

	if (!prefixes_same(before->prefix, before->prefixes, now->prefix, now->prefixes))
		say_difference(asking);
	if (now->error && !same)
		warning(DNS_WORD "%s: %s%s", asking->name, now->error,
			!now->failed ?
				"" :
			now->prefixes ?
				"; the last addresses that were answered stay" :
				"; the group admits no source by this name until it is answered");
	else if (!now->error && before->failed)
		say_line("%s: is answered again", asking->name);
}

/* True if the answer is used; else the former one stays. */
static bool is_good(struct asking *asking)
{
	if (asking->found)
		return true;
	remark(asking, "the name has no address");
	return false;
}

static int settle(struct asking *asking, __u64 now)
{
	struct dns_answer *answer = &asking->now, *before = &asking->before;
	bool good;

	cut(asking);
	good = is_good(asking);
	if (!good) {
		answer->prefixes = 0;
		for (size_t i = 0; i < before->prefixes; i++)
			add(answer, &before->prefix[i]);
	}
	if (asking->ttl < TTL_LEAST)
		asking->ttl = TTL_LEAST;
	if (asking->ttl > TTL_MOST)
		asking->ttl = TTL_MOST;
	answer->asked = good ? now : before->asked;
	answer->since =
		prefixes_same(before->prefix, before->prefixes, answer->prefix, answer->prefixes) &&
				before->since ?
			before->since :
		good ? now :
		       0;
	answer->failed = good && !asking->failed ? 0 : before->failed ? before->failed : now;
	answer->due = answer->failed ? now + TTL_LEAST : now + asking->ttl;
	answer->error = xstrdup(asking->remark);
	say(asking);
	return dns_answer_write(asking->name, answer);
}

/* The last two conditions: after a clock was set back, an old answer must not stay. */
static bool is_due(const struct dns_answer *answer, __u64 now)
{
	return now >= answer->due || now < answer->asked || answer->due > now + TTL_MOST;
}

/* Returns 1 if no server answered. */
static int renew(const char *name, const struct ifaddrs *own, bool all)
{
	__cleanup(asking_free) struct asking asking = {.name = name, .own = own, .ttl = TTL_MOST};
	const __u64 now = clock_wall() / SECOND;
	int err;

	dns_answer_read(name, &asking.before);
	if (!all && !is_due(&asking.before, now))
		return 0;
	ask_family(&asking, AF_INET);
	/* The same servers would not answer for the other family either. */
	if (asking.silent)
		keep_family(&asking, AF_INET6);
	else
		ask_family(&asking, AF_INET6);
	err = settle(&asking, now);
	if (err) {
		error(DNS_WORD "%s: the answer cannot be kept in " DNS_FOLDER ": %s", name,
		      strerror(-err));
		return err;
	}
	return asking.silent;
}

int dns_renew(const struct names *names, bool all)
{
	const __u64 end = clock_monotonic() + PATIENCE * SECOND;
	struct ifaddrs *own = NULL;
	size_t silent = 0, i;
	int result = 0;

	if (names->count && getifaddrs(&own)) {
		result = -errno;
		error("cannot list the addresses of this host, which have to be left out of DNS answers: %s",
		      strerror(-result));
		return result;
	}
	for (i = 0; i < names->count && silent < SILENCE && clock_monotonic() < end; i++) {
		int err = renew(names->name[i], own, all);

		silent = err > 0 ? silent + 1 : 0;
		if (err < 0)
			result = err;
	}
	if (i < names->count && (silent == SILENCE))
		warning("%zu more names were not asked, because no name server answers; check /etc/resolv.conf, then: portcullis groups --refresh dns",
			names->count - i);
	if (own)
		freeifaddrs(own);
	return result;
}

/* --- before a change --- */

static bool learn(const struct names *names)
{
	__cleanup(names_free) struct names unknown = {};
	const __u64 now = clock_wall() / SECOND;

	for (size_t i = 0; i < names->count; i++) {
		__cleanup(dns_answer_free) struct dns_answer answer;

		if (dns_answer_read(names->name[i], &answer) || !answer.since ||
		    now > answer.due + FORGOTTEN)
			names_add(&unknown, names->name[i]);
	}
	if (!unknown.count || geteuid())
		return false;
	dns_renew(&unknown, true);
	return true;
}

bool dns_learn_site(const struct site *site)
{
	__cleanup(names_free) struct names names = {};

	dns_names_of_site(site, &names);
	return learn(&names);
}

void dns_learn_words(const struct names *words)
{
	__cleanup(names_free) struct names names = {};

	for (size_t i = 0; i < words->count; i++) {
		__free_text char *copy = xstrdup(words->name[i]);
		char *rest = strchr(copy, '='), *item;

		while (rest && (item = strsep(&rest, "=,"))) {
			__free_text char *name = NULL, *why = NULL;

			if (!strncmp(item, DNS_WORD, strlen(DNS_WORD)) &&
			    !dns_name_parse(item + strlen(DNS_WORD),
					    strlen(item) - strlen(DNS_WORD), &name, &why))
				names_add_once(&names, name);
		}
	}
	learn(&names);
}

int dns_site_open(const char *given, struct site *site, struct diag *diag)
{
	int err = site_open(given, site, diag);

	if (err || !dns_learn_site(site))
		return err;
	site_free(site);
	return site_open(given, site, diag);
}
