/* SPDX-License-Identifier: GPL-2.0 */
/* The outputs of `monitor`: lines of text or JSON, a pcapng file, the journal. */
#ifndef PORTCULLIS_COMMAND_MONITOR_OUTPUT_H
#define PORTCULLIS_COMMAND_MONITOR_OUTPUT_H

#include <jansson.h>

#include "bpf/abi.h"
#include "loader/command/options.h"
#include "loader/filter/listen.h"
#include "loader/report/pcapng.h"

#define MONITOR_CAPTURE 9216 /* bytes of a frame in --write; a jumbo frame fits */

/*
 * Opens the file of --write with the rights of the user who called sudo, without emptying it yet.
 * Call it before capabilities are dropped. -errno with a message.
 */
int monitor_open_file(struct options *options);
/* Removes the file if monitor_open_file has made it. */
void monitor_discard_file(const struct options *options);

struct monitor_output {
	const struct options *options;
	bool lines; /* text or JSON on stdout */
	bool named; /* lines of text name the interface */
	struct pcapng file;
	__u64 unrecorded; /* events that the journal refused */
	int err;	  /* a write failed; it is reported, unless it was to stdout */
};

int monitor_output_begin(struct monitor_output *output, const struct options *options, bool named);
/* Adds an interface. Interfaces are numbered from 0 in the order of these calls. */
void monitor_output_interface(struct monitor_output *output, const char *name, enum pc_frame frame,
			      const char *filter);

/* Writes an event, in JSON form, with its frame, for the interface of that number. `wall`: ns since
 * 1970. */
void monitor_output_event(struct monitor_output *output, __u32 interface, __u64 wall,
			  const struct pc_event *event, const __u8 *frame, const json_t *json);
/* Writes how many packets were lost since the last call. */
void monitor_output_lost(struct monitor_output *output, const char *name,
			 const struct listen_lost *lost);
/* Flushes everything. True: it is written; false: `err` is set. */
bool monitor_output_flush(struct monitor_output *output);
/* Writes the number of all packets that an interface lost to the file. */
void monitor_output_total(struct monitor_output *output, __u32 interface, __u64 wall, __u64 lost);
void monitor_output_end(struct monitor_output *output);

#endif
