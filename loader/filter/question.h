/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asks a filter for its verdict on a packet that is not really sent. The filter's own programs
 * answer. They are loaded a second time, in a form that stores only the answer.
 */
#ifndef PORTCULLIS_FILTER_QUESTION_H
#define PORTCULLIS_FILTER_QUESTION_H

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"
#include "loader/net/frame_make.h"

struct question {
	struct filter filter;
	struct pc_explained *explained; /* mapped memory of the answer */
	enum pc_frame frame;
	unsigned int ifindex; /* 0: no interface */
	/*
	 * The kernel (XDP: before 5.15) takes no interface for a frame, so it may not find a socket
	 * that is bound to a device.
	 */
	bool blind;
	/* A TCP socket sends the outgoing packets in question. The program cannot see that. */
	bool sent_by_socket;
	bool told; /* true: ask with question_tell; false: with question_ask */
};

/*
 * For a filter that is attached to an interface of the caller's network namespace. The program uses
 * its maps: its active generation and its flows, and asks for sockets. `told`: neither flows nor
 * counts of limits are used; to ask for no sockets either, the caller enters an empty network
 * namespace. -errno with a message.
 */
int question_open(struct question *question, const struct filter *live, bool told);
/* For a filter that does not exist yet. The program has maps of its own, without flows. */
int question_open_new(struct question *question, const struct tables *tables, enum pc_frame frame,
		      unsigned int ifindex, bool told);
void question_close(struct question *question);

/*
 * Asks about a frame that comes in by the interface, or that this host sends by it (`out`).
 * -ENODATA: the filter has no generation, and passes everything; other -errno: the kernel does not
 * run the program. Prints nothing.
 */
int question_ask(struct question *question, const void *frame, size_t length, bool out,
		 struct pc_event *answer);

/* The state that the caller passes with a packet that was captured at another time. */
struct question_told {
	__u64 at;     /* the packet's time in ns: limits refill by it */
	__u32 second; /* the packet's CLOCK_BOOTTIME second: decides which bans and grants hold */
	__u8 what;    /* results of earlier packets: PC_TOLD_* */
	__u32 first_cell, first_second;
	bool limited; /* set by question_tell: a limit was asked about the packet */
};

/*
 * As question_ask, for a question with `told`: asks for neither sockets nor the interface. Limits
 * count the packet.
 */
int question_tell(struct question *question, const void *frame, size_t length, bool out,
		  struct question_told *told, struct pc_event *answer);

#endif
