/* SPDX-License-Identifier: GPL-2.0 */
/* Reads and writes all values of an array map by one call: a call for each element takes minutes in
 * an emulated guest. */
#ifndef PORTCULLIS_TEST_ARRAYS_H
#define PORTCULLIS_TEST_ARRAYS_H

#include <linux/bpf.h>

/* `values`: those of all elements, each of the map's value size rounded up to 8. Both return 0 or
 * -errno. */
int array_read(int map, const struct bpf_map_info *info, void *values);
int array_write(int map, const struct bpf_map_info *info, const void *values);

#endif
