// SPDX-License-Identifier: GPL-2.0
/* Reads the rules of nf_tables by nfnetlink. */
#include "loader/net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/netlink.h"

#define DUMPS 5 /* tries: a change of the rules interrupts a dump */

/* Asks for a list. `fill` adds `with` to the request. */
static int dump(int kind, __u8 family, void (*fill)(struct nlmsghdr *, const void *),
		const void *with, mnl_cb_t read, void *data)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer *buffer = xcalloc(1, sizeof(*buffer));
	struct nfgenmsg *request = netlink_request(buffer, NFNL_SUBSYS_NFTABLES << 8 | kind,
						   NLM_F_DUMP, sizeof(*request));
	int err = netlink_open(NETLINK_NETFILTER, &socket);

	request->nfgen_family = family;
	request->version = NFNETLINK_V0;
	if (fill)
		fill(&buffer->request, with);
	if (!err)
		err = netlink_ask(socket, buffer, read, data);
	free(buffer);
	return err;
}

static __u8 family_of(const struct nlmsghdr *message)
{
	const struct nfgenmsg *info = mnl_nlmsg_get_payload(message);

	return info->nfgen_family;
}

static __u32 get_u32(const struct nlattr *attribute)
{
	return ntohl(mnl_attr_get_u32(attribute));
}

/* --- chains --- */

static int read_device(const struct nlattr *attribute, void *data)
{
	struct nft_chain *chain = data;

	names_add(&chain->devices, mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int read_hook(const struct nlattr *attribute, void *data)
{
	struct nft_chain *chain = data;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_HOOK_HOOKNUM: chain->hook = get_u32(attribute); break;
	case NFTA_HOOK_PRIORITY: chain->priority = (__s32)get_u32(attribute); break;
	case NFTA_HOOK_DEV: return read_device(attribute, data);
	case NFTA_HOOK_DEVS: return mnl_attr_parse_nested(attribute, read_device, data);
	}
	return MNL_CB_OK;
}

static int read_chain_attribute(const struct nlattr *attribute, void *data)
{
	struct nft_chain *chain = data;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_CHAIN_TABLE: chain->table = xstrdup(mnl_attr_get_str(attribute)); break;
	case NFTA_CHAIN_NAME: chain->name = xstrdup(mnl_attr_get_str(attribute)); break;
	case NFTA_CHAIN_POLICY: chain->policy = get_u32(attribute); break;
	case NFTA_CHAIN_HOOK:
		chain->base = true;
		return mnl_attr_parse_nested(attribute, read_hook, data);
	}
	return MNL_CB_OK;
}

static int read_chain(const struct nlmsghdr *message, void *data)
{
	struct nft_rules *rules = data;
	struct nft_chain chain = {.family = family_of(message), .policy = NF_ACCEPT};

	mnl_attr_parse(message, sizeof(struct nfgenmsg), read_chain_attribute, &chain);
	rules->chain = grow(rules->chain, rules->chains, sizeof(chain));
	rules->chain[rules->chains++] = chain;
	return MNL_CB_OK;
}

/* --- tables --- */

static int read_table_attribute(const struct nlattr *attribute, void *data)
{
	const struct nlattr **table = data;

	if (mnl_attr_get_type(attribute) <= NFTA_TABLE_FLAGS)
		table[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

/* Chains of a dormant table are not at a hook. */
static int read_table(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *table[NFTA_TABLE_FLAGS + 1] = {};
	struct nft_rules *rules = data;
	size_t i;

	mnl_attr_parse(message, sizeof(struct nfgenmsg), read_table_attribute, table);
	if (!table[NFTA_TABLE_NAME] || !table[NFTA_TABLE_FLAGS] ||
	    !(get_u32(table[NFTA_TABLE_FLAGS]) & NFT_TABLE_F_DORMANT))
		return MNL_CB_OK;
	for (i = 0; i < rules->chains; i++)
		if (rules->chain[i].family == family_of(message) &&
		    !strcmp(rules->chain[i].table, mnl_attr_get_str(table[NFTA_TABLE_NAME])))
			rules->chain[i].base = false;
	return MNL_CB_OK;
}

/* --- rules --- */

static int read_rule_attribute(const struct nlattr *attribute, void *data)
{
	struct nft_rule *rule = data;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_RULE_TABLE: rule->table = xstrdup(mnl_attr_get_str(attribute)); break;
	case NFTA_RULE_CHAIN: rule->chain = xstrdup(mnl_attr_get_str(attribute)); break;
	case NFTA_RULE_HANDLE: rule->handle = be64toh(mnl_attr_get_u64(attribute)); break;
	case NFTA_RULE_EXPRESSIONS: rule->expressions = attribute; break;
	}
	return MNL_CB_OK;
}

static int read_rule(const struct nlmsghdr *message, void *data)
{
	struct nft_rules *rules = data;
	struct nft_rule rule = {.family = family_of(message),
				.message = xcalloc(1, message->nlmsg_len)};

	memcpy(rule.message, message, message->nlmsg_len);
	mnl_attr_parse(rule.message, sizeof(struct nfgenmsg), read_rule_attribute, &rule);
	rules->rule = grow(rules->rule, rules->rules, sizeof(rule));
	rules->rule[rules->rules++] = rule;
	return MNL_CB_OK;
}

/* --- sets --- */

static int read_field_length(const struct nlattr *attribute, void *data)
{
	__u32 *field = data;
	size_t i;

	if (mnl_attr_get_type(attribute) != NFTA_SET_FIELD_LEN)
		return MNL_CB_OK;
	for (i = 0; i < NFT_FIELDS && field[i]; i++)
		;
	if (i < NFT_FIELDS)
		field[i] = get_u32(attribute);
	return MNL_CB_OK;
}

static int read_field(const struct nlattr *attribute, void *data)
{
	return mnl_attr_parse_nested(attribute, read_field_length, data);
}

static int read_description(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_SET_DESC_CONCAT)
		return mnl_attr_parse_nested(attribute, read_field, data);
	return MNL_CB_OK;
}

static int read_set_attribute(const struct nlattr *attribute, void *data)
{
	struct nft_set *set = data;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_SET_TABLE: set->table = xstrdup(mnl_attr_get_str(attribute)); break;
	case NFTA_SET_NAME: set->name = xstrdup(mnl_attr_get_str(attribute)); break;
	case NFTA_SET_FLAGS: set->flags = get_u32(attribute); break;
	case NFTA_SET_KEY_LEN: set->key_length = get_u32(attribute); break;
	case NFTA_SET_DESC: return mnl_attr_parse_nested(attribute, read_description, set->field);
	}
	return MNL_CB_OK;
}

static int read_set(const struct nlmsghdr *message, void *data)
{
	struct nft_rules *rules = data;
	struct nft_set set = {.family = family_of(message)};

	mnl_attr_parse(message, sizeof(struct nfgenmsg), read_set_attribute, &set);
	rules->set = grow(rules->set, rules->sets, sizeof(set));
	rules->set[rules->sets++] = set;
	return MNL_CB_OK;
}

/* --- elements --- */

static __u8 *copy_value(const struct nlattr *attribute, __u32 length)
{
	const struct nlattr *value;
	__u8 *copy = NULL;

	mnl_attr_for_each_nested(value, attribute)
	{
		__u32 size = mnl_attr_get_payload_len(value);

		if (mnl_attr_get_type(value) != NFTA_DATA_VALUE || copy)
			continue;
		copy = xcalloc(1, length);
		memcpy(copy, mnl_attr_get_payload(value), size < length ? size : length);
	}
	return copy;
}

struct element_reading {
	struct nft_set *set;
	struct nft_element *element;
};

static int read_element_attribute(const struct nlattr *attribute, void *data)
{
	const struct element_reading *reading = data;
	struct nft_element *element = reading->element;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_SET_ELEM_KEY:
		element->key = copy_value(attribute, reading->set->key_length);
		break;
	case NFTA_SET_ELEM_KEY_END:
		element->key_end = copy_value(attribute, reading->set->key_length);
		break;
	case NFTA_SET_ELEM_FLAGS:
		element->ends = get_u32(attribute) & NFT_SET_ELEM_INTERVAL_END;
		element->is_rest = get_u32(attribute) & NFT_SET_ELEM_CATCHALL;
		break;
	case NFTA_SET_ELEM_DATA:
		element->data = xcalloc(1, attribute->nla_len);
		memcpy(element->data, attribute, attribute->nla_len);
		break;
	}
	return MNL_CB_OK;
}

static int read_element(const struct nlattr *attribute, void *data)
{
	struct nft_set *set = data;
	struct nft_element element = {};
	struct element_reading reading = {set, &element};

	mnl_attr_parse_nested(attribute, read_element_attribute, &reading);
	set->element = grow(set->element, set->count, sizeof(element));
	set->element[set->count++] = element;
	return MNL_CB_OK;
}

static int read_list(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NFTA_SET_ELEM_LIST_ELEMENTS)
		return mnl_attr_parse_nested(attribute, read_element, data);
	return MNL_CB_OK;
}

static int read_elements(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct nfgenmsg), read_list, data);
}

static void name_set(struct nlmsghdr *request, const void *with)
{
	const struct nft_set *set = with;

	mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_TABLE, set->table);
	mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set->name);
}

static void free_elements(struct nft_set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++) {
		free(set->element[i].key);
		free(set->element[i].key_end);
		free(set->element[i].data);
	}
	free(set->element);
	set->element = NULL;
	set->count = 0;
}

int nft_read_set(struct nft_set *set)
{
	int err = -EINTR, tries;

	if (set->read)
		return 0;
	for (tries = 0; tries < DUMPS && err == -EINTR; tries++) {
		free_elements(set);
		err = dump(NFT_MSG_GETSETELEM, set->family, name_set, set, read_elements, set);
	}
	set->read = !err;
	return err;
}

/* --- all --- */

int nft_read(struct nft_rules *rules)
{
	int err = -EINTR, tries;

	for (tries = 0; tries < DUMPS && err == -EINTR; tries++) {
		nft_rules_free(rules);
		err = dump(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NULL, NULL, read_chain, rules);
		if (!err)
			err = dump(NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NULL, NULL, read_table, rules);
		if (!err)
			err = dump(NFT_MSG_GETRULE, NFPROTO_UNSPEC, NULL, NULL, read_rule, rules);
		if (!err)
			err = dump(NFT_MSG_GETSET, NFPROTO_UNSPEC, NULL, NULL, read_set, rules);
	}
	return err;
}

void nft_rules_free(struct nft_rules *rules)
{
	size_t i;

	for (i = 0; i < rules->chains; i++) {
		free(rules->chain[i].table);
		free(rules->chain[i].name);
		names_free(&rules->chain[i].devices);
	}
	for (i = 0; i < rules->rules; i++) {
		free(rules->rule[i].table);
		free(rules->rule[i].chain);
		free(rules->rule[i].message);
	}
	for (i = 0; i < rules->sets; i++) {
		free_elements(&rules->set[i]);
		free(rules->set[i].table);
		free(rules->set[i].name);
	}
	free(rules->chain);
	free(rules->rule);
	free(rules->set);
	*rules = (struct nft_rules){};
}

const struct nlattr *nft_find(const struct nlattr *nest, int type)
{
	const struct nlattr *attribute;

	if (nest)
		mnl_attr_for_each_nested(attribute, nest) if (mnl_attr_get_type(attribute) ==
							      type) return attribute;
	return NULL;
}

__u32 nft_number(const struct nlattr *nest, int type)
{
	const struct nlattr *attribute = nft_find(nest, type);

	return attribute ? ntohl(mnl_attr_get_u32(attribute)) : 0;
}
