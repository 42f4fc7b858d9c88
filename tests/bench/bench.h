/* SPDX-License-Identifier: GPL-2.0 */
/* The bench's helper: each measurement prints its raw samples, a JSON object a line. */
#ifndef PORTCULLIS_BENCH_H
#define PORTCULLIS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "bpf/abi.h"

#define WORDS_MAX 64

struct frame {
	uint8_t data[256];
	size_t length;
	struct pc_flow flow;
};

/*
 * Builds "tcp4,PORT[,SOURCE]", or ack4, udp4, tcp6, ack6, udp6: a SYN, a segment or datagram of an
 * established flow with 10 bytes of payload, as they come in from SOURCE to this host's PORT; with
 * "-" in front as this host sends it. It is as long as the shortest frame of Ethernet with its
 * checksum (64 bytes), or as it needs.
 */
int frame_build(const char *description, struct frame *frame);

/*
 * The program that `what` names: "drop" and "pass" are XDP programs that do only this, "next" is
 * the same of TC, "reference:NAME" a program of reference.bpf.c: they are loaded. "egress:NAME" is
 * the TC program of an interface of this network namespace, anything else an interface's XDP
 * program. Returns a descriptor or -errno, reported.
 */
int program_open(const char *what);

/* Loads a program that sends every frame out of an interface. */
int program_redirect(unsigned int ifindex);

/* What the words "drop", "pass" (XDP) and "next" (TC) stand for; -EINVAL, reported, for others. */
int action_of(const char *word, int *action);

/*
 * Brings about what the host knows of the frame's flow: "established", "listening" (TCP sockets),
 * "connected" (a UDP socket), "learned" (in the program's map `flows`), "none". Sockets stay until
 * the process ends; the flow's addresses must be this namespace's.
 */
int state_make(const char *state, const struct frame *frame, const char *frame_name, int program);

uint64_t clock_ns(clockid_t clock);

/*
 * Reads the lines of standard input, each split into exactly `words`, into `row`. Returns their
 * count.
 */
size_t rows_read(char *(*row)[WORDS_MAX], size_t limit, size_t words);

/* Prints the samples as a JSON array under `name`, after a comma. */
void samples_print(const char *name, const double *sample, size_t count);

/* The measurements. They return an exit code. */
int bench_verdict(int argc, char **argv);
int bench_rate(int argc, char **argv);
int bench_send(int argc, char **argv);
int bench_times(int argc, char **argv);
int bench_attach(int argc, char **argv);
int bench_program(int argc, char **argv);

#endif
