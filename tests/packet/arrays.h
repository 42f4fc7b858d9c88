/* SPDX-License-Identifier: GPL-2.0 */
/* All values of an array map by one call: a call an element takes minutes in an emulated guest. */
#ifndef PORTCULLIS_TEST_ARRAYS_H
#define PORTCULLIS_TEST_ARRAYS_H

#include <linux/bpf.h>

/* `values`: of all elements, each of the map's size rounded up to 8. They return 0 or -errno. */
int array_read(int map, const struct bpf_map_info *info, void *values);
int array_write(int map, const struct bpf_map_info *info, const void *values);

#endif
