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
#include "loader/compile/tables.h"
#include "loader/recipe/site_interface.h"

#define KERNEL_OLDEST "5.10"

/*
 * The functions of this layer report an error themselves, where the object is known, and return
 * -errno; on failure nothing they made is left, and outputs are untouched, unless said otherwise.
 */

/* --- filter.c: one program with its maps --- */

/* The descriptors of a filter. */
enum filter_fd {
	FILTER_LINK, /* of XDP */
	FILTER_PROGRAM,
	FILTER_GENERATIONS,
	FILTER_TRIES,
	FILTER_STATE, /* the map `filter` */
	FILTER_COUNTERS,
	FILTER_TOTALS,
	FILTER_CARRIES,
	FILTER_RARE,
	FILTER_PAST,
	FILTER_FLOWS,
	FILTER_CONNECTIONS,
	FILTER_STREAMS,
	FILTER_LEARNED,
	FILTER_CAME_IN,
	FILTER_FRAGMENTS,
	FILTER_LARGE,
	FILTER_SHARED,
	FILTER_EGRESS,	    /* the egress program */
	FILTER_EGRESS_LINK, /* of a tcx hook; none with clsact */
	FILTER_FDS,
};

enum filter_fd_flags {
	FD_HEAD = 1,	  /* every layout has it, also one that this version does not know */
	FD_NAMESPACE = 2, /* one a network namespace: a new filter uses that of the others again */
	FD_COUNTS = 4,	  /* holds counts: a filter that takes another one over uses it again */
	FD_OPTIONAL = 8,  /* not every filter has it */
	FD_APART = 16,	  /* is pinned before or after the others, for what its pin says */
};

/* What is to be known of each: a new map is a row. */
extern const struct filter_descriptor {
	const char *pin;
	const char *map; /* its name in the BPF object; NULL: no map of that */
	unsigned int flags;
} filter_descriptor[FILTER_FDS];

/* One program with its maps. */
struct filter {
	char id[20];	    /* name of its folder below PINS; empty: not pinned */
	int fd[FILTER_FDS]; /* -1 where there is none */
	int emptied;	    /* the generation that filter_stop took away */
	/* Of the XDP hook, also one to come; 0: none, or its interface is gone. */
	unsigned int ifindex;
	struct installed {
		int generation;		    /* inner map of `generations` */
		int recipe;		    /* the recipe it was made from */
		struct pc_generation *copy; /* of the generation, NULL if there is none */
	} current;			    /* judges */
	struct installed next;
	struct installed fallback; /* of a current one that waits to be confirmed */
	struct installed reverted; /* was not confirmed in time, and gave way to the current one */
	struct slot_update *placing; /* of the next generation's trie, NULL: none under way */
	__u32 program_id;
	bool frags; /* after filter_load: it takes frames of several buffers */
};

#define INSTALLED_NONE ((struct installed){-1, -1, NULL})

#define FILTER_NONE                                           \
	((struct filter){.fd = {[0 ... FILTER_FDS - 1] = -1}, \
			 .emptied = -1,                       \
			 .current = {-1, -1, NULL},           \
			 .next = {-1, -1, NULL},              \
			 .fallback = {-1, -1, NULL},          \
			 .reverted = {-1, -1, NULL}})

/*
 * Loads programs and maps, for an interface whose frames begin so; nothing is attached or pinned.
 * If the kernel refuses a program, the end of the verifier's log and the kernel version that is
 * needed are in the message.
 */
int filter_load(struct filter *filter, enum pc_frame frame);
/*
 * The same with the flow maps of one filter and the counters of another. Where one of them has no
 * such map: with new ones, of `flows` entries in all, for the caller's network namespace; and with
 * room to count what `generation` lists, which may be NULL.
 */
int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *counters_of, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation);

/*
 * What the frames of an interface begin with in the eyes of the filter's program. 0 or -errno: it
 * cannot be told, as without root.
 */
int filter_frame(const struct filter *filter, enum pc_frame *frame);

/*
 * What a filter of any layout version is known by (pins and the head of the header are the same in
 * all): its descriptors, as far as it has them, and the judging generation's head and recipe. Says
 * nothing.
 */
struct other {
	struct filter filter;
	__u32 version;
	__u64 number, attached_at;
	char *recipe;
	bool waits;    /* to be confirmed; past its deadline, it is the fallback that is read */
	bool stand_in; /* it is one */
	char program_version[PC_VERSION_TEXT]; /* of our own layout only, else empty */
};

int filter_open_other(const char *id, struct other *other);
void other_close(struct other *other);

/* As filter_open, but says nothing. -EPROTO: another version made it. */
int filter_try_open(const char *id, struct filter *filter);

/*
 * Opens the pinned filter of that id. -ENOENT, silently, if it is none (half made or just removed).
 */
int filter_open(const char *id, struct filter *filter);
void filter_close(struct filter *filter);

/*
 * The id of the program of that filter, as its generations tell it to those who cannot open the
 * program. 0: there is no generation, or one of another version.
 */
int filter_program(const char *id, __u32 *program_id);

/*
 * Looks for a pinned generation that neither judges nor is a fallback: a command was killed before
 * it was committed, or (its number is lower) before the old one was cleared away. Takes it up as
 * `next`; `*batch` is its batch, 0 if there is none.
 */
int filter_left_over(struct filter *filter, __u64 *batch);

/* --- generation.c: what it judges by, and the recipe of that --- */

/*
 * A new generation is put in place in steps, so that several interfaces change together or not at
 * all:
 *
 *	filter_prepare	builds its maps beside the old ones and pins them if the filter is pinned;
 *			whatever can fail mostly fails here
 *	filter_commit	the switch: one update of `generations`; a packet sees the old one or the
 *			new one
 *	filter_finish	frees the old one
 *	filter_undo	before finish: back to the old one, also after commit
 *
 * `policy`, tables and recipe are the caller's; number and times are set here. `batch` is the same
 * for all interfaces of one command, by which the next command knows what a killed one left half
 * done.
 *
 * With `confirm` it is to be confirmed, else the one that judges now comes back. The time for that
 * begins with filter_arm. While one waits to be confirmed, the next one keeps its fallback, and
 * without `confirm` its deadline too.
 */
int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch, bool confirm);
int filter_commit(struct filter *filter);
void filter_finish(struct filter *filter);
void filter_undo(struct filter *filter);

/*
 * Waits until every packet that was being judged is through, also by a program that has just been
 * replaced. 0 or -errno.
 */
int filter_await_packets(const struct filter *filter);

/* All steps at once, for one interface. */
int filter_switch(struct filter *filter, const struct tables *tables, const char *recipe,
		  bool confirm);

/* Seconds until a generation's deadline, of which a part counts as one; 0: it is past, or none. */
unsigned int seconds_left(const struct pc_generation *generation);

/*
 * Sets the deadline (clock_boot) of the next generation, if it is to be confirmed. 0, or -errno
 * with a message.
 */
int filter_arm(struct filter *filter, __u64 deadline);

/*
 * Makes the current generation final, by one store. Returns 0 also if it is final already; -ETIME,
 * without a message, if it has been reverted.
 */
int filter_confirm(struct filter *filter);

/*
 * For a command that changes a filter which it has just opened: the deadline may have passed since
 * hook_settle. As filter_settle_reverted; a stand-in, which is to be detached: -ENOENT with a
 * message.
 */
int filter_ready(struct filter *filter, const char *interface);

/*
 * After its deadline: puts the fallback, which judges already, in the place of the reverted one,
 * and clears that away.
 */
int filter_settle_reverted(struct filter *filter);

/* The recipe of the current generation, NUL-ended; the caller frees. */
int filter_recipe(const struct filter *filter, char **recipe);

/* --- pins.c: the folder of a filter --- */

/*
 * A new folder (filter->id) with the egress program in it, by which the next command knows what a
 * killed one left at a clsact hook: before egress_attach.
 */
int filter_pin_egress(struct filter *filter);
/* Pins the rest, the XDP link last. The filter then outlives the process. */
int filter_pin(struct filter *filter);
/* Puts the egress link that the filter has now in the place of a lost one's pin. */
int filter_repin_egress(const struct filter *filter);
/* Removes the pins, the link's first. What cannot be removed is warned of, and collected later. */
void filter_unpin(const struct filter *filter);

/*
 * Takes a filter known by its links or its id off both hooks, and removes its pins. Also one that
 * is half made. It first lets everything pass: if that fails, -errno with a message, and nothing is
 * changed; what fails later is warned of, and the next command completes it.
 */
int filter_detach(struct filter *filter);
/* The first step alone, for several interfaces; and back, before the others. */
int filter_stop(struct filter *filter);
void filter_refill(const struct filter *filter);
/* Whether a command, at work or killed, has begun to detach that filter. */
bool filter_is_empty(const char *id);

/* --- memory.c: what it takes --- */

/* Bytes of kernel memory that the filter's maps and program take (fdinfo's memlock). */
__u64 filter_memory(const struct filter *filter);

/* --- share.c: what the filters of a network namespace have in common --- */

/*
 * Opens a filter of the caller's network namespace whose flow maps a new one is to share; left as
 * FILTER_NONE if there is none. `flows`: the size that was asked for, 0 for any; another one there:
 * a message and -EEXIST.
 */
int share_find(__u32 flows, struct filter *with);

/*
 * Tells the programs whether several interfaces of a network namespace have a filter, so that they
 * note what comes in by each: what is answered by another teaches nothing there.
 *
 *	share_several	before one more is hooked, for the caller's network namespace
 *	share_settle	at the end of a changing command: as it is then
 *
 * What cannot be done is warned of.
 */
void share_several(const struct filter *filter);
void share_settle(void);

/*
 * The number of flows that the maps of a filter hold, as --flows gives it: `connections` has half
 * of them. 0 if it cannot be told.
 */
__u32 share_flows(const struct filter *filter);

/* --- egress.c: the egress hook --- */

enum egress_hook {
	EGRESS_MISSING = 0,
	EGRESS_TCX,
	EGRESS_CLSACT,
};

/*
 * Where the egress program of a filter is attached, as seen in the caller's network namespace: enum
 * egress_hook, or -errno if it cannot be told.
 */
int egress_state(const struct filter *filter, unsigned int ifindex);

/*
 * Attaches the egress program in front of others: by tcx (filter->egress_link), or to clsact where
 * the kernel has no tcx. Nobody else's program or filter is touched.
 */
int egress_attach(struct filter *filter, const char *interface, unsigned int ifindex);

/*
 * Puts the egress program of `filter` in the place of another one's, at the same interface. A
 * packet meets one of them, or with clsact for a moment both.
 */
int egress_replace(struct filter *filter, const struct filter *old, const char *interface,
		   unsigned int ifindex);

/* Undoes it, if there is anything to undo. A clsact of our making goes unless others use it. */
int egress_detach(struct filter *filter, unsigned int ifindex);

/*
 * Removes what is left at clsact hooks of a folder of pins without its link, whichever interface
 * and network namespace it was attached in.
 */
int egress_sweep(const char *id);

/* --- hook.c: interfaces --- */

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

/* Whether the program that was found still holds the hook, and is not just being detached. */
bool hook_there(const struct hook *hook);

/* 0 if nobody's program is there; else -EBUSY with a message that names it. */
int hook_free(const struct hook *hook);

/* The filter of an interface by name; a message and -ENODEV or -ENOENT if there is none. */
int filter_of(const char *interface, const char *command, struct filter *filter);

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
int hook_settle(void);

/*
 * Attaches egress programs of the caller's network namespace that somebody took off, or that a move
 * to it lost, naming the interface. What cannot be mended is warned of.
 */
void hook_mend(void);

/* Both. */
int hook_collect(void);

#endif
