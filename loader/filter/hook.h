/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the filters of this host, and the program at an interface's XDP hook. */
#ifndef PORTCULLIS_FILTER_HOOK_H
#define PORTCULLIS_FILTER_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/recipe/site_interface.h"

/* The program at an interface's XDP hook. */
struct hook {
	char name[16];
	unsigned int ifindex;
	__u32 program_id;    /* 0: no program */
	enum hook_mode mode; /* mode of that program */
	char id[20];	     /* id of the filter; empty if the program is not ours */
};

const char *hook_mode_name(enum hook_mode mode);

/* A folder below PINS, and the XDP link that is pinned in it. */
struct pinned {
	char id[20];
	/* false: the folder has none: it is half made, or its filter was replaced */
	bool link;
	bool unseen;	      /* without privilege it is unknown whether there is a link */
	unsigned int ifindex; /* 0: the interface is gone */
	__u32 held;	      /* id of the program that the link holds */
	__u32 program_id;     /* id of the program that is pinned in the folder */
};

/*
 * The filters of this host: the folder of pins and the interfaces, read at one time. A command
 * reads them once, under the lock, and again only after it has attached or detached.
 */
struct hooks {
	struct pinned *pinned; /* every folder of pins, of all network namespaces */
	size_t pins;
	struct hook *hook; /* every interface of the caller's network namespace that has a filter */
	size_t count;
};

/* Reads the filters, and replaces the content of `hooks`, which is {} at first. 0, or -errno with a
 * message and `hooks` empty. */
int hooks_read(struct hooks *hooks);
void hooks_free(struct hooks *hooks);

/*
 * Finds the interface of that name in the caller's network namespace, and which program is at its
 * hook. -ENODEV with a message if there is no such interface.
 */
int hook_find(const struct hooks *hooks, const char *interface, struct hook *hook);

/* True if the program in `hook` is still at the hook, and is not just being detached. */
bool hook_there(const struct hook *hook);

/* The id of the link that holds the program at the hook; 0: no link, or it is not visible. */
__u32 hook_link(const struct hook *hook);

/* Returns 0 if no program is there; else -EBUSY with a message that names the program. */
int hook_free(const struct hook *hook);

/* Reports that the interface has no filter of ours, and returns -ENOENT; or that the filter's pins
 * are missing, and returns -EIO.
 */
int hook_missing(const struct hook *hook, const char *command);

/* Finds the program at the hook of `ifindex`; `list` has the filters that it may belong to. Prints
 * nothing. */
int hook_query(unsigned int ifindex, const struct pinned *list, size_t count, struct hook *hook);

#endif
