/* SPDX-License-Identifier: GPL-2.0 */
/* Lists the BPF programs at the TC hooks of an interface. */
#ifndef PORTCULLIS_OBJECT_TC_PROGRAMS_H
#define PORTCULLIS_OBJECT_TC_PROGRAMS_H

#include <bpf/bpf.h>
#include <stddef.h>
#include <linux/types.h>

/* Constants of newer headers than this is built with. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS  ((enum bpf_attach_type)47)

#define PROGRAMS_MOST 64 /* that one tcx hook takes */

struct programs {
	__u32 id[PROGRAMS_MOST];
	size_t count;
	size_t others; /* of clsact filters: those that run no program */
};

/* In the order in which they run. -EINVAL: the kernel has no tcx. */
int programs_tcx(unsigned int ifindex, enum bpf_attach_type hook, struct programs *programs);
/* Adds those of a side of clsact (TC_INGRESS, TC_EGRESS of net/tc.h). */
void programs_clsact(unsigned int ifindex, __u32 parent, struct programs *programs);

/* "'name', id 12", as far as it can be told; the caller frees. */
char *program_text(__u32 id);
/* "'a', id 1; 'b', id 2" of all but `own`; the caller frees. */
char *programs_text(const struct programs *programs, __u32 own);

#endif
