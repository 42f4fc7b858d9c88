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
 * True if members may read the pin of that name: counters, flows, generations and recipes. False
 * for links, because a process that has one open can detach it; and for programs, because members
 * could run them on forged packets (BPF_PROG_TEST_RUN), so that they learn flows.
 */
bool admins_read(const char *pin);

/* The group that may read the folder of pins, set by admins_share_all; 0: only root may. */
gid_t admins_group(void);

/* Lets the group read a pin, or the folder of a filter. Warns if it fails. */
void admins_share(const char *path);

/*
 * Lets the group (from admins_exist) read all pins below PINS, and reach them. NULL: there is no
 * group, and PINS is closed. Root's commands call it before they change anything.
 */
void admins_share_all(const gid_t *gid);

#endif
