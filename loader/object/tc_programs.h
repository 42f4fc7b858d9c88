/* SPDX-License-Identifier: GPL-2.0 */
/* Lists the BPF programs at the TC hooks of an interface. */
#ifndef PORTCULLIS_OBJECT_TC_PROGRAMS_H
#define PORTCULLIS_OBJECT_TC_PROGRAMS_H

#include <bpf/bpf.h>
#include <stddef.h>
#include <linux/types.h>

/* Constants that the build's headers are too old to have. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

#define PROGRAMS_MOST 64 /* programs that one tcx hook takes */

struct programs {
	__u32 id[PROGRAMS_MOST];
	size_t count;
	size_t others; /* filters at clsact that run no program */
};

/* Lists the programs in the order in which they run. -EINVAL: the kernel has no tcx. */
int programs_tcx(unsigned int ifindex, enum bpf_attach_type hook, struct programs *programs);
/* Adds the programs of one side of clsact (TC_INGRESS, TC_EGRESS of net/tc.h). */
void programs_clsact(unsigned int ifindex, __u32 parent, struct programs *programs);

/* "'name', id 12", without what is unknown; the caller frees. */
char *program_text(__u32 id);
/* "'a', id 1; 'b', id 2" of all programs except `own`; the caller frees. */
char *programs_text(const struct programs *programs, __u32 own);

#endif
