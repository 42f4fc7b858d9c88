// SPDX-License-Identifier: GPL-2.0
/* Our filter at the clsact of interfaces, for kernels before 6.6, which do not have tcx. */
#include "loader/filter/clsact.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/net/link.h"
#include "loader/net/netlink.h"
#include "loader/net/tc.h"
#include "loader/object/log.h"

#define PRIORITY_LAST 0xffff

int clsact_find(unsigned int ifindex, __u32 program_id)
{
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	int err = netlink_open(NETLINK_ROUTE, &socket);

	if (!err)
		err = tc_filters_list(socket, ifindex, TC_EGRESS, &filters);
	return err ? err : tc_filters_have(&filters, program_id);
}

int clsact_missing(unsigned int ifindex)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	enum tc_qdisc found = TC_QDISC_NONE;
	int err = netlink_open(NETLINK_ROUTE, &socket);

	if (!err)
		err = tc_qdisc_find(socket, ifindex, &found);
	return err ? err : found == TC_QDISC_NONE;
}

/* --- removing --- */

static bool is_ours(const struct tc_filters *filters, const struct tc_filter *filter,
		    __u32 program_id)
{
	size_t i;

	if (filter->program_id == program_id)
		return true;
	/* The kernel lists the head of a filter list, with the list's priority, like a filter. */
	for (i = 0; i < filters->count && !filter->handle; i++)
		if (filters->filter[i].program_id == program_id &&
		    filters->filter[i].parent == filter->parent &&
		    filters->filter[i].info == filter->info)
			return true;
	return false;
}

static int delete_filters(struct mnl_socket *socket, unsigned int ifindex,
			  const struct tc_filters *filters, __u32 program_id)
{
	size_t i;
	int err = 0;

	for (i = 0; i < filters->count && !err; i++)
		if (filters->filter[i].program_id == program_id)
			err = tc_filter_delete(socket, ifindex, &filters->filter[i]);
	return err == -ENOENT ? 0 : err;
}

/* Who made an interface's clsact. */
enum whose {
	WHOSE_THEIRS,
	WHOSE_OURS,
	WHOSE_OURS_WITH_FILTER, /* ours if it has our filter */
};

/*
 * Removes the clsact in one step if we made it and no other tool has a filter there, so that a
 * killed command leaves no empty clsact.
 */
static int remove_from(struct mnl_socket *socket, unsigned int ifindex, __u32 program_id,
		       enum whose whose)
{
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	enum tc_qdisc found = TC_QDISC_NONE;
	size_t i;
	int err = tc_filters_list(socket, ifindex, TC_EGRESS, &filters);

	if (!err && whose != WHOSE_THEIRS)
		err = tc_filters_list(socket, ifindex, TC_INGRESS, &filters);
	if (!err && whose != WHOSE_THEIRS)
		err = tc_qdisc_find(socket, ifindex, &found);
	if (err)
		return err;
	for (i = 0; i < filters.count; i++)
		if (!is_ours(&filters, &filters.filter[i], program_id))
			break;
	if (found == TC_QDISC_CLSACT && i == filters.count &&
	    (whose == WHOSE_OURS || tc_filters_have(&filters, program_id)))
		return tc_qdisc_delete(socket, ifindex);
	return delete_filters(socket, ifindex, &filters, program_id);
}

struct interfaces {
	unsigned int *ifindex;
	size_t count;
};

static void interfaces_free(struct interfaces *interfaces)
{
	free(interfaces->ifindex);
}

static int read_interface(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct interfaces *interfaces = data;

	interfaces->ifindex =
		grow(interfaces->ifindex, interfaces->count, sizeof(*interfaces->ifindex));
	interfaces->ifindex[interfaces->count++] = info->ifi_index;
	return MNL_CB_OK;
}

static int remove_from_all(struct mnl_socket *socket, __u32 program_id, unsigned int made,
			   enum whose whose)
{
	__cleanup(interfaces_free) struct interfaces interfaces = {};
	union netlink_buffer buffer;
	size_t i;
	int err;

	netlink_request(&buffer, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	err = netlink_ask(socket, &buffer, read_interface, &interfaces);
	for (i = 0; i < interfaces.count && !err; i++)
		err = remove_from(socket, interfaces.ifindex[i], program_id,
				  interfaces.ifindex[i] == made ? whose : WHOSE_THEIRS);
	return err;
}

int clsact_remove(unsigned int ifindex, __u32 program_id, bool made)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	int err = netlink_open(NETLINK_ROUTE, &socket);

	if (err)
		return err;
	return remove_from(socket, ifindex, program_id, made ? WHOSE_OURS : WHOSE_THEIRS);
}

/* --- all network namespaces --- */

struct sweep {
	__u32 program_id;
	const struct clsact_made *made;
	int own; /* the caller's network namespace */
	ino_t *seen;
	size_t count;
	int err;
};

/* A socket stays in the network namespace in which it was opened. */
static int open_in(int namespace, int own, struct mnl_socket **socket)
{
	int err;

	if (setns(namespace, CLONE_NEWNET))
		return -errno;
	err = netlink_open(NETLINK_ROUTE, socket);
	if (setns(own, CLONE_NEWNET)) {
		error("cannot return to the network namespace: %s", strerror(errno));
		abort();
	}
	return err;
}

/* Skips a file that is not a namespace, or whose namespace has just ended. */
static void sweep_one(struct sweep *sweep, const char *path)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	__close_fd int namespace = -1;
	struct stat st;
	size_t i;

	if (stat(path, &st))
		return;
	for (i = 0; i < sweep->count; i++)
		if (sweep->seen[i] == st.st_ino)
			return;
	sweep->seen = grow(sweep->seen, sweep->count, sizeof(*sweep->seen));
	sweep->seen[sweep->count++] = st.st_ino;
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace < 0 || open_in(namespace, sweep->own, &socket))
		return;
	if (!sweep->err)
		sweep->err =
			remove_from_all(socket, sweep->program_id,
					sweep->made->netns == st.st_ino ? sweep->made->ifindex : 0,
					sweep->made->whole ? WHOSE_OURS_WITH_FILTER : WHOSE_OURS);
}

static void sweep_folder(struct sweep *sweep, const char *folder, const char *below)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		__free_text char *path = NULL;

		if (entry->d_name[0] == '.')
			continue;
		path = xasprintf("%s/%s%s", folder, entry->d_name, below);
		sweep_one(sweep, path);
	}
	if (dir)
		closedir(dir);
}

int clsact_sweep(__u32 program_id, const struct clsact_made *made)
{
	__close_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct sweep sweep = {.program_id = program_id, .made = made, .own = own};

	if (own < 0)
		return -errno;
	sweep_one(&sweep, "/proc/self/ns/net");
	sweep_folder(&sweep, "/run/netns", "");
	sweep_folder(&sweep, "/proc", "/ns/net");
	free(sweep.seen);
	return sweep.err;
}

/* --- attaching --- */

/* Finds the first free priority. `*ahead`: another tool has a filter at a lower priority. */
static __u32 free_priority(const struct tc_filters *filters, bool *ahead)
{
	__u32 priority;
	size_t i;

	*ahead = false;
	for (priority = 1; priority < PRIORITY_LAST; priority++) {
		for (i = 0; i < filters->count; i++)
			if (filters->filter[i].info >> 16 == priority)
				break;
		if (i == filters->count)
			break;
		*ahead = true;
	}
	return priority;
}

/* An `ingress` qdisc accepts an egress filter, but runs it at ingress. */
static int check_qdisc(struct mnl_socket *socket, const char *interface, unsigned int ifindex)
{
	enum tc_qdisc found;
	int err = tc_qdisc_find(socket, ifindex, &found);

	if (err)
		return link_failed(interface, err, "cannot list its queueing disciplines");
	if (found != TC_QDISC_OTHER)
		return 0;
	error("%s: has a qdisc 'ingress', beside which this kernel has no hook for outgoing packets; make it a clsact, which takes the same filters: tc qdisc del dev %s ingress && tc qdisc add dev %s clsact, then add its filters again",
	      interface, interface, interface);
	return -EBUSY;
}

static int report_refusal(const char *interface, int err)
{
	__free_text char *words = libbpf_log_kernel_message();

	if (err == -ENODEV || err == -ENXIO)
		return link_failed(interface, err, "cannot attach to its clsact");
	error("%s: cannot attach to its clsact: %s%s%s%s%s", interface, words ? words : "",
	      words ? " (" : "", strerror(-err), words ? ")" : "",
	      err == -ENOENT ? "; modprobe -a sch_ingress cls_bpf may help" : "");
	return err;
}

static int add_filter(struct mnl_socket *socket, int program, __u32 program_id,
		      const char *interface, unsigned int ifindex)
{
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program);
	bool ahead;
	int err = tc_filters_list(socket, ifindex, TC_EGRESS, &filters);

	if (err || tc_filters_have(&filters, program_id))
		return err;
	options.priority = free_priority(&filters, &ahead);
	err = bpf_tc_attach(&hook, &options);
	if (!err && ahead)
		warning("%s: other filters run before ours at its clsact: packets that they redirect, drop or finally accept are neither learned nor filtered",
			interface);
	return err;
}

int clsact_attach(int program, __u32 program_id, const char *interface, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	bool created;
	int err = netlink_open(NETLINK_ROUTE, &socket);

	if (!err)
		err = check_qdisc(socket, interface, ifindex);
	if (err)
		return err;
	libbpf_log_start();
	err = bpf_tc_hook_create(&hook);
	created = !err;
	if (err == -EEXIST) {
		libbpf_log_start();
		err = 0;
	}
	if (!err)
		err = add_filter(socket, program, program_id, interface, ifindex);
	if (!err)
		return 0;
	if (created)
		remove_from(socket, ifindex, program_id, WHOSE_OURS);
	return report_refusal(interface, err);
}
