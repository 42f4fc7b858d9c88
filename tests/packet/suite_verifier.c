// SPDX-License-Identifier: GPL-2.0
/* How much the verifier has to check: that is most of the time of an attach, a millisecond for each
 * thousand instructions. */
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "tests/packet/check.h"
#include "tests/packet/suites.h"

/*
 * Instructions of a program with all its functions, each counted as often as it is followed: the
 * number on Linux 6.18 with clang 14 or 19, whichever is greater, plus a tenth
 * (docs/performance.md).
 */
#define INGRESS_MOST 65000
#define EGRESS_MOST  53000

static void count_verified(const struct runner *runner, enum filter_fd program, const char *name,
			   __u32 most)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	/* Linux before 5.16 does not report it. */
	if (check(!bpf_obj_get_info_by_fd(runner->filter.fd[program], &info, &length),
		  "%s: the kernel tells of it", name))
		check(info.verified_insns < most,
		      "%s: the verifier looks at less than %u instructions (%u)", name, most,
		      info.verified_insns);
}

void suite_verifier(struct runner *runner)
{
	count_verified(runner, FILTER_PROGRAM, "ingress", INGRESS_MOST);
	count_verified(runner, FILTER_EGRESS, "egress", EGRESS_MOST);
}
