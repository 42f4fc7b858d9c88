/* SPDX-License-Identifier: GPL-2.0 */
/* Limits: how much one source may begin at a service, as users write it. */
#ifndef PORTCULLIS_RECIPE_LIMIT_H
#define PORTCULLIS_RECIPE_LIMIT_H

#include <linux/types.h>

#include "loader/base/names.h"

#define LIMIT_COUNT_MAX	  1000000 /* of a rate, and of a burst */
#define LIMIT_REFILL_MAX  86400	  /* seconds that a burst may take to come back */
#define LIMIT_BURST_LEAST 5	  /* unless another one is given */
#define LIMIT_IPV4	  32	  /* the prefix of one source, as the next one */
#define LIMIT_IPV6	  64

/* A rate: so many a unit. */
struct limit {
	unsigned int count;
	unsigned int unit;  /* seconds: 1, 60 or 3600 */
	unsigned int burst; /* 0: not given */
	unsigned int ipv4, ipv6;
	struct names except; /* groups whose members are not limited */
};

/*
 * Reads "20/s", "600/m", "10/h", or "{rate: 20/s, burst: 60, per: {ipv4: 32, ipv6: 64}, except:
 * [GROUP]}" with some of these keys. Returns 0, or -EINVAL and what is wrong in `*why`, which the
 * caller frees. limit_free is due in both cases.
 */
int limit_parse(const char *text, struct limit *limit, char **why);
/* The shortest text that limit_parse reads as this limit; the caller frees. */
char *limit_text(const struct limit *limit);
void limit_free(struct limit *limit);

/* How many a source may begin at once. */
unsigned int limit_burst(const struct limit *limit);
/* ns from one to the next, at the rate. */
__u64 limit_interval(const struct limit *limit);
/*
 * By how much what a forged source begins weighs more than what the rate says. A small burst leaves
 * less room for others in the same cell.
 */
unsigned int limit_weight(const struct limit *limit);

#endif
