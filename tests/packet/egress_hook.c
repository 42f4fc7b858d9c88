// SPDX-License-Identifier: GPL-2.0
/* The egress program on a device. */
#include "tests/packet/egress_hook.h"

#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/packet/check.h"

#define TCX_EGRESS ((enum bpf_attach_type)47) /* BPF_TCX_EGRESS, newer than some headers */

int egress_hook_open(const struct runner *runner, unsigned int device, struct egress_hook *hook)
{
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = runner->filter.fd[FILTER_EGRESS]);
	int err;

	*hook = (struct egress_hook){.clsact = {.sz = sizeof(hook->clsact),
						.ifindex = (int)device,
						.attach_point = BPF_TC_EGRESS}};
	hook->link =
		bpf_link_create(runner->filter.fd[FILTER_EGRESS], (int)device, TCX_EGRESS, NULL);
	if (hook->link >= 0)
		return 0;
	err = bpf_tc_hook_create(&hook->clsact);
	if (!err)
		err = bpf_tc_attach(&hook->clsact, &options);
	if (err)
		note("egress: %s", strerror(-err));
	return err;
}

void egress_hook_close(struct egress_hook *hook)
{
	if (hook->link >= 0) {
		close(hook->link);
		return;
	}
	hook->clsact.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS; /* the qdisc itself */
	bpf_tc_hook_destroy(&hook->clsact);
}
