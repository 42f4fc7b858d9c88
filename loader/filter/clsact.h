/* SPDX-License-Identifier: GPL-2.0 */
/* Our filter on the egress side of an interface's clsact, beside those of others. */
#ifndef PORTCULLIS_FILTER_CLSACT_H
#define PORTCULLIS_FILTER_CLSACT_H

#include <stdbool.h>
#include <linux/types.h>

/* 1 if clsact_attach will have to make it, 0 if not, -errno. */
int clsact_missing(unsigned int ifindex);

/*
 * Adds a direct-action filter of the first free priority, and clsact itself if it is missing;
 * nothing if the program is there already. Returns 0 or -errno with a message.
 */
int clsact_attach(int program, __u32 program_id, const char *interface, unsigned int ifindex);

/* 1 if the program of this id is on the egress side, 0 if not, -errno. */
int clsact_find(unsigned int ifindex, __u32 program_id);

/*
 * Deletes the filter of this program; and clsact, if we have `made` it and no other filter is
 * there. Returns 0, also if there is none, or -errno.
 */
int clsact_remove(unsigned int ifindex, __u32 program_id, bool made);

/* A clsact that we made: of this interface in the network namespace of this inode. */
struct clsact_made {
	unsigned int ifindex; /* 0: none */
	unsigned long long netns;
	bool whole; /* the filter got there: an empty clsact is another one */
};

/*
 * Calls clsact_remove for all interfaces of every network namespace that has a name or a process.
 * Returns 0 or -errno.
 */
int clsact_sweep(__u32 program_id, const struct clsact_made *made);

#endif
