/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads one XDP program of a BPF object in a thread, while libbpf loads the others. The verifier
 * takes most of the time of an attach, and can check several programs at a time.
 */
#ifndef PORTCULLIS_OBJECT_BESIDE_H
#define PORTCULLIS_OBJECT_BESIDE_H

#include <bpf/libbpf.h>

struct beside;

/*
 * Prepares for an object that the calling thread opens and loads afterwards. NULL: not possible;
 * libbpf then loads all programs.
 */
struct beside *beside_begin(void);

/* Chooses the program, of the section xdp. Call it before the object is loaded. */
void beside_choose(struct beside *beside, const struct bpf_program *program);

/*
 * Waits for the thread. Call it when libbpf has loaded the object. Returns the descriptor of the
 * program, which is closed with `beside` and the object; or -errno, without the verifier's log.
 */
int beside_wait(struct beside *beside);

/* Call it when the object is closed. */
void beside_end(struct beside **beside);

#endif
