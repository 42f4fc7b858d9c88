// SPDX-License-Identifier: GPL-2.0
/* Asks the base chains of nftables at one step of a packet's way. */
#include "loader/host/behind_nft.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

/* A hook has chains of up to two families. */
struct step {
	__u8 family; /* NFPROTO_*; NFPROTO_UNSPEC: inet, and the packet's own family */
	__u32 hook;
	const char *name;
};

static const struct step step_list[] = {
	[BEHIND_INGRESS] = {NFPROTO_NETDEV, NF_NETDEV_INGRESS, "ingress"},
	[BEHIND_EGRESS] = {NFPROTO_NETDEV, 1 /* NF_NETDEV_EGRESS, since 5.16 */, "egress"},
	[BEHIND_BRIDGE_PREROUTING] = {NFPROTO_BRIDGE, NF_BR_PRE_ROUTING, "prerouting"},
	[BEHIND_BRIDGE_INPUT] = {NFPROTO_BRIDGE, NF_BR_LOCAL_IN, "input"},
	[BEHIND_BRIDGE_FORWARD] = {NFPROTO_BRIDGE, NF_BR_FORWARD, "forward"},
	[BEHIND_BRIDGE_OUTPUT] = {NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, "output"},
	[BEHIND_BRIDGE_POSTROUTING] = {NFPROTO_BRIDGE, NF_BR_POST_ROUTING, "postrouting"},
	[BEHIND_PREROUTING] = {NFPROTO_UNSPEC, NF_INET_PRE_ROUTING, "prerouting"},
	[BEHIND_INPUT] = {NFPROTO_UNSPEC, NF_INET_LOCAL_IN, "input"},
	[BEHIND_FORWARD] = {NFPROTO_UNSPEC, NF_INET_FORWARD, "forward"},
	[BEHIND_OUTPUT] = {NFPROTO_UNSPEC, NF_INET_LOCAL_OUT, "output"},
	[BEHIND_POSTROUTING] = {NFPROTO_UNSPEC, NF_INET_POST_ROUTING, "postrouting"},
};
static const struct step inet_ingress = {NFPROTO_INET, NF_INET_INGRESS, "ingress"};

static const char *family_name(__u8 family)
{
	switch (family) {
	case NFPROTO_INET: return "inet";
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_NETDEV: return "netdev";
	case NFPROTO_BRIDGE: return "bridge";
	default: return "?";
	}
}

static bool is_of_device(const struct step *step)
{
	return step->family == NFPROTO_NETDEV || step->family == NFPROTO_INET;
}

static bool is_on(const struct behind *behind, const struct step *step, const struct link *at,
		  const struct nft_chain *chain)
{
	bool family =
		step->family == NFPROTO_UNSPEC ?
			chain->family == NFPROTO_INET || chain->family == behind->packet->family :
			chain->family == step->family;

	if (!chain->base || !family || chain->hook != step->hook)
		return false;
	return !is_of_device(step) || (at && names_have(&chain->devices, at->name));
}

/* The state of conntrack in a chain: none before conntrack runs, unknown on a bridge. */
static enum nft_state state_at(const struct behind *behind, const struct step *step,
			       const struct nft_chain *chain)
{
	bool begins = step->hook == NF_INET_PRE_ROUTING || step->hook == NF_INET_LOCAL_OUT;

	if (step->family != NFPROTO_UNSPEC || (begins && chain->priority <= NF_IP_PRI_CONNTRACK))
		return NFT_STATE_UNKNOWN;
	return behind->state;
}

/* "table inet filter, chain input (input, priority 0, policy drop)"; the caller frees. */
static char *place_text(const struct step *step, const struct nft_chain *base,
			const struct nft_rule *rule)
{
	bool deeper = rule && strcmp(rule->chain, base->name);

	return xasprintf("table %s %s, chain %s%s%s (%s, priority %d, policy %s)",
			 family_name(base->family), base->table, deeper ? rule->chain : base->name,
			 deeper ? " of " : "", deeper ? base->name : "", step->name, base->priority,
			 base->policy == NF_DROP ? "drop" : "accept");
}

/* The sentence why a chain drops the packet; the caller frees. */
static char *why_text(const struct behind *behind, const struct nft_answer *answer)
{
	char remote[INET6_ADDRSTRLEN];

	if (!answer->rule)
		return xstrdup("its policy is drop");
	if (!answer->set)
		return xasprintf("rule with handle %llu", (unsigned long long)answer->rule->handle);
	if (!answer->set_has_source)
		return xasprintf("by the set %s", answer->set->name);
	inet_ntop(behind->packet->family, behind->packet->source, remote, sizeof(remote));
	return xasprintf("%s is in the set %s", remote, answer->set->name);
}

static void ask_chain(struct behind *behind, struct nft_rules *rules, const struct step *step,
		      const struct nft_chain *chain, const struct nft_packet *packet)
{
	struct nft_answer answer = nft_walk(rules, chain, packet);
	__free_text char *place = place_text(step, chain, answer.rule);
	__free_text char *why = why_text(behind, &answer);

	switch (answer.verdict) {
	case NFT_DROPS:
		behind_say(behind, "nftables %s it: %s: %s", answer.rejects ? "rejects" : "drops",
			   place, why);
		behind->drops = true;
		break;
	case NFT_MAY_DROP:
		behind_say(behind,
			   "nftables may drop it: %s: %s, with a condition that is not known here",
			   place, why);
		break;
	case NFT_PASSES:
		behind_say(behind, "nftables %s: %s",
			   answer.translates ?
				   "changes its destination, and later rules see the new one" :
				   "lets it through",
			   place);
		break;
	}
	behind->translated |= answer.translates;
}

/* Asks the chains of a step, by priority. */
static void ask_step(struct behind *behind, struct nft_rules *rules, const struct step *step,
		     const struct link *at, struct nft_packet *packet)
{
	bool *done = xcalloc(rules->chains + 1, sizeof(*done));
	size_t i;

	while (!behind_is_over(behind)) {
		const struct nft_chain *next = NULL;

		for (i = 0; i < rules->chains; i++)
			if (!done[i] && is_on(behind, step, at, &rules->chain[i]) &&
			    (!next || rules->chain[i].priority < next->priority))
				next = &rules->chain[i];
		if (!next)
			break;
		done[next - rules->chain] = true;
		packet->state = state_at(behind, step, next);
		ask_chain(behind, rules, step, next, packet);
	}
	free(done);
}

void behind_nft_ask(struct behind *behind, struct nft_rules *rules, enum behind_step step,
		    const struct link *at)
{
	__u8 bytes[FRAME_MADE_MOST];
	struct nft_packet packet = {
		.family = behind->packet->family,
		.protocol = behind->packet->protocol,
		.bytes = bytes,
		.length = frame_make(behind->packet, PC_FRAME_IP, bytes),
		.transport = behind->packet->family == AF_INET ? 20 : 40,
		.destination_type = behind->destination_type,
	};

	*(behind->out ? &packet.out : &packet.in) = at ? at->name : NULL;
	*(behind->out ? &packet.out_index : &packet.in_index) = at ? at->ifindex : 0;
	ask_step(behind, rules, &step_list[step], at, &packet);
	if (step == BEHIND_INGRESS)
		ask_step(behind, rules, &inet_ingress, at, &packet);
}
