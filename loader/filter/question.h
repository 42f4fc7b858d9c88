/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asks a filter for its verdict on a packet that is not sent. The programs that answer are the
 * filter's own, loaded once more so that they store nothing but the answer.
 */
#ifndef PORTCULLIS_FILTER_QUESTION_H
#define PORTCULLIS_FILTER_QUESTION_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"
#include "loader/net/frame_make.h"

struct question {
	struct filter filter;
	struct pc_explained *explained; /* the memory of the answer */
	enum pc_frame frame;
	unsigned int ifindex; /* 0: none */
	/*
	 * The kernel cannot be told the interface of a frame (XDP: before 5.15), so that a socket
	 * that is bound to a device may not be found.
	 */
	bool blind;
	/* A TCP socket sends the outgoing packets that are asked about: the program cannot see it.
	 */
	bool sent_by_socket;
	bool told; /* question_tell asks, else question_ask */
};

/*
 * For a filter that is attached to an interface of the caller's network namespace: on its maps, so
 * that its active generation, its flows and the sockets are asked. `told`: neither its flows nor
 * what its limits have counted, and no sockets if the caller has entered an empty network
 * namespace. -errno with a message.
 */
int question_open(struct question *question, const struct filter *live, bool told);
/* For a filter that is not there yet: on maps of its own, which have no flows. */
int question_open_new(struct question *question, const struct tables *tables, enum pc_frame frame,
		      unsigned int ifindex, bool told);
void question_close(struct question *question);

/*
 * Asks about a frame that comes in by the interface, or that this host sends by it (`out`).
 * -ENODATA: the filter has no generation, and passes everything;
 * other -errno: the kernel does not run the program. Silent.
 */
int question_ask(struct question *question, const void *frame, size_t length, bool out,
		 struct pc_event *answer);

/* The state that the caller supplies with a packet of another time. */
struct question_told {
	__u64 at;     /* its time, ns: limits fill again by it */
	__u32 second; /* CLOCK_BOOTTIME: bans and grants that have ended by then do not hold */
	__u8 what;    /* of the packets before: PC_TOLD_* */
	__u32 first_cell, first_second;
	bool limited; /* set by question_tell: a limit was asked about the packet */
};

/*
 * Likewise, for a question that is told: neither sockets nor the interface are asked. Limits count
 * the packet.
 */
int question_tell(struct question *question, const void *frame, size_t length, bool out,
		  struct question_told *told, struct pc_event *answer);

#endif
