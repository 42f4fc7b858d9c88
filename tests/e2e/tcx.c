// SPDX-License-Identifier: GPL-2.0
/* Holds a pinned program at an interface's tcx egress or XDP hook, as another tool would. */
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define TCX_EGRESS 47
#define TCX_BEFORE 8 /* BPF_F_BEFORE */

static int attach(int hook, int flags, const char *program, const char *interface, const char *pin)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(bpf_obj_get(program), if_nametoindex(interface),
				   (enum bpf_attach_type)hook, &options);

	return link < 0 ? link : bpf_obj_pin(link, pin);
}

int main(int argc, char **argv)
{
	int err = -1;

	if (argc == 5 && !strcmp(argv[1], "attach"))
		err = attach(TCX_EGRESS, 0, argv[2], argv[3], argv[4]);
	else if (argc == 5 && !strcmp(argv[1], "before"))
		err = attach(TCX_EGRESS, TCX_BEFORE, argv[2], argv[3], argv[4]);
	else if (argc == 5 && !strcmp(argv[1], "xdp"))
		err = attach(BPF_XDP, 0, argv[2], argv[3], argv[4]);
	else if (argc == 3 && !strcmp(argv[1], "detach"))
		err = bpf_link_detach(bpf_obj_get(argv[2]));
	else
		fprintf(stderr,
			"tcx attach|before|xdp PROGRAM-PIN IFACE LINK-PIN | tcx detach LINK-PIN\n");
	if (err)
		fprintf(stderr, "tcx: %s\n", strerror(errno));
	return err ? 1 : 0;
}
