/* SPDX-License-Identifier: GPL-2.0 */
/* Runs frames through the loaded program, and reads from the counters what it did with them. */
#ifndef PORTCULLIS_TEST_RUN_H
#define PORTCULLIS_TEST_RUN_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"
#include "loader/filter/question.h"
#include "tests/packet/frames.h"
#include "tests/packet/model.h"
#include "tests/packet/rows.h"

/* Bytes of a page that BPF_PROG_TEST_RUN leaves for a frame, at most; the rest goes into frags. */
#define RUN_LINEAR_MAX 3520
/* The most bytes with frags: 17 pages (MAX_SKB_FRAGS). */
#define RUN_FRAGS_MAX  (17 * 4096)
#define RUN_FRAME_MAX  (RUN_LINEAR_MAX + RUN_FRAGS_MAX)
/* The fewest bytes: an Ethernet header. */
#define RUN_FRAME_MIN  14
/* The most bytes at egress, on old and new kernels. */
#define RUN_SEND_MAX   3500
/* Put as much of a frame into the linear part as fits. */
#define RUN_WHOLE      SIZE_MAX

struct runner {
	struct filter filter;
	/* `explain` is asked about each frame before it is run, and must predict the result. */
	struct question question;
	enum pc_frame kind; /* what its frames begin with */
	int echo;
	struct pc_filter *state; /* the maps `filter`, `counters` and `totals` */
	struct pc_page *pages, *totals;
	size_t row_pages, total_pages;
	struct pc_came_in *came_in;
	size_t least; /* bytes of a frame that must be linear: 0, or 14 on older kernels */
	unsigned int cpus;
	unsigned int cpu; /* CPU on which this process runs, so that only one row changes */
	/* for each cell: the counts of that row and of the total at the last look */
	__u64 *seen;
};

/* The result for one frame. */
struct outcome {
	struct model_verdict verdict;
	/* NULL; or what no verdict explains: no count, two counts, wrong bytes.. */
	const char *odd;
};

/* Loads the filter and moves to the CPU. Reports errors; returns 0 or -errno. */
int runner_open(struct runner *runner, unsigned int cpu, enum pc_frame kind);
void runner_close(struct runner *runner);

/* Compiles the profile. Errors end the process, because the profiles are this test's own. */
void profile_tables(const struct test_profile *profile, struct tables *tables);

/* Puts the tables in place and begins counting from zero. Returns 0 or -errno. */
int runner_switch(struct runner *runner, const struct tables *tables);

/* Zeroes every counter, also those of the other CPUs and the carries. */
void runner_zero(struct runner *runner);

/* Moves the process to another CPU with a row of counters. */
void runner_move(struct runner *runner, unsigned int cpu);

/* Whether the kernel can run this frame at all: its length, and frags if it needs them. */
bool runner_takes(const struct runner *runner, const struct frame *frame, size_t linear);

/*
 * Runs a frame of which `linear` bytes are in the linear part (or RUN_WHOLE) and the rest in frags.
 * The cells of `guess`, if not NULL, are read first. Returns 0, or -errno of the run.
 */
int runner_run(struct runner *runner, const struct frame *frame, size_t linear,
	       const struct model_verdict *guess, struct outcome *outcome);

/* Whether the kernel can run it at egress: in one buffer, and with more than a part of an IP
 * header. */
bool runner_sends(const struct frame *frame);

/* The same with the egress program, as if a local unconnected socket had sent it. */
int runner_send(struct runner *runner, const struct frame *frame, const struct model_verdict *guess,
		struct outcome *outcome);

/* Runs it without reading the counters. Returns the XDP action or -errno. */
int runner_fire(const struct runner *runner, const struct frame *frame, size_t linear,
		unsigned int repeat);

/* The same at egress. The action is returned by pointer, because it may be negative. 0 or
 * -errno. */
int runner_fire_egress(const struct runner *runner, const struct frame *frame, int *action);

/* The return value of both for a verdict. */
int runner_action(const struct model_verdict *verdict, bool egress);

/*
 * Asks `explain` about a frame before it is run; `length` 0: the frame is too long for that.
 * Returns 0 or -errno. runner_explained: whether the answer is the verdict.
 */
int runner_explain(struct runner *runner, const struct frame *frame, bool egress,
		   struct pc_event *event);
bool runner_explained(const struct pc_event *event, const struct model_verdict *verdict);

/* The count of a cell on this CPU and in its total, as one wide word. */
__u64 runner_counted(const struct runner *runner, unsigned int cell);

/*
 * Whether runner_run has seen every count of all CPUs: none was counted elsewhere, and none
 * carried.
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
