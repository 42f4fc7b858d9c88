/* SPDX-License-Identifier: GPL-2.0 */
/* Limits in the form in which users write them: how much one source may begin at a service. */
#ifndef PORTCULLIS_RECIPE_LIMIT_H
#define PORTCULLIS_RECIPE_LIMIT_H

#include <linux/types.h>

#include "loader/base/names.h"

#define LIMIT_COUNT_MAX	  1000000 /* the highest rate, and the highest burst */
#define LIMIT_REFILL_MAX  86400	  /* seconds in which a burst must be refilled */
#define LIMIT_BURST_LEAST 5	  /* the burst if none is given */
#define LIMIT_IPV4	  32	  /* prefix length that makes one source; also the next one */
#define LIMIT_IPV6	  64

/* A rate: a number for each unit of time. */
struct limit {
	unsigned int count;
	unsigned int unit;  /* seconds: 1, 60 or 3600 */
	unsigned int burst; /* 0: no burst is given */
	unsigned int ipv4, ipv6;
	struct names except; /* groups whose members are not limited */
};

/*
 * Reads "20/s", "600/m", "10/h", or "{rate: 20/s, burst: 60, per: {ipv4: 32, ipv6: 64}, except:
 * [GROUP]}" with some of these keys. Returns 0, or -EINVAL and what is wrong in `*why`, which the
 * caller frees. Call limit_free in both cases.
 */
int limit_parse(const char *text, struct limit *limit, char **why);
/* The shortest text that gives this limit in limit_parse; the caller frees. */
char *limit_text(const struct limit *limit);
void limit_free(struct limit *limit);

/* How many connections a source may begin at once. */
unsigned int limit_burst(const struct limit *limit);
/* The time between two connections at the rate, in ns. */
__u64 limit_interval(const struct limit *limit);
/*
 * The factor by which a packet from a source that may be forged weighs more than the rate says:
 * with a small burst, other sources in the same cell have less room.
 */
unsigned int limit_weight(const struct limit *limit);

#endif
