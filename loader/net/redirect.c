// SPDX-License-Identifier: GPL-2.0
/* Asks tc for the actions that redirect or mirror packets to an interface. */
#include "loader/net/redirect.h"

#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include "loader/base/memory.h"
#include "loader/net/netlink.h"

struct search {
	__u32 ifindex;
	bool found;
};

/* An action that no filter uses is listed, too, with a bindcnt of 0. */
static int read_parameters(const struct nlattr *attribute, void *data)
{
	const struct tc_mirred *mirred = mnl_attr_get_payload(attribute);
	struct search *search = data;

	if (mnl_attr_get_type(attribute) != TCA_MIRRED_PARMS ||
	    mnl_attr_get_payload_len(attribute) < sizeof(*mirred))
		return MNL_CB_OK;
	search->found |=
		mirred->ifindex == search->ifindex && mirred->bindcnt &&
		(mirred->eaction == TCA_INGRESS_REDIR || mirred->eaction == TCA_INGRESS_MIRROR);
	return MNL_CB_OK;
}

static int read_action(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == TCA_ACT_OPTIONS)
		return mnl_attr_parse_nested(attribute, read_parameters, data);
	return MNL_CB_OK;
}

static int read_entry(const struct nlattr *attribute, void *data)
{
	return mnl_attr_parse_nested(attribute, read_action, data);
}

static int read_table(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == TCA_ACT_TAB)
		return mnl_attr_parse_nested(attribute, read_entry, data);
	return MNL_CB_OK;
}

static int read_actions(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct tcamsg), read_table, data);
}

bool redirect_comes(unsigned int ifindex)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	struct search search = {.ifindex = ifindex};
	struct nlattr *table, *entry;
	union netlink_buffer buffer;

	netlink_request(&buffer, RTM_GETACTION, NLM_F_DUMP, sizeof(struct tcamsg));
	table = mnl_attr_nest_start(&buffer.request, TCA_ACT_TAB);
	entry = mnl_attr_nest_start(&buffer.request, 1);
	mnl_attr_put_strz(&buffer.request, TCA_ACT_KIND, "mirred");
	mnl_attr_nest_end(&buffer.request, entry);
	mnl_attr_nest_end(&buffer.request, table);
	if (netlink_open(NETLINK_ROUTE, &socket))
		return false;
	netlink_ask(socket, &buffer, read_actions, &search);
	return search.found;
}
