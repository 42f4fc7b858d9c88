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
	__u32 program_id;    /* 0: none */
	enum hook_mode mode; /* of that program */
	char id[20];	     /* the filter's, empty if the program is not ours */
};

const char *hook_mode_name(enum hook_mode mode);

/* A folder below PINS, and the XDP link that is pinned in it. */
struct pinned {
	char id[20];
	bool link;	      /* false: a folder without one, half made or replaced */
	bool unseen;	      /* without privilege it is not known whether there is one */
	unsigned int ifindex; /* 0: its interface is gone */
	__u32 held;	      /* id of the program that the link holds */
	__u32 program_id;     /* id of the program that is pinned in the folder */
};

/*
 * The filters of this host, as one look at the folder of pins and at the interfaces found them. A
 * command reads them once, under the lock, and again only after it has attached or detached.
 */
struct hooks {
	struct pinned *pinned; /* every folder, of all network namespaces */
	size_t pins;
	struct hook *hook; /* every interface of the caller's network namespace that has a filter */
	size_t count;
};

/* Replaces what `hooks` has, {} at first. 0, or -errno with a message and `hooks` empty. */
int hooks_read(struct hooks *hooks);
void hooks_free(struct hooks *hooks);

/*
 * Finds the interface of that name in the caller's network namespace, and whose program is there.
 * -ENODEV with a message if there is no such interface.
 */
int hook_find(const struct hooks *hooks, const char *interface, struct hook *hook);

/* True if the program that was found still holds the hook, and is not just being detached. */
bool hook_there(const struct hook *hook);

/* The id of the link that holds the program at the hook; 0: there is none, or it cannot be seen. */
__u32 hook_link(const struct hook *hook);

/* 0 if no program is there; else -EBUSY with a message that names it. */
int hook_free(const struct hook *hook);

/* Reports that the interface has no filter of ours (-ENOENT), or one whose pins are missing (-EIO).
 */
int hook_missing(const struct hook *hook, const char *command);

/* Asks which program holds the hook of `ifindex`; `list` has the filters it may be of. Silent. */
int hook_query(unsigned int ifindex, const struct pinned *list, size_t count, struct hook *hook);

#endif
