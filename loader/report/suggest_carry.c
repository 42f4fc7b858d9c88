// SPDX-License-Identifier: GPL-2.0
/* Uses the present rules of nftables for a suggestion. */
#include "loader/report/suggest_carry.h"

#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/compose.h"
#include "loader/report/suggest_mentioned.h"
#include "loader/report/suggest_rules.h"
#include "loader/report/text.h"

#define SILENT 20 /* admitted ports where nothing listens that comments name; JSON has all */

struct carrying {
	const json_t *ruleset;
	const char *interface;
	struct suggestion *to;
	struct diag *diag;
	struct names unknown;
	bool list[PC_TRANSPORTS]; /* the rules drop ports that they do not mention */
};

/* Defines the group of a port's sources; its name is valid until the next call. */
static void define_sources(struct carrying *carrying, const char *name,
			   const struct suggest_answer *answer, const char *port)
{
	groups_define_list(&carrying->to->recipe.groups, name, &answer->sources, NULL,
			   carrying->diag);
	suggest_line(carrying->to, "groups", name, "those that nftables admits to %s", port);
}

static void carry_listener(struct carrying *carrying, const struct audit_listener *listener,
			   const struct suggest_answer *answer)
{
	__free_text char *port =
		xasprintf("%u/%s", listener->port, transport_name[listener->transport]);
	__free_text char *group =
		xasprintf("nft-%u-%s", listener->port, transport_name[listener->transport]);
	__free_text char *owner = suggest_owner(listener);
	bool some = answer->admits == SUGGEST_SOME;
	__free_text char *word = xasprintf("%s%s%s", port, some ? "=" : "", some ? group : "");
	json_t *line;

	if (some)
		define_sources(carrying, group, answer, port);
	recipe_open(&carrying->to->recipe, word, carrying->diag);
	line = suggest_line(carrying->to, "open", port, "%s listens, and nftables admits %s", owner,
			    some ? "these sources" : "anyone");
	json_object_set_new(line, "process", text_json(listener->process));
}

/* An open service for anyone is restricted to the sources that the rules admit to its ports. */
static void carry_service(struct carrying *carrying, const struct composed *service,
			  const struct suggest_answer *answer, const char *port)
{
	__free_text char *name = xasprintf("%s:%s", service->profile->name, service->service->name);
	__free_text char *group = xasprintf("nft-%s", port), *word = NULL, *remark = NULL;

	group[strcspn(group, "/")] = '-';
	if (answer->admits == SUGGEST_NOBODY) {
		remark = xasprintf(
			"nftables admits no source to %s (%s): it stays closed behind the filter",
			port, name);
		names_add(&carrying->to->remarks, remark);
		return;
	}
	define_sources(carrying, group, answer, port);
	word = xasprintf("%s=%s", name, group);
	recipe_from(&carrying->to->recipe, word, carrying->diag);
	suggest_line(carrying->to, "from", name, "nftables admits only these sources to %s", port);
}

static const struct composed *opened(const struct composition *composition,
				     const struct audit_listener *listener)
{
	for (size_t i = 0; i < composition->services; i++)
		if (composition->service[i].why == WHY_OPEN &&
		    composition->service[i].direction & DIRECTION_IN &&
		    ports_have(&composition->service[i].ports, listener->transport, listener->port))
			return &composition->service[i];
	return NULL;
}

static void carry(struct carrying *carrying, const struct composition *composition,
		  const struct audit_listener *listener)
{
	const struct composed *service = opened(composition, listener);
	__free_text char *port =
		xasprintf("%u/%s", listener->port, transport_name[listener->transport]);
	struct suggest_answer answer;

	suggest_rules_ask(carrying->ruleset, carrying->interface, listener->transport,
			  listener->port, &answer);
	names_add_all(&carrying->unknown, &answer.unknown);
	if (!service && carrying->list[listener->transport] && answer.admits != SUGGEST_NOBODY) {
		suggest_forget_closed(carrying->to, listener);
		carry_listener(carrying, listener, &answer);
	}
	if (service && !service->from.count && answer.admits != SUGGEST_ANYONE)
		carry_service(carrying, service, &answer, port);
	suggest_answer_free(&answer);
}

/* Rules that pass ports which they do not mention do not tell what should be open. */
static bool is_list(const json_t *ruleset, const char *interface, enum pc_transport transport)
{
	struct suggest_answer answer;
	bool list;

	suggest_rules_ask(ruleset, interface, transport, 0, &answer);
	list = answer.asked && answer.admits != SUGGEST_ANYONE;
	suggest_answer_free(&answer);
	return list;
}

/* Ports that the rules admit and where nothing listens: for a later use, or left over. */
static void tell_silent(const struct carrying *carrying, const struct composition *composition,
			const struct suggest_host *host)
{
	__free_text bool *mentioned = xcalloc(PC_PORTS, sizeof(*mentioned));
	size_t told = 0;

	suggest_mentioned(carrying->ruleset, mentioned);
	for (__u32 port = 0; port < PC_PORTS; port++) {
		const struct audit_listener as = {.transport = pc_port_transport(port),
						  .port = pc_port_number(port)};
		struct suggest_answer answer;

		if (!mentioned[port] || !carrying->list[as.transport] ||
		    suggest_listener(host, as.transport, as.port) || opened(composition, &as))
			continue;
		suggest_rules_ask(carrying->ruleset, carrying->interface, as.transport, as.port,
				  &answer);
		if (answer.admits != SUGGEST_NOBODY)
			suggest_closed(carrying->to, told++ < SILENT, as.transport, as.port,
				       "nftables admits it, and nothing listens");
		suggest_answer_free(&answer);
	}
}

/* Chains that let this host send only what they list. */
static void tell_output(const json_t *ruleset, struct suggestion *suggestion)
{
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(ruleset, "nftables"), i, item) {
		const json_t *chain = json_object_get(item, "chain");
		__free_text char *remark = NULL;

		if (!chain || strcmp(text_of(chain, "hook"), "output") != 0 ||
		    strcmp(text_of(chain, "type"), "filter") != 0 ||
		    strcmp(text_of(chain, "policy"), "drop") != 0)
			continue;
		remark = xasprintf(
			"not carried over: nftables chain %s %s %s, which restricts the packets that this host sends",
			text_of(chain, "family"), text_of(chain, "table"), text_of(chain, "name"));
		names_add_once(&suggestion->remarks, remark);
	}
}

void suggest_carry(const json_t *ruleset, const char *interface, struct catalog *catalog,
		   const struct suggest_host *host, struct suggestion *suggestion,
		   struct diag *diag)
{
	struct carrying carrying = {ruleset,
				    interface,
				    suggestion,
				    diag,
				    {},
				    {
					    [PC_TCP] = is_list(ruleset, interface, PC_TCP),
					    [PC_UDP] = is_list(ruleset, interface, PC_UDP),
				    }};
	__cleanup(composition_free) struct composition composition = {};
	__cleanup(names_free) struct names told = {};
	__cleanup(diag_free) struct diag quiet = {};

	if (compose(catalog, &suggestion->recipe, false, &composition, &quiet))
		return;
	for (size_t i = 0; i < host->listeners; i++) {
		const struct audit_listener *listener = &host->listener[i];

		/* The input chain sees translated packets with their new port. */
		if (suggest_listener(host, listener->transport, listener->port) == listener &&
		    !suggest_translated(listener))
			carry(&carrying, &composition, listener);
	}
	tell_silent(&carrying, &composition, host);
	for (size_t i = 0; i < carrying.unknown.count; i++)
		names_add_once(&told, carrying.unknown.name[i]);
	for (size_t i = 0; i < told.count; i++) {
		__free_text char *remark =
			xasprintf("not carried over: nftables, %s", told.name[i]);

		names_add(&suggestion->remarks, remark);
	}
	tell_output(ruleset, suggestion);
	names_free(&carrying.unknown);
}
