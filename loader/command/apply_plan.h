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
	const struct site_interface *site; /* its entry in `of` */
	struct catalog *catalog;	   /* catalog with its profiles */
	struct plan plan;		   /* made only once, by apply_check */
	int ifindex;			   /* 0: the interface does not exist */
	bool done;			   /* it is already as wanted, or was left out */
};

/* One change: the wanted state and the present state of an interface. */
struct apply_target {
	const struct wanted *wanted; /* NULL: the file does not name the interface */
	json_t *kept;		     /* recipe and services of the attached filter */
};

struct apply {
	const struct options *options;
	struct source *source;
	const struct site *site;
	/* --boot, --reload: handles each interface by itself, and uses the confirmed profiles */
	bool lenient;
	const struct names *folders; /* folders of profiles that are searched first; NULL: none */
	struct catalog *catalog;     /* catalog with the file's profiles */
	/* snapshot for interfaces whose entry is wrong; may be missing */
	struct snapshot *confirmed;
	struct wanted *wanted;
	size_t count;
	bool detaches; /* detach filters from interfaces that the file does not name */
	bool quiet;    /* do not print interfaces that are as wanted */
	struct apply_target *target;
	struct changes changes; /* a change for each target */
	bool changed;		/* a change was made */
	bool settled;		/* changes_run has already called marks_settle */
	bool alone;		/* try each interface by itself, after all together failed */
	bool waits;		/* an interface has a pending change */
	struct hold hold;	/* of an interface that udev has just announced */
	bool was_tried;		/* the file was applied before and not confirmed */
	bool tried;		/* the snapshot `trying` was written */
	/* an interface has the filter of the snapshot, not that of the file */
	bool fell_back;
	struct names missing;	/* names of interfaces that do not exist */
	struct names left_out;	/* other interfaces: "eth1 (cannot be filtered)" */
	size_t failed;		/* how many of left_out exist */
};

/* Looks up the interfaces. True if all exist. */
bool apply_find(struct apply *apply);

/* Allocates room for a change of each wanted interface and of each attached filter; frees it. */
void apply_start(struct apply *apply);
void apply_end(struct apply *apply);

/* Checks the words of an interface, and makes its plan. False: with errors in `diag` or on
 * stderr. */
bool apply_check(const struct apply *apply, struct wanted *wanted, struct diag *diag);

/*
 * Adds the change of an interface that exists, if it needs one. -errno with a message; apply_drop
 * then removes the change.
 */
int apply_plan(struct apply *apply, const struct wanted *wanted);
void apply_drop(struct apply *apply);

/* Adds a detach for each filter whose interface the file does not name. */
void apply_plan_detaches(struct apply *apply);

#endif
