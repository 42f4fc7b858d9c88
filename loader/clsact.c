// SPDX-License-Identifier: GPL-2.0
/* Filters of clsact, by rtnetlink: for kernels before 6.6, which have no tcx. */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/clsact.h"
#include "loader/libbpf_log.h"
#include "loader/util.h"

#define DUMP_SIZE     32768 /* bytes: the kernel fills as much of a dump's message as it may */
#define PRIORITY_LAST 0xffff

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS	TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

/* --- requests --- */

typedef struct mnl_socket *tc_socket;

static void tc_close(tc_socket *socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

/* In the network namespace that the process is in; it stays there. */
static int tc_open(tc_socket *socket)
{
	tc_socket opened = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err;

	if (!opened)
		return -errno;
	if (mnl_socket_bind(opened, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(opened);
		return err;
	}
	*socket = opened;
	return 0;
}

static struct tcmsg *put_request(char *buffer, int type, int flags, unsigned int ifindex,
				 __u32 parent)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct tcmsg *message;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->tcm_family = AF_UNSPEC;
	message->tcm_ifindex = ifindex;
	message->tcm_parent = parent;
	return message;
}

/* Sends the request in `buffer`, of DUMP_SIZE bytes, and reads all that answers it. */
static int exchange(tc_socket socket, char *buffer, mnl_cb_t read, void *data)
{
	ssize_t length;
	int more = MNL_CB_OK;

	if (mnl_socket_sendto(socket, buffer, ((struct nlmsghdr *)buffer)->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		length = mnl_socket_recvfrom(socket, buffer, DUMP_SIZE);
		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(socket), read, data);
		if (more < 0)
			return -errno;
	}
	return 0;
}

/* Keeps each attribute in an array of TCA_MAX + 1. */
static int keep_attribute(const struct nlattr *attribute, void *data)
{
	const struct nlattr **kept = data;

	if (mnl_attr_get_type(attribute) <= TCA_MAX)
		kept[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static bool is_kind(const struct nlattr **attribute, const char *kind)
{
	return attribute[TCA_KIND] && !strcmp(mnl_attr_get_str(attribute[TCA_KIND]), kind);
}

/* --- reading filters --- */

struct tc_filter {
	__u32 parent;
	__u32 handle;
	__u32 info; /* priority << 16 | protocol */
	__u32 chain;
	__u32 program_id; /* 0: it runs none */
};

struct tc_filters {
	__u32 parent;
	struct tc_filter *filter;
	size_t count;
};

static void tc_filters_free(struct tc_filters *filters)
{
	free(filters->filter);
}

static int read_option(const struct nlattr *attribute, void *data)
{
	struct tc_filter *filter = data;

	if (mnl_attr_get_type(attribute) == TCA_BPF_ID &&
	    !mnl_attr_validate(attribute, MNL_TYPE_U32))
		filter->program_id = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

/* Only of the kind bpf do the options mean what read_option reads. */
static int read_filter(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute[TCA_MAX + 1] = {};
	struct tc_filters *filters = data;
	struct tc_filter filter = {
		.parent = filters->parent, .handle = head->tcm_handle, .info = head->tcm_info};

	mnl_attr_parse(message, sizeof(*head), keep_attribute, attribute);
	if (attribute[TCA_CHAIN])
		filter.chain = mnl_attr_get_u32(attribute[TCA_CHAIN]);
	if (is_kind(attribute, "bpf") && attribute[TCA_OPTIONS])
		mnl_attr_parse_nested(attribute[TCA_OPTIONS], read_option, &filter);
	filters->filter = grow(filters->filter, filters->count, sizeof(filter));
	filters->filter[filters->count++] = filter;
	return MNL_CB_OK;
}

/* Adds the filters of one side; none if the interface has no clsact, or is gone. */
static int list_filters(tc_socket socket, unsigned int ifindex, __u32 parent,
			struct tc_filters *filters)
{
	char buffer[DUMP_SIZE];

	filters->parent = parent;
	put_request(buffer, RTM_GETTFILTER, NLM_F_DUMP, ifindex, parent);
	return exchange(socket, buffer, read_filter, filters);
}

static bool has_program(const struct tc_filters *filters, __u32 program_id)
{
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (filters->filter[i].program_id == program_id)
			return true;
	return false;
}

int clsact_find(unsigned int ifindex, __u32 program_id)
{
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	__cleanup(tc_close) tc_socket socket = NULL;
	int err = tc_open(&socket);

	if (!err)
		err = list_filters(socket, ifindex, EGRESS, &filters);
	return err ? err : has_program(&filters, program_id);
}

/* --- the qdisc --- */

enum at_ingress {
	AT_INGRESS_NOTHING,
	AT_INGRESS_CLSACT,
	AT_INGRESS_OTHER, /* the older `ingress`, in the same place */
};

struct qdisc_search {
	unsigned int ifindex;
	enum at_ingress found;
};

static int read_qdisc(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(message);
	struct qdisc_search *search = data;
	const struct nlattr *attribute[TCA_MAX + 1] = {};

	if ((unsigned int)head->tcm_ifindex != search->ifindex || head->tcm_parent != TC_H_CLSACT)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*head), keep_attribute, attribute);
	search->found = is_kind(attribute, "clsact") ? AT_INGRESS_CLSACT : AT_INGRESS_OTHER;
	return MNL_CB_OK;
}

static int find_qdisc(tc_socket socket, unsigned int ifindex, enum at_ingress *found)
{
	struct qdisc_search search = {.ifindex = ifindex};
	char buffer[DUMP_SIZE];
	int err;

	put_request(buffer, RTM_GETQDISC, NLM_F_DUMP, ifindex, 0);
	err = exchange(socket, buffer, read_qdisc, &search);
	*found = search.found;
	return err;
}

bool clsact_missing(unsigned int ifindex)
{
	__cleanup(tc_close) tc_socket socket = NULL;
	enum at_ingress found;

	return !tc_open(&socket) && !find_qdisc(socket, ifindex, &found) &&
	       found == AT_INGRESS_NOTHING;
}

static int delete_clsact(tc_socket socket, unsigned int ifindex)
{
	char buffer[DUMP_SIZE];
	struct tcmsg *message = put_request(buffer, RTM_DELQDISC, NLM_F_ACK, ifindex, TC_H_CLSACT);

	message->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz((struct nlmsghdr *)buffer, TCA_KIND, "clsact");
	return exchange(socket, buffer, NULL, NULL);
}

/* --- removing --- */

static int delete_filter(tc_socket socket, unsigned int ifindex, const struct tc_filter *filter)
{
	char buffer[DUMP_SIZE];
	struct nlmsghdr *request = (struct nlmsghdr *)buffer;
	struct tcmsg *message =
		put_request(buffer, RTM_DELTFILTER, NLM_F_ACK, ifindex, filter->parent);

	message->tcm_handle = filter->handle;
	message->tcm_info = filter->info;
	mnl_attr_put_strz(request, TCA_KIND, "bpf");
	mnl_attr_put_u32(request, TCA_CHAIN, filter->chain);
	return exchange(socket, buffer, NULL, NULL);
}

static bool is_ours(const struct tc_filters *filters, const struct tc_filter *filter,
		    __u32 program_id)
{
	size_t i;

	if (filter->program_id == program_id)
		return true;
	/* The head of a list of filters, of which it has the priority, is shown like one. */
	for (i = 0; i < filters->count && !filter->handle; i++)
		if (filters->filter[i].program_id == program_id &&
		    filters->filter[i].parent == filter->parent &&
		    filters->filter[i].info == filter->info)
			return true;
	return false;
}

static int delete_filters(tc_socket socket, unsigned int ifindex, const struct tc_filters *filters,
			  __u32 program_id)
{
	size_t i;
	int err = 0;

	for (i = 0; i < filters->count && !err; i++)
		if (filters->filter[i].program_id == program_id)
			err = delete_filter(socket, ifindex, &filters->filter[i]);
	return err == -ENOENT ? 0 : err;
}

/*
 * With `made`, a clsact in which nobody else has a filter goes, and ours with it: in one step, so
 * that a killed command leaves no empty one.
 */
static int remove_from(tc_socket socket, unsigned int ifindex, __u32 program_id, bool made)
{
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	enum at_ingress found = AT_INGRESS_NOTHING;
	size_t i;
	int err = list_filters(socket, ifindex, EGRESS, &filters);

	if (!err && made)
		err = list_filters(socket, ifindex, INGRESS, &filters);
	if (!err && made)
		err = find_qdisc(socket, ifindex, &found);
	if (err)
		return err;
	for (i = 0; i < filters.count; i++)
		if (!is_ours(&filters, &filters.filter[i], program_id))
			break;
	if (found == AT_INGRESS_CLSACT && i == filters.count)
		return delete_clsact(socket, ifindex);
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

static int remove_from_all(tc_socket socket, __u32 program_id, unsigned int made)
{
	__cleanup(interfaces_free) struct interfaces interfaces = {};
	char buffer[DUMP_SIZE];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	size_t i;
	int err;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	err = exchange(socket, buffer, read_interface, &interfaces);
	for (i = 0; i < interfaces.count && !err; i++)
		err = remove_from(socket, interfaces.ifindex[i], program_id,
				  interfaces.ifindex[i] == made);
	return err;
}

int clsact_remove(unsigned int ifindex, __u32 program_id, bool made)
{
	__cleanup(tc_close) tc_socket socket = NULL;
	int err = tc_open(&socket);

	if (err)
		return err;
	return remove_from(socket, ifindex, program_id, made);
}

/* --- all network namespaces --- */

struct sweep {
	__u32 program_id;
	const struct clsact_made *made;
	int own; /* the caller's namespace */
	ino_t *seen;
	size_t count;
	int err;
};

/* A socket keeps the namespace that it was opened in. */
static int open_in(int namespace, int own, tc_socket *socket)
{
	int err;

	if (setns(namespace, CLONE_NEWNET))
		return -errno;
	err = tc_open(socket);
	if (setns(own, CLONE_NEWNET)) {
		error("cannot return to the network namespace: %s", strerror(errno));
		abort();
	}
	return err;
}

/* What is no namespace, or has just ended, is passed over. */
static void sweep_one(struct sweep *sweep, const char *path)
{
	__cleanup(tc_close) tc_socket socket = NULL;
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
					sweep->made->netns == st.st_ino ? sweep->made->ifindex : 0);
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

/* The first priority that nobody has; `*ahead`: somebody has a filter of a lower one. */
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

/* An `ingress` qdisc would take a filter for egress, and run it at ingress. */
static int check_qdisc(tc_socket socket, const char *interface, unsigned int ifindex)
{
	enum at_ingress found;
	int err = find_qdisc(socket, ifindex, &found);

	if (err) {
		error("%s: cannot list its queueing disciplines: %s", interface, strerror(-err));
		return err;
	}
	if (found != AT_INGRESS_OTHER)
		return 0;
	error("%s: has a qdisc 'ingress', beside which this kernel has no hook for outgoing packets; make it a clsact, which takes the same filters: tc qdisc del dev %s ingress && tc qdisc add dev %s clsact, then add its filters again",
	      interface, interface, interface);
	return -EBUSY;
}

static int report_refusal(const char *interface, int err)
{
	__free_text char *words = libbpf_log_kernel_message();

	error("%s: cannot attach to its clsact: %s%s%s%s%s", interface, words ? words : "",
	      words ? " (" : "", strerror(-err), words ? ")" : "",
	      err == -ENOENT ? "; modprobe -a sch_ingress cls_bpf may help" : "");
	return err;
}

static int add_filter(tc_socket socket, int program, __u32 program_id, const char *interface,
		      unsigned int ifindex)
{
	__cleanup(tc_filters_free) struct tc_filters filters = {};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program);
	bool ahead;
	int err = list_filters(socket, ifindex, EGRESS, &filters);

	if (err || has_program(&filters, program_id))
		return err;
	options.priority = free_priority(&filters, &ahead);
	err = bpf_tc_attach(&hook, &options);
	if (!err && ahead)
		warning("%s: filters of others come before ours at its clsact: what they redirect or drop is not seen, and what they pass for good is neither learned nor judged",
			interface);
	return err;
}

int clsact_attach(int program, __u32 program_id, const char *interface, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	__cleanup(tc_close) tc_socket socket = NULL;
	bool created;
	int err = tc_open(&socket);

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
		remove_from(socket, ifindex, program_id, true);
	return report_refusal(interface, err);
}
