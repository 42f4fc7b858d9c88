/* SPDX-License-Identifier: GPL-2.0 */
/* Plans the changes that make this network namespace what the site file says. */
#ifndef PORTCULLIS_COMMAND_APPLY_PLAN_H
#define PORTCULLIS_COMMAND_APPLY_PLAN_H

#include "loader/command/options.h"
#include "loader/command/source.h"
#include "loader/filter/hold.h"
#include "loader/host/change.h"

/* An interface that is to get its filter. */
struct wanted {
	const struct site *of;		   /* the file, or the snapshot that was confirmed last */
	const struct site_interface *site; /* its part of `of` */
	struct catalog *catalog;	   /* has its profiles */
	struct plan plan;		   /* made once, by apply_check */
	int ifindex;			   /* 0: the interface is missing */
	bool done;			   /* it is as wanted, or was left out */
};

/* One change: what the interface should have, and what it has. */
struct apply_target {
	const struct wanted *wanted; /* NULL: the file does not name the interface */
	json_t *kept;		     /* recipe and services of the attached filter */
};

struct apply {
	const struct options *options;
	struct source *source;
	const struct site *site;
	bool lenient; /* --boot, --reload: each interface by itself, profiles as confirmed */
	const struct names *folders; /* of profiles, before all others; NULL: none */
	struct catalog *catalog;     /* of the file's profiles */
	struct snapshot *confirmed;  /* to fall back to; may be missing */
	struct wanted *wanted;
	size_t count;
	bool detaches; /* an interface that the file does not name loses its filter */
	bool quiet;    /* interfaces that are as wanted are not mentioned */
	struct apply_target *target;
	struct changes changes; /* a change a target */
	bool changed;		/* something was changed */
	bool settled;		/* changes_run has had the marks looked at (marks_settle) */
	bool alone;		/* each interface is tried by itself, after all together failed */
	bool waits;		/* an interface has a pending change */
	struct hold hold;	/* of an interface that udev has announced just now */
	bool was_tried;		/* the file was applied before, and not confirmed */
	bool tried;		/* the snapshot `trying` was written */
	bool fell_back;		/* an interface has the snapshot's filter, not the file's */
	struct names missing;	/* interfaces that do not exist */
	struct names left_out;	/* others: "eth1 (cannot be filtered)" */
	size_t failed;		/* how many of left_out exist */
};

/* Looks for the interfaces. True if all exist. */
bool apply_find(struct apply *apply);

/* Makes room for a change of each wanted interface and of each attached filter; frees it. */
void apply_start(struct apply *apply);
void apply_end(struct apply *apply);

/* Checks the words of an interface, and makes its plan. False: errors in `diag`, or on stderr. */
bool apply_check(const struct apply *apply, struct wanted *wanted, struct diag *diag);

/*
 * Adds the change of an interface that exists, if it needs one. -errno with a message; apply_drop
 * then removes the change.
 */
int apply_plan(struct apply *apply, const struct wanted *wanted);
void apply_drop(struct apply *apply);

/* Adds a detach of each filter whose interface the file does not name. */
void apply_plan_detaches(struct apply *apply);

#endif
