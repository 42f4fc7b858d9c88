// SPDX-License-Identifier: GPL-2.0
/* To be preloaded: libbpf as on a kernel without tcx, which refuses these links with EINVAL. */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>

#define TCX_INGRESS 46
#define TCX_EGRESS  47

int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type,
		    const struct bpf_link_create_opts *opts)
{
	int (*real)(int, int, enum bpf_attach_type, const struct bpf_link_create_opts *) =
		dlsym(RTLD_NEXT, "bpf_link_create");

	if ((int)attach_type == TCX_INGRESS || (int)attach_type == TCX_EGRESS) {
		errno = EINVAL;
		return -EINVAL;
	}
	return real(prog_fd, target_fd, attach_type, opts);
}
