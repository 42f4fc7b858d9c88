// SPDX-License-Identifier: GPL-2.0
/* Lists the filters at an interface's clsact, by rtnetlink; kernels before 6.6 have no tcx. */
#include "loader/net/tc.h"

#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/netlink.h"

static struct tcmsg *put_request(union netlink_buffer *buffer, int type, int flags,
				 unsigned int ifindex, __u32 parent)
{
	struct tcmsg *message = netlink_request(buffer, type, flags, sizeof(*message));

	message->tcm_ifindex = ifindex;
	message->tcm_parent = parent;
	return message;
}

/* Stores each attribute in an array of TCA_MAX + 1. */
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

/* --- filters --- */

void tc_filters_free(struct tc_filters *filters)
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

/* Only the kind bpf has options in the form that read_option reads. */
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

int tc_filters_list(struct mnl_socket *socket, unsigned int ifindex, __u32 parent,
		    struct tc_filters *filters)
{
	union netlink_buffer buffer;

	filters->parent = parent;
	put_request(&buffer, RTM_GETTFILTER, NLM_F_DUMP, ifindex, parent);
	return netlink_ask(socket, &buffer, read_filter, filters);
}

bool tc_filters_have(const struct tc_filters *filters, __u32 program_id)
{
	size_t i;

	for (i = 0; i < filters->count; i++)
		if (filters->filter[i].program_id == program_id)
			return true;
	return false;
}

int tc_filter_delete(struct mnl_socket *socket, unsigned int ifindex,
		     const struct tc_filter *filter)
{
	union netlink_buffer buffer;
	struct tcmsg *message =
		put_request(&buffer, RTM_DELTFILTER, NLM_F_ACK, ifindex, filter->parent);

	message->tcm_handle = filter->handle;
	message->tcm_info = filter->info;
	mnl_attr_put_strz(&buffer.request, TCA_KIND, "bpf");
	mnl_attr_put_u32(&buffer.request, TCA_CHAIN, filter->chain);
	return netlink_ask(socket, &buffer, NULL, NULL);
}

/* --- the qdisc --- */

struct qdisc_search {
	unsigned int ifindex;
	enum tc_qdisc found;
};

static int read_qdisc(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *head = mnl_nlmsg_get_payload(message);
	struct qdisc_search *search = data;
	const struct nlattr *attribute[TCA_MAX + 1] = {};

	if ((unsigned int)head->tcm_ifindex != search->ifindex || head->tcm_parent != TC_H_CLSACT)
		return MNL_CB_OK;
	mnl_attr_parse(message, sizeof(*head), keep_attribute, attribute);
	search->found = is_kind(attribute, "clsact") ? TC_QDISC_CLSACT : TC_QDISC_OTHER;
	return MNL_CB_OK;
}

int tc_qdisc_find(struct mnl_socket *socket, unsigned int ifindex, enum tc_qdisc *found)
{
	struct qdisc_search search = {.ifindex = ifindex};
	union netlink_buffer buffer;
	int err;

	put_request(&buffer, RTM_GETQDISC, NLM_F_DUMP, ifindex, 0);
	err = netlink_ask(socket, &buffer, read_qdisc, &search);
	*found = search.found;
	return err;
}

int tc_qdisc_delete(struct mnl_socket *socket, unsigned int ifindex)
{
	union netlink_buffer buffer;
	struct tcmsg *message = put_request(&buffer, RTM_DELQDISC, NLM_F_ACK, ifindex, TC_H_CLSACT);

	message->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(&buffer.request, TCA_KIND, "clsact");
	return netlink_ask(socket, &buffer, NULL, NULL);
}
