/* SPDX-License-Identifier: GPL-2.0 */
/* The bench's helper: each measurement prints its raw samples, a JSON object on each line. */
#ifndef PORTCULLIS_BENCH_H
#define PORTCULLIS_BENCH_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "bpf/abi.h"

#define WORDS_MAX 64
#define LINES_MAX 512
#define CORES_MAX 2

struct frame {
	uint8_t data[1536];
	size_t length, ip, upper; /* the latter two: where these headers begin */
	bool random, high, to_one;
	unsigned int sources; /* 0: of any number */
	struct pc_flow flow;
};

/*
 * Builds "KIND FAMILY,PORT[,WORD]...", as in "syn4,25,vlan": a SYN, a segment ("ack") or datagram
 * ("udp") of an established flow with 10 bytes of payload, or the later fragment of a datagram
 * ("frag"), as they come in to this host's PORT; with "-" in front as this host sends it. It is as
 * long as the shortest frame of Ethernet with its checksum (64 bytes), or as it needs. Words:
 * "inside": from an address of the group `trusted`. "banned": from the second source of a flood of
 * few sources (IPv4 alone). "machine": to a machine behind this host. "from=N": from this port.
 * "vlan": with a tag. "extensions": with a hop-by-hop and a destination options header. "long":
 * 1,500 bytes. "random": sent with a new source and new ports each time. "high": of these the
 * destination's is above 61,439. "sources=N": random, from one of N sources. "to-one": of these the
 * destination's stays.
 */
int frame_build(const char *description, struct frame *frame);

struct bpf_object;

/* An interface, and the network namespace that has it; -1: this one. */
struct place {
	char interface[IF_NAMESIZE];
	unsigned int ifindex;
	int netns;
};

/* Finds "INTERFACE[@NAMESPACE]", a name of `ip netns`. Returns 0 or -errno, reported. */
int place_open(const char *what, struct place *place);

/* Moves this thread to the place's namespace; place_leave() back to the first one. */
int place_enter(const struct place *place);
void place_leave(const struct place *place);

/* One of a veth's counters, "xdp_packets" or "xdp_drops", of a receive queue; -1: of all. */
int veth_counter(const struct place *place, int queue, const char *counter, uint64_t *value);

/* Without an XDP program a veth only accepts redirected frames if it does GRO. */
int veth_gro_on(const struct place *place);

/* The time that this thread's CPU has worked for the measurement, without other threads' time. */
uint64_t busy_ns(void);

/* Runs this thread on one CPU only; -errno, reported. */
int hold_cpu(int cpu);

/*
 * The program that `what` names: "drop" and "pass" are XDP programs that do only this, "next" is
 * the same of TC, "reference:NAME" a program of reference.bpf.c: they are loaded. "egress:PLACE" is
 * Portcullis' TC program there, anything else a place's XDP program. Returns a descriptor or
 * -errno, reported.
 */
int program_open(const char *what);

/* An object file beside the helper; NULL with errno, reported. */
struct bpf_object *object_open(const char *file);

/* Loads an object for one of its programs, whose descriptor belongs to the object; -errno,
 * reported. */
int object_load(struct bpf_object *object, const char *name);

/* The map of that name that a program uses; -ENOENT, -errno. */
int program_map(int program, const char *name);

/* The meaning of the words "drop", "pass" (XDP) and "next" (TC); -EINVAL, reported, for others. */
int action_of(const char *word, int *action);

/*
 * Makes the host's state of the frame's flow: "established", "listening" (TCP sockets),
 * "connected" (a UDP socket), "learned" (in the program's map `flows`), "none". Sockets stay until
 * the process ends; the flow's addresses must be the place's.
 */
int state_make(const char *state, const struct frame *frame, const struct place *place,
	       int program);

/* A flood: its sender, its packets, and its receiver. */
struct flood {
	const char *work, *name, *frame_name;
	struct frame frame;
	struct place receiver;
	int action; /* of the receiver's program; -1: it has none */
	unsigned int sender;
	unsigned int cores;
	uint64_t frames; /* frames that the receiver accepted */
	char *wrong;	 /* what its program did instead of what is wanted */
	double *sample;
};

/*
 * Reads floods from standard input, lines of: WORK NAME SENDER RECEIVER FRAME drop|pass|stack STATE
 * CORES. Returns their count or -errno, reported.
 */
int floods_read(struct flood *flood, unsigned int rounds);

/* Selects the kind of the floods that follow. */
void flood_choose(const struct flood *flood);

/* Sends `count` frames of the selected flood. */
int flood_burst(const struct flood *flood, unsigned int count);

/* Checks whether the receiver's program did what is wanted with the packets that it accepted. */
void flood_judge(struct flood *flood, uint64_t packets, uint64_t drops);

void floods_print(const char *kind, const char *unit, const struct flood *flood, int floods,
		  unsigned int rounds);

uint64_t clock_ns(clockid_t clock);

/*
 * Reads the lines of standard input, each split into exactly `words`, into `row`. Returns their
 * count.
 */
size_t rows_read(char *(*row)[WORDS_MAX], size_t limit, size_t words);

/* Prints that a contender did something else than wanted, and so has no samples. */
void wrong_print(const char *work, const char *name, const char *reason);

/* Prints the samples as a JSON array under `name`, after a comma. */
void samples_print(const char *name, const double *sample, size_t count);

/* The measurements. They return an exit code. */
int bench_verdict(int argc, char **argv);
int bench_rate(int argc, char **argv);
int bench_load(int argc, char **argv);
int bench_send(int argc, char **argv);
int bench_idle(int argc, char **argv);
int bench_times(int argc, char **argv);
int bench_attach(int argc, char **argv);
int bench_fill(int argc, char **argv);
int bench_mark(int argc, char **argv);
int bench_gro(int argc, char **argv);
int bench_live(int argc, char **argv);
int bench_program(int argc, char **argv);

#endif
