/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the packet tests. Each prints its own TAP lines. */
#ifndef PORTCULLIS_TEST_SUITES_H
#define PORTCULLIS_TEST_SUITES_H

#include <stdint.h>

#include "tests/packet/run.h"

/* The rows through the model alone; needs no privilege. */
void suite_model(void);

/* The rows through the program, in one buffer and split at every byte of their headers. */
void suite_rows(struct runner *runner);

/* The rows again, and some more, for frames without an Ethernet header. */
void suite_bare(struct runner *runner);

/* Several frames one after the other, in and out, and the resulting state. */
void suite_scenes(struct runner *runner);

/* What is noted about packets to open ports if several interfaces have a filter. */
void suite_several(struct runner *runner);

/* The egress program on a device: forwarded packets, and packets of local sockets. */
void suite_forward(struct runner *runner);

/* How much the verifier checks. */
void suite_verifier(struct runner *runner);

/* The deadline of a pending change. */
void suite_deadline(struct runner *runner);

/* The limit of echo requests. */
void suite_echo(struct runner *runner);

/* Valid frames cut at every byte, with their lengths left wrong, and with corrected ones. */
void suite_cuts(struct runner *runner);

/* Frames of several pages, and headers that cross the end of a buffer. */
void suite_buffers(struct runner *runner);

/* Every value of one field after the other, against the model. */
void suite_sweeps(struct runner *runner);

/* Random frames against the model: `count` in all, shared among the profiles. */
void suite_random(struct runner *runner, uint64_t seed, uint64_t count, bool quick);

/* Puts bans and grants in place, for the filter and the model; or removes them. */
bool random_refusals(struct runner *runner, bool on);

/* The record of drops. `quick`: after a smaller flood. */
void suite_drops(struct runner *runner, bool quick);

/* The events that listeners get. */
void suite_listen(struct runner *runner);

/* Marks of local ports. */
void suite_marks(struct runner *runner);

/* Machines behind this host. `quick`: not every port. */
void suite_machines(struct runner *runner, bool quick);

/* Random frames for and from machines against the model. */
void suite_random_machines(struct runner *runner, uint64_t seed, bool quick);

/* Limits. `quick`: fewer forged sources. */
void suite_limits(struct runner *runner, bool quick);

/* Grants beside limits, bans and denied groups. */
void suite_grants(struct runner *runner);

/* Carries, sums over CPUs, a switch of the generation. */
void suite_counters(struct runner *runner);

#endif
