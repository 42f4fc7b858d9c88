/* SPDX-License-Identifier: GPL-2.0 */
/* BPF objects: their pins in the folder of a filter, and their info from the kernel. */
#ifndef PORTCULLIS_OBJECT_PIN_H
#define PORTCULLIS_OBJECT_PIN_H

#include <bpf/bpf.h>
#include <linux/types.h>

/* The path of the folder `id` below PINS, or of the pin `name` in it; the caller frees. */
char *object_path(const char *id, const char *name);

/* Pins an object there. Returns 0, or -errno with a message. */
int object_pin(const char *id, const char *name, int fd);

/* Opens the pin. Returns a descriptor or -errno. */
int object_get(const char *id, const char *name);

/* Read what the kernel knows of an object. Return 0 or -errno. */
int object_map(int map, struct bpf_map_info *info);
int object_program(int program, __u32 *id);

/* The interface of an XDP or tcx link; 0: no link (-1), or a link that lost its interface. */
unsigned int object_interface(int link);

#endif
