/* SPDX-License-Identifier: GPL-2.0 */
/* The bench's helper: each measurement prints its raw samples, a JSON object a line. */
#ifndef PORTCULLIS_BENCH_H
#define PORTCULLIS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define WORDS_MAX 64

struct frame {
	uint8_t data[256];
	size_t length;
};

/*
 * Builds "tcp4,PORT[,SOURCE]", or tcp6, udp4, udp6: a SYN, or a datagram without payload. It is as
 * long as the shortest frame of Ethernet with its checksum (64 bytes), or as its headers need.
 */
int frame_build(const char *description, struct frame *frame);

/*
 * The program that `what` names: "drop" and "pass" are programs that do only this, and are loaded;
 * anything else is an interface of this network namespace, and its XDP program is opened.
 * Returns a descriptor or -errno, reported.
 */
int program_open(const char *what);

/* Loads a program that sends every frame out of an interface. */
int program_redirect(unsigned int ifindex);

/* XDP_DROP of "drop", XDP_PASS of "pass"; -EINVAL, reported, for any other word. */
int action_of(const char *word);

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
int bench_times(int argc, char **argv);
int bench_program(int argc, char **argv);

#endif
