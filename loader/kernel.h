/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's side: load a filter, switch its generation, hold it by pins, hook it to interfaces.
 */
#ifndef PORTCULLIS_KERNEL_H
#define PORTCULLIS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "loader/compile.h"
#include "loader/util.h"

#define KERNEL_OLDEST "5.10"
#define BPFFS	      "/sys/fs/bpf"
#define PINS	      BPFFS "/portcullis"

/*
 * The functions of this layer report an error themselves, where the object is known, and return
 * -errno; on failure nothing they made is left, and outputs are untouched, unless said otherwise.
 */

/*
 * Capabilities that loading and attaching need; -EPERM with a message that names the missing ones.
 */
int kernel_privileged(const char *command);

/* --- bpffs.c: the folder of pins, and the lock --- */

/*
 * Makes sure that bpffs is mounted at /sys/fs/bpf and that PINS is root's with mode 0700: mounts it
 * and makes the folder if `create`. Refuses a mount namespace of its own (`ip netns exec`), where
 * pins would vanish with the command. Returns 1 if it is there, 0 if not and `create` is false.
 */
int pins_ready(bool create);

/*
 * Holds the lock of all changing commands, waiting for another one at most 30 s. PINS must exist.
 */
int pins_lock(int *lock);

/* --- filter.c: one program with its maps --- */

/* Descriptors; -1 where there is none. */
struct filter {
	char id[20]; /* name of its folder below PINS; empty: not pinned */
	int program;
	int link;
	int generations;
	int tries;
	int counters;
	int carries;
	struct installed {
		int generation;		    /* inner map of `generations` */
		int recipe;		    /* the recipe it was made from */
		struct pc_generation *copy; /* of the generation, NULL if there is none */
	} current, next;
	struct outer_update *placing; /* of the next generation's trie, NULL: none under way */
	__u32 program_id;
	bool frags; /* after filter_load: it takes frames of several buffers */
};

#define FILTER_NONE                                 \
	((struct filter){.program = -1,             \
			 .link = -1,                \
			 .generations = -1,         \
			 .tries = -1,               \
			 .counters = -1,            \
			 .carries = -1,             \
			 .current = {-1, -1, NULL}, \
			 .next = {-1, -1, NULL}})

/*
 * Loads program and maps; nothing is attached or pinned. If the kernel refuses the program, the end
 * of the verifier's log and the kernel version that is needed are in the message.
 */
int filter_load(struct filter *filter);

/* As filter_open, but says nothing. -EPROTO: another version made it. */
int filter_try_open(const char *id, struct filter *filter);

/*
 * Opens the pinned filter of that id. -ENOENT, silently, if it is none (half made or just removed).
 */
int filter_open(const char *id, struct filter *filter);
void filter_close(struct filter *filter);

/*
 * A new generation is put in place in steps, so that several interfaces change together or not at
 *all:
 *
 *	filter_prepare	builds its maps beside the old ones and pins them if the filter is pinned;
 *			whatever can fail mostly fails here
 *	filter_commit	the switch: one update of `generations`; a packet sees the old one or the
 *new one filter_finish	frees the old one filter_undo	before finish: back to the old one, also
 *after commit
 *
 * `policy`, tables and recipe are the caller's; number and times are set here. `batch` is the same
 *for all interfaces of one command, by which the next command knows what a killed one left half
 *done.
 */
int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch);
int filter_commit(struct filter *filter);
void filter_finish(struct filter *filter);
void filter_undo(struct filter *filter);

/* All steps at once, for one interface. */
int filter_switch(struct filter *filter, const struct tables *tables, const char *recipe);

/*
 * Looks for a pinned generation that is not the one that judges: a command was killed before it was
 * committed, or (its number is lower) before the old one was cleared away. Takes it up as `next`;
 * `*batch` is its batch, 0 if there is none.
 */
int filter_pending(struct filter *filter, __u64 *batch);

/* The recipe of the current generation, NUL-ended; the caller frees. */
int filter_recipe(const struct filter *filter, char **recipe);

/* Bytes of kernel memory that the filter's maps and program take (fdinfo's memlock). */
__u64 filter_memory(const struct filter *filter);

/* The filter of an interface by name; a message and -ENODEV or -ENOENT if there is none. */
int filter_of(const char *interface, const char *command, struct filter *filter);

/* Detaches a filter known by its link or its id, and removes its pins. */
int filter_detach(struct filter *filter);

/*
 * Pins a loaded filter, with its link, in a new folder (filter->id). It then outlives the process.
 */
int filter_pin(struct filter *filter);
/* Removes the pins, the link's first. */
int filter_unpin(const struct filter *filter);

/* --- hook.c: interfaces --- */

enum hook_mode {
	HOOK_AUTO, /* native, else generic with a warning that says why */
	HOOK_NATIVE,
	HOOK_GENERIC,
};

/* What holds an interface's XDP hook. */
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

/* Whether the program that was found still holds the hook. */
bool hook_there(const struct hook *hook);

/* 0 if nobody's program is there; else -EBUSY with a message that names it. */
int hook_free(const struct hook *hook);

/* Says that the interface has no filter of ours (-ENOENT), or one whose pins are missing (-EIO). */
int hook_missing(const struct hook *hook, const char *command);

/*
 * Every interface of the caller's network namespace that a filter of ours holds; the caller frees
 * `*list`.
 */
int hook_list(struct hook **list, size_t *count);

/*
 * Attaches by a bpf_link (filter->link). `*mode` goes in as asked and comes out as it became.
 * A program of somebody else there: -EBUSY with its id and name.
 */
int hook_attach(struct filter *filter, const struct hook *hook, enum hook_mode *mode);

/*
 * Removes what killed commands and deleted interfaces left behind, and completes a swap of several
 * interfaces that was killed half way, naming them. The lock must be held. -errno with a message if
 * it cannot tell what is there; a filter that another version made is left alone.
 */
int hook_collect(void);

#endif
