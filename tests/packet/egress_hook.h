/* SPDX-License-Identifier: GPL-2.0 */
/* The egress program on a device: by tcx, or by clsact before Linux 6.6. */
#ifndef PORTCULLIS_TEST_EGRESS_HOOK_H
#define PORTCULLIS_TEST_EGRESS_HOOK_H

#include <bpf/libbpf.h>

#include "tests/packet/run.h"

struct egress_hook {
	int link;
	struct bpf_tc_hook clsact;
};

/* Both record an error; they return 0 or -errno. */
int egress_hook_open(const struct runner *runner, unsigned int device, struct egress_hook *hook);
void egress_hook_close(struct egress_hook *hook);

#endif
