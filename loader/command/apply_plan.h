/* SPDX-License-Identifier: GPL-2.0 */
/* From the site file to the changes that make this network namespace what it says. */
#ifndef PORTCULLIS_COMMAND_APPLY_PLAN_H
#define PORTCULLIS_COMMAND_APPLY_PLAN_H

#include "loader/command/options.h"
#include "loader/command/source.h"
#include "loader/filter/hold.h"
#include "loader/host/change.h"

/* An interface that is to get its filter. */
struct wanted {
	const struct site *of;		   /* the file, or what was confirmed last */
	const struct site_interface *site; /* what that says of it */
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
	struct source *source;
	const struct site *site;
	bool lenient; /* --boot, --reload: each interface by itself, profiles as confirmed */
	const struct names *folders; /* of profiles, before all others; NULL: none */
	struct catalog *catalog;     /* of the file's profiles */
	struct snapshot *confirmed;  /* what is fallen back to; it may not be there */
	struct wanted *wanted;
	size_t count;
	bool detaches; /* interfaces that the file does not name lose their filter */
	bool quiet;    /* what is as wanted is not told of */
	struct apply_target *target;
	struct changes changes; /* a change a target */
	bool changed;		/* something was */
	bool waits;		/* an interface is to be confirmed */
	struct hold hold;	/* of an interface that udev has announced just now */
	bool was_tried;		/* the file was applied before, and not confirmed */
	bool tried;		/* it is kept so that it is not confirmed */
	bool fell_back;		/* an interface is as it was confirmed last */
	struct names missing;	/* those that are not there */
	struct names left_out;	/* others: "eth1 (cannot be filtered)" */
	size_t failed;		/* of these, those that are there */
};

/* Looks for the interfaces. Whether all are there. */
bool apply_find(struct apply *apply);

/* Room for a change of each wanted interface and each of `filters`; and takes all back. */
void apply_start(struct apply *apply, size_t filters);
void apply_end(struct apply *apply);

/* Whether a plan can be made of it; else errors in `diag`, or said. */
bool apply_check(const struct apply *apply, const struct wanted *wanted, struct diag *diag);

/*
 * Adds what is to be done with an interface that is there, if anything. Errors are said, those of
 * its profiles in `diag`: -errno, and apply_drop takes the change back.
 */
int apply_plan(struct apply *apply, const struct wanted *wanted, struct diag *diag);
void apply_drop(struct apply *apply);

/* Adds the detaches, of those of `hook` that the file does not name. */
void apply_plan_detaches(struct apply *apply, const struct hook *hook, size_t count);

#endif
