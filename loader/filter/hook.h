/* SPDX-License-Identifier: GPL-2.0 */
/* Interfaces: whose program holds the XDP hook. */
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

/*
 * The interface of that name in the caller's network namespace: -ENODEV with a message if there is
 * none.
 */
int hook_find(const char *interface, struct hook *hook);

/* Whether the program that was found still holds the hook, and is not just being detached. */
bool hook_there(const struct hook *hook);

/* The id of the link that holds the program at the hook; 0: there is none, or it cannot be seen. */
__u32 hook_link(const struct hook *hook);

/* 0 if no program is there; else -EBUSY with a message that names it. */
int hook_free(const struct hook *hook);

/* Says that the interface has no filter of ours (-ENOENT), or one whose pins are missing (-EIO). */
int hook_missing(const struct hook *hook, const char *command);

/*
 * Every interface of the caller's network namespace that a filter of ours holds; the caller frees
 * `*list`.
 */
int hook_list(struct hook **list, size_t *count);

/* A folder below PINS, and what its link holds. */
struct pinned {
	char id[20];
	bool link;	      /* false: a folder without one, half made or replaced */
	bool unseen;	      /* without privilege: whether there is one, is not known */
	unsigned int ifindex; /* 0: its interface is gone */
	__u32 held;	      /* the program that the link holds */
	__u32 program_id;     /* that of the folder */
};

/* Lists the folders; the caller frees `*list`. -errno with a message. */
int hook_pins(struct pinned **list, size_t *count);

/* Fills what holds the hook of `ifindex`, of which `list` knows the filters. Says nothing. */
int hook_query(unsigned int ifindex, const struct pinned *list, size_t count, struct hook *hook);

#endif
