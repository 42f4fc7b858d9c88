/* SPDX-License-Identifier: GPL-2.0 */
/* The administrators' group, whose members may read some pins without being root. */
#ifndef PORTCULLIS_OBJECT_ADMINS_H
#define PORTCULLIS_OBJECT_ADMINS_H

#include <stdbool.h>
#include <sys/types.h>

#define ADMINS "portcullis"

/*
 * False if this host has no such group, or lets every user load BPF programs, which could write the
 * maps that members may read (kernel.unprivileged_bpf_disabled=0). Then all pins are root's alone.
 */
bool admins_exist(gid_t *gid);

/*
 * True if members may read the pin of that name: counters, flows, generations and recipes. Never a
 * link, which a process that has it open can detach, nor a program, which they could run on packets
 * of their own making (BPF_PROG_TEST_RUN), and so have it learn flows.
 */
bool admins_read(const char *pin);

/* The group that the folder of pins is shared with, by admins_share_all; 0: it is root's alone. */
gid_t admins_group(void);

/* Gives the group a pin to read, or the folder of a filter. Warns if it fails. */
void admins_share(const char *path);

/*
 * Gives the group (admins_exist) all pins below PINS, and the way to them; closes PINS if there is
 * none: NULL. Called by root before it changes anything.
 */
void admins_share_all(const gid_t *gid);

#endif
