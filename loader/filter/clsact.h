/* SPDX-License-Identifier: GPL-2.0 */
/* Our filter on the egress side of an interface's clsact, beside those of others. */
#ifndef PORTCULLIS_FILTER_CLSACT_H
#define PORTCULLIS_FILTER_CLSACT_H

#include <stdbool.h>
#include <linux/types.h>

/* Returns 1 if clsact_attach will have to make the clsact, 0 if not, -errno. */
int clsact_missing(unsigned int ifindex);

/*
 * Adds a direct-action filter of the first free priority, and clsact itself if it is missing;
 * does nothing if the program is already there. Returns 0 or -errno with a message.
 */
int clsact_attach(int program, __u32 program_id, const char *interface, unsigned int ifindex);

/* Returns 1 if the program of this id is on the egress side, 0 if not, -errno. */
int clsact_find(unsigned int ifindex, __u32 program_id);

/*
 * Deletes the filter of this program; and clsact, if we `made` it and no other filter is there.
 * Returns 0, also if the filter is not there, or -errno.
 */
int clsact_remove(unsigned int ifindex, __u32 program_id, bool made);

/* A clsact that we made, by its interface and the inode of its network namespace. */
struct clsact_made {
	unsigned int ifindex; /* 0: we made none */
	unsigned long long netns;
	bool whole; /* our filter was added; so an empty clsact there is another tool's */
};

/*
 * Calls clsact_remove for all interfaces of every network namespace that has a name or a process.
 * Returns 0 or -errno.
 */
int clsact_sweep(__u32 program_id, const struct clsact_made *made);

#endif
