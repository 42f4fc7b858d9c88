/* SPDX-License-Identifier: GPL-2.0 */
/* Runs frames through the loaded program and learns from the counters what it made of them. */
#ifndef PORTCULLIS_TEST_RUN_H
#define PORTCULLIS_TEST_RUN_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"
#include "loader/filter/question.h"
#include "tests/packet/frames.h"
#include "tests/packet/model.h"
#include "tests/packet/rows.h"

/* Bytes of one page that BPF_PROG_TEST_RUN leaves to a frame, at most; the rest becomes frags. */
#define RUN_LINEAR_MAX 3520
/* And the most of those: 17 pages (MAX_SKB_FRAGS). */
#define RUN_FRAGS_MAX  (17 * 4096)
#define RUN_FRAME_MAX  (RUN_LINEAR_MAX + RUN_FRAGS_MAX)
/* The least: an Ethernet header. */
#define RUN_FRAME_MIN  14
/* The most at egress, for kernels old and new. */
#define RUN_SEND_MAX   3500
/* As much of a frame in the linear part as fits. */
#define RUN_WHOLE      SIZE_MAX

struct runner {
	struct filter filter;
	/* Asked about each frame before it is run, and must say what becomes of it. */
	struct question question;
	enum pc_frame kind; /* of its frames */
	int echo;
	struct pc_filter *state; /* the maps `filter`, `counters` and `totals` */
	struct pc_page *pages, *totals;
	size_t row_pages, total_pages;
	struct pc_came_in *came_in;
	size_t least; /* bytes of a frame that must be linear: 0, or 14 on older kernels */
	unsigned int cpus;
	unsigned int cpu; /* where this process runs, so that only one row moves */
	__u64 *seen;	  /* by cell: what that row and the total had when it was last looked at */
};

/* What the program made of one frame. */
struct outcome {
	struct model_verdict verdict;
	const char *odd; /* NULL; or what no verdict explains: no count, two, wrong bytes.. */
};

/* Loads the filter and moves to the CPU. Reports errors; returns 0 or -errno. */
int runner_open(struct runner *runner, unsigned int cpu, enum pc_frame kind);
void runner_close(struct runner *runner);

/* Compiles the profile; errors end the process, for the profiles are this test's own. */
void profile_tables(const struct test_profile *profile, struct tables *tables);

/* Puts the tables in place and begins counting from zero. Returns 0 or -errno. */
int runner_switch(struct runner *runner, const struct tables *tables);

/* Zeroes every counter, those of the other CPUs and the carries too. */
void runner_zero(struct runner *runner);

/* Moves the process to another CPU, with its row of counters. */
void runner_move(struct runner *runner, unsigned int cpu);

/* Whether the kernel can run this frame at all: its length, and frags if it needs them. */
bool runner_takes(const struct runner *runner, const struct frame *frame, size_t linear);

/*
 * Runs a frame of which `linear` bytes are in the linear part (or RUN_WHOLE) and the rest in frags.
 * The cells of `guess`, if it is not NULL, are looked at first. Returns 0, or -errno of the run.
 */
int runner_run(struct runner *runner, const struct frame *frame, size_t linear,
	       const struct model_verdict *guess, struct outcome *outcome);

/* Whether the kernel runs it at egress: one buffer, and more than a part of an IP header. */
bool runner_sends(const struct frame *frame);

/* The same through the egress program, as sent by a local socket that is not connected. */
int runner_send(struct runner *runner, const struct frame *frame, const struct model_verdict *guess,
		struct outcome *outcome);

/* Runs it and does not look at the counters. Returns the XDP action or -errno. */
int runner_fire(const struct runner *runner, const struct frame *frame, size_t linear,
		unsigned int repeat);

/* The same at egress: the action by pointer, for it may be negative. 0 or -errno. */
int runner_fire_egress(const struct runner *runner, const struct frame *frame, int *action);

/* What both return for a verdict. */
int runner_action(const struct model_verdict *verdict, bool egress);

/*
 * Asks what `explain` says of a frame, before it is run: `length` 0: it is too long to be asked
 * about. Returns 0 or -errno. runner_explained: whether that is the verdict.
 */
int runner_explain(struct runner *runner, const struct frame *frame, bool egress,
		   struct pc_event *event);
bool runner_explained(const struct pc_event *event, const struct model_verdict *verdict);

/* What a cell of this CPU, and its total, have: as one wide word. */
__u64 runner_counted(const struct runner *runner, unsigned int cell);

/*
 * Whether every count of all CPUs was seen by runner_run: nothing counted aside, nothing carried.
 */
bool runner_settled(struct runner *runner);

/* A cell in the row of this CPU, read and set as a wide word (abi_counters.h). */
__u64 runner_word(const struct runner *runner, unsigned int cell);
void runner_set(struct runner *runner, unsigned int cell, __u64 packets, __u64 bytes);

/* The total of a cell, and its index, which is its key in `carries` too. */
__u64 *runner_shared(const struct runner *runner, unsigned int cell);
unsigned int runner_index(const struct runner *runner, unsigned int cell);

/* A cell of this CPU with its total and what was carried, in full. */
struct total {
	__u64 packets;
	__u64 bytes;
};
struct total runner_total(const struct runner *runner, unsigned int cell);

void outcome_print(const char *who, const struct outcome *outcome);
void verdict_print(const char *who, const struct model_verdict *verdict);

#endif
