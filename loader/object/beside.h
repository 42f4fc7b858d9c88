/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads one XDP program of a BPF object in a thread, while libbpf loads the others. The verifier
 * takes most of an attach, and looks at several programs at a time.
 */
#ifndef PORTCULLIS_OBJECT_BESIDE_H
#define PORTCULLIS_OBJECT_BESIDE_H

#include <bpf/libbpf.h>

struct beside;

/*
 * Prepares it for an object that this thread opens afterwards, and loads. NULL: it cannot be done,
 * and libbpf loads all.
 */
struct beside *beside_begin(void);

/* Chooses the program, of the section xdp, before the object is loaded. */
void beside_choose(struct beside *beside, const struct bpf_program *program);

/*
 * Waits for the thread, when libbpf has loaded the object. Returns the descriptor of the program,
 * which is closed with `beside` and the object; or -errno, without the verifier's log.
 */
int beside_wait(struct beside *beside);

/* When the object is closed. */
void beside_end(struct beside **beside);

#endif
