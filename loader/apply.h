/* SPDX-License-Identifier: GPL-2.0 */
/* From the site file to the changes that make this network namespace what it says. */
#ifndef PORTCULLIS_APPLY_H
#define PORTCULLIS_APPLY_H

#include "loader/change.h"
#include "loader/options.h"

/* An interface that is to get its filter. */
struct wanted {
	const struct site_interface *site; /* what the file says of it */
	struct catalog *catalog;	   /* of its profiles */
	int ifindex;			   /* 0: it is not there */
	bool done;			   /* it is as wanted, or was left out */
};

/* One change: what is wanted, and what is there. */
struct apply_target {
	const struct wanted *wanted; /* NULL: the file does not name it */
	struct plan plan;
	json_t *kept; /* what is there was made from */
};

struct apply {
	const struct options *options;
	const struct site *site;
	struct wanted *wanted;
	size_t count;
	bool detaches; /* interfaces that the file does not name lose their filter */
	bool quiet;    /* what is as wanted is not told of */
	struct apply_target *target;
	struct changes changes; /* a change a target */
	bool changed;		/* something was */
	struct names left_out;	/* "eth1 (not there)" */
	size_t failed;		/* of these, those that are there */
};

/* Looks for the interfaces. Whether all are there. */
bool apply_find(struct apply *apply);

/* Room for a change of each wanted interface and each of `filters`; and takes all back. */
void apply_start(struct apply *apply, size_t filters);
void apply_end(struct apply *apply);

/*
 * Adds what is to be done with an interface that is there, if anything. Errors are said, those of
 * its profiles in `diag`: -errno, and apply_drop takes the change back.
 */
int apply_plan(struct apply *apply, const struct wanted *wanted, struct diag *diag);
void apply_drop(struct apply *apply);

/* Adds the detaches, of those of `hook` that the file does not name. */
void apply_plan_detaches(struct apply *apply, const struct hook *hook, size_t count);

#endif
