// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded: libbpf as on a kernel without tcx, which refuses these links with EINVAL. With
 * REFUSED=ERROR (see below) it refuses filters of clsact, too.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	static const struct {
		const char *name;
		int number;
	} errors[] = {{"ENOENT", ENOENT}, {"EPERM", EPERM}, {"ENODEV", ENODEV}};
	int (*real)(const struct bpf_tc_hook *, struct bpf_tc_opts *) =
		dlsym(RTLD_NEXT, "bpf_tc_attach");
	const char *refused = getenv("REFUSED");
	size_t i;

	for (i = 0; refused && i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strcmp(refused, errors[i].name))
			return -errors[i].number;
	return real(hook, opts);
}
