// SPDX-License-Identifier: GPL-2.0
/* Lists the BPF programs at the TC hooks of an interface. */
#include "loader/object/tc_programs.h"

#include <bpf/bpf.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/net/netlink.h"
#include "loader/net/tc.h"

char *program_text(__u32 id)
{
	__close_fd int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length) || !info.name[0])
		return xasprintf("id %u", id);
	return xasprintf("'%.*s', id %u", (int)sizeof(info.name), info.name, id);
}

int programs_tcx(unsigned int ifindex, enum bpf_attach_type hook, struct programs *programs)
{
	LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = programs->id,
		    .prog_cnt = PROGRAMS_MOST);
	int err = bpf_prog_query_opts(ifindex, hook, &query);

	programs->count = err ? 0 : query.prog_cnt;
	return err;
}

void programs_clsact(unsigned int ifindex, __u32 parent, struct programs *programs)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	size_t i;

	if (netlink_open(NETLINK_ROUTE, &socket) ||
	    tc_filters_list(socket, ifindex, parent, &filters))
		return;
	for (i = 0; i < filters.count; i++) {
		/*
		 * Filters of u32 and other kinds are listed once for each table, so count only
		 * those with programs.
		 */
		if (!filters.filter[i].handle)
			continue;
		if (!filters.filter[i].program_id)
			programs->others++;
		else if (programs->count < PROGRAMS_MOST)
			programs->id[programs->count++] = filters.filter[i].program_id;
	}
}

char *programs_text(const struct programs *programs, __u32 own)
{
	struct names names = {};
	char *text;
	size_t i;

	for (i = 0; i < programs->count; i++) {
		__free_text char *one = NULL;

		if (programs->id[i] == own)
			continue;
		one = program_text(programs->id[i]);
		names_add(&names, one);
	}
	if (programs->others) {
		__free_text char *more = human_count(programs->others, "filter without a program",
						     "filters without a program");

		names_add(&names, more);
	}
	text = names_join(&names, "; ");
	names_free(&names);
	return text;
}
