// SPDX-License-Identifier: GPL-2.0
/* What the verifier has to look at: it is most of the time of an attach, a millisecond a thousand.
 */
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "tests/packet/check.h"
#include "tests/packet/suites.h"

/* Instructions of a program with all its functions, each as often as it is followed. */
#define VERIFIED_MOST 160000

static void count_verified(const struct runner *runner, enum filter_fd program, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	/* Linux before 5.16 does not tell. */
	if (check(!bpf_obj_get_info_by_fd(runner->filter.fd[program], &info, &length),
		  "%s: the kernel tells of it", name))
		check(info.verified_insns < VERIFIED_MOST,
		      "%s: the verifier looks at less than %u instructions (%u)", name,
		      VERIFIED_MOST, info.verified_insns);
}

void suite_verifier(struct runner *runner)
{
	count_verified(runner, FILTER_PROGRAM, "ingress");
	count_verified(runner, FILTER_EGRESS, "egress");
}
