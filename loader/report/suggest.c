// SPDX-License-Identifier: GPL-2.0
/* The suggestion of `suggest` for an interface, from the products' configuration and what
 * listens. */
#include "loader/report/suggest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/compose.h"
#include "loader/report/text.h"

#define HOST "host" /* the profile with what every host needs */

static const char *const protocol_name[PC_TRANSPORTS] = {[PC_TCP] = "tcp", [PC_UDP] = "udp"};

void suggestion_begin(struct suggestion *suggestion)
{
	*suggestion = (struct suggestion){.lines = json_array(), .closed = json_array()};
}

void suggestion_free(struct suggestion *suggestion)
{
	recipe_free(&suggestion->recipe);
	json_decref(suggestion->lines);
	json_decref(suggestion->closed);
	names_free(&suggestion->remarks);
	*suggestion = (struct suggestion){};
}

/* --- lines --- */

static bool is_line(const json_t *line, const char *key, const char *word)
{
	const char *of = json_string_value(json_object_get(line, "word"));

	return !strcmp(json_string_value(json_object_get(line, "key")) ?: "", key) &&
	       !of == !word && (!word || !strcmp(of, word));
}

static size_t find_line(const struct suggestion *suggestion, const char *key, const char *word)
{
	const json_t *line;
	size_t i;

	json_array_foreach (suggestion->lines, i, line)
		if (is_line(line, key, word))
			break;
	return i;
}

void suggest_forget(struct suggestion *suggestion, const char *key, const char *word)
{
	json_array_remove(suggestion->lines, find_line(suggestion, key, word));
}

json_t *suggest_line(struct suggestion *suggestion, const char *key, const char *word,
		     const char *format, ...)
{
	size_t at = find_line(suggestion, key, word);
	json_t *line = json_array_get(suggestion->lines, at);
	__free_text char *why = NULL;
	va_list args;

	va_start(args, format);
	why = xvasprintf(format, args);
	va_end(args);
	if (!line) {
		line = json_pack("{s:s, s:o, s:o, s:n, s:n, s:n, s:n, s:n, s:n}", "key", key,
				 "word", text_json(word), "text",
				 json_sprintf("%s: %s", key, word ?: "true"), "packets", "sources",
				 "first", "last", "process", "file");
		json_array_append_new(suggestion->lines, line);
	}
	json_object_set_new(line, "why", text_json(why));
	return line;
}

json_t *suggest_closed(struct suggestion *suggestion, bool remark, enum pc_transport transport,
		       __u16 port, const char *format, ...)
{
	__free_text char *why = NULL, *line = NULL;
	json_t *closed;
	va_list args;

	va_start(args, format);
	why = xvasprintf(format, args);
	va_end(args);
	line = xasprintf("closed: %u/%s: %s", port, protocol_name[transport], why);
	if (remark)
		names_add(&suggestion->remarks, line);
	closed = json_pack("{s:i, s:s, s:n, s:n, s:o, s:n, s:n}", "port", (int)port, "protocol",
			   protocol_name[transport], "packets", "sources", "why", text_json(why),
			   "process", "unit");
	json_array_append_new(suggestion->closed, closed);
	return closed;
}

void suggest_forget_closed(struct suggestion *suggestion, const struct audit_listener *listener)
{
	__free_text char *start = listener ? xasprintf("closed: %u/%s:", listener->port,
						       protocol_name[listener->transport]) :
					     xstrdup("closed: ");
	struct names kept = {};
	size_t i;

	for (i = 0; i < suggestion->remarks.count; i++)
		if (strncmp(suggestion->remarks.name[i], start, strlen(start)) != 0)
			names_add(&kept, suggestion->remarks.name[i]);
	names_free(&suggestion->remarks);
	suggestion->remarks = kept;
	for (i = json_array_size(suggestion->closed); i-- > 0;) {
		const json_t *closed = json_array_get(suggestion->closed, i);

		if (!listener ||
		    (json_integer_value(json_object_get(closed, "port")) == listener->port &&
		     !strcmp(text_of(closed, "protocol"), protocol_name[listener->transport])))
			json_array_remove(suggestion->closed, i);
	}
}

const struct audit_listener *suggest_listener(const struct suggest_host *host,
					      enum pc_transport transport, __u16 port)
{
	for (size_t i = 0; i < host->listeners; i++)
		if (host->listener[i].transport == transport && host->listener[i].port == port)
			return &host->listener[i];
	return NULL;
}

char *suggest_owner(const struct audit_listener *listener)
{
	const char *more = listener->container ?: listener->unit;

	return xasprintf("%s%s%s%s", listener->process ?: "a socket without a process",
			 more ? " (" : "", more ?: "", more ? ")" : "");
}

bool suggest_translated(const struct audit_listener *listener)
{
	return listener->process && !strcmp(listener->process, AUDIT_TRANSLATES);
}

char *suggest_listens(const struct audit_listener *listener)
{
	__free_text char *owner = suggest_owner(listener);

	return suggest_translated(listener) ? xasprintf("%s hands it on", owner) :
					      xasprintf("%s listens", owner);
}

/* --- products --- */

struct suggesting {
	const struct claims *claims;
	struct catalog *catalog;
	const struct suggest_host *host;
	struct suggestion *to;
	struct diag *diag;
};

static const struct audit_listener *listens_on(const struct suggest_host *host,
					       const struct ports *ports)
{
	for (size_t i = 0; i < host->listeners; i++)
		if (ports_have(ports, host->listener[i].transport, host->listener[i].port))
			return &host->listener[i];
	return NULL;
}

/* Reports a listener on a port that the product's configuration has, or else its profile. */
static const struct audit_listener *product_listens(const struct suggesting *suggesting,
						    const struct profile *profile)
{
	const struct audit_listener *found = NULL;

	for (size_t i = 0; i < profile->services && !found; i++) {
		const struct service *service = &profile->service[i];
		const struct claim *claim =
			claims_find(suggesting->claims, profile->name, service->name);

		found = listens_on(suggesting->host, claim ? &claim->ports : &service->in);
	}
	return found;
}

static void choose_profile(struct suggesting *suggesting, const struct claim_product *product)
{
	struct suggestion *to = suggesting->to;
	const struct profile *profile =
		catalog_find(suggesting->catalog, product->profile, suggesting->diag);
	const struct audit_listener *listener = NULL;
	__free_text char *owner = NULL, *remark = NULL;
	json_t *line;

	if (!profile)
		return;
	if (suggesting->host->known)
		listener = product_listens(suggesting, profile);
	if (suggesting->host->known && !listener) {
		remark = xasprintf("%s is left out: %s is there, but nothing listens on its ports",
				   product->profile, product->file);
		names_add(&to->remarks, remark);
		return;
	}
	recipe_profiles(&to->recipe, product->profile, suggesting->diag);
	owner = listener ? suggest_owner(listener) : NULL;
	line = suggest_line(to, "profiles", product->profile, "%s%s%s%s%s", profile->title ?: "",
			    profile->title ? ": " : "", product->file, owner ? ", " : "",
			    owner ?: "");
	json_object_set_new(line, "file", text_json(product->file));
	if (listener)
		json_object_set_new(line, "process", text_json(listener->process));
}

/* --- services --- */

/* A service that a claim is about. */
struct claimed {
	const struct claim *claim;
	const struct profile *profile;
	const struct service *service;
};

static void note_claim(struct suggestion *to, const char *key, const char *word,
		       const struct claim *claim)
{
	__free_text char *place =
		claim->line ? xasprintf("%s:%d", claim->file, claim->line) : xstrdup(claim->file);
	json_t *line = claim->text ? suggest_line(to, key, word, "%s: %s", place, claim->text) :
				     suggest_line(to, key, word,
						  claim->ports.count ? "by default, as of %s" :
								       "%s has none",
						  place);

	json_object_set_new(line, "file", text_json(place));
}

/* True if the service is open without further words in the recipe. */
static bool is_on(const struct service *service)
{
	return service->in.count && !service->feature && !service->local && !service->dynamic;
}

static void close_service(struct suggesting *suggesting, const struct claimed *claimed)
{
	__free_text char *name = xasprintf("%s:%s", claimed->profile->name, claimed->service->name);

	if (!is_on(claimed->service))
		return;
	recipe_disable(&suggesting->to->recipe, name, suggesting->diag);
	note_claim(suggesting->to, "disable", name, claimed->claim);
}

static void enable(struct suggesting *suggesting, const struct claimed *claimed)
{
	__free_text char *name =
		xasprintf("%s:%s", claimed->profile->name, claimed->service->feature);

	recipe_enable(&suggesting->to->recipe, name, suggesting->diag);
	note_claim(suggesting->to, "enable", name, claimed->claim);
}

static void move(struct suggesting *suggesting, const struct claimed *claimed)
{
	const struct service *service = claimed->service;
	__cleanup(names_free) struct names names = {};
	__free_text char *name = xasprintf("%s:%s%s", claimed->profile->name, service->name,
					   service->in.count && service->out.count ? ":in" : "");
	__free_text char *ports = NULL, *word = NULL;

	ports_strings(&claimed->claim->ports, &names);
	ports = names_join(&names, ",");
	word = xasprintf("%s=%s", name, ports);
	recipe_set(&suggesting->to->recipe, word, suggesting->diag);
	note_claim(suggesting->to, "set", name, claimed->claim);
}

static void apply_claim(struct suggesting *suggesting, const struct claimed *claimed)
{
	const struct service *service = claimed->service;
	const struct ports *ports = service->in.count ? &service->in : &service->out;

	if (!claimed->claim->ports.count) {
		close_service(suggesting, claimed);
		return;
	}
	if (service->feature)
		enable(suggesting, claimed);
	if (service->local || ports_equal(ports, &claimed->claim->ports))
		return;
	if (service->fixed)
		close_service(suggesting, claimed);
	else
		move(suggesting, claimed);
}

/*
 * If a site's profile includes a shipped one, services of the same names say where that one's ports
 * are configured, so the shipped services get the ports, too.
 */
static void apply_included(struct suggesting *suggesting, const struct claimed *claimed)
{
	const struct names chosen = {.name = (char *[]){claimed->profile->name}, .count = 1};
	const struct profile **list = NULL;
	size_t count = 0;
	bool moved = false;

	if (catalog_resolve(suggesting->catalog, &chosen, &list, &count, suggesting->diag))
		return;
	for (size_t i = 1; i < count; i++) {
		const struct claimed included = {claimed->claim, list[i],
						 profile_service(list[i], claimed->service->name)};

		if (!included.service)
			continue;
		apply_claim(suggesting, &included);
		moved |= !included.service->fixed;
	}
	/* A service without ports of its own only says where the port is configured. */
	if (!moved || !claimed->service->dynamic)
		apply_claim(suggesting, claimed);
	free(list);
}

static void apply_claims(struct suggesting *suggesting)
{
	for (size_t i = 0; i < suggesting->claims->count; i++) {
		struct claimed claimed = {.claim = &suggesting->claims->claim[i]};
		const char *name = claimed.claim->profile;

		if (!names_have(&suggesting->to->recipe.profiles, name))
			continue;
		claimed.profile = catalog_find(suggesting->catalog, name, suggesting->diag);
		claimed.service = claimed.profile ?
					  profile_service(claimed.profile, claimed.claim->service) :
					  NULL;
		if (claimed.service)
			apply_included(suggesting, &claimed);
	}
}

/* --- what listens --- */

static bool takes(const struct composed *service, const struct audit_listener *listener)
{
	return service->direction & DIRECTION_IN &&
	       ports_have(&service->ports, listener->transport, listener->port);
}

/* The product's configuration says that it does not listen there. */
static bool is_denied(const struct suggesting *suggesting, const struct composed *service)
{
	const struct claim *claim =
		claims_find(suggesting->claims, service->profile->name, service->service->name);

	return claim && !claim->ports.count;
}

static const struct composed *find_service(const struct suggesting *suggesting,
					   const struct composition *composition,
					   const struct audit_listener *listener,
					   enum why_closed why)
{
	for (size_t i = 0; i < composition->services; i++)
		if (composition->service[i].why == why &&
		    takes(&composition->service[i], listener) &&
		    (why != WHY_FEATURE || !is_denied(suggesting, &composition->service[i])))
			return &composition->service[i];
	return NULL;
}

/* Returns true if a feature was missing. */
static bool define_groups(struct suggesting *suggesting, const struct composed *service)
{
	struct recipe *recipe = &suggesting->to->recipe;
	size_t before = recipe->groups.count;

	for (size_t i = 0; i < service->from.count; i++) {
		const char *name = service->from.name[i];
		const struct names none = {};

		if (groups_find(&recipe->groups, name) || !strcmp(name, GROUP_LINK_LOCAL))
			continue;
		groups_define_list(&recipe->groups, name, &none, NULL, suggesting->diag);
		suggest_line(suggesting->to, "groups", name,
			     "admits no source yet: write the prefixes that may reach %s:%s here",
			     service->profile->name, service->service->name);
	}
	return recipe->groups.count > before;
}

/* Enables what fits a listener. Returns false if its port stays as it is. */
static bool enable_listener(struct suggesting *suggesting, const struct composition *composition,
			    const struct audit_listener *listener)
{
	const struct composed *service;
	__free_text char *name = NULL, *owner = suggest_owner(listener);
	json_t *line;

	if (find_service(suggesting, composition, listener, WHY_OPEN))
		return false;
	service = find_service(suggesting, composition, listener, WHY_FEATURE);
	if (!service) {
		service = find_service(suggesting, composition, listener, WHY_GROUP);
		return service && define_groups(suggesting, service);
	}
	name = xasprintf("%s:%s", service->profile->name, service->service->feature);
	if (names_have(&suggesting->to->recipe.features, name))
		return false;
	recipe_enable(&suggesting->to->recipe, name, suggesting->diag);
	line = suggest_line(suggesting->to, "enable", name, "%s %s %u/%s", owner,
			    suggest_translated(listener) ? "hands on" : "listens on",
			    listener->port, protocol_name[listener->transport]);
	json_object_set_new(line, "process", text_json(listener->process));
	return true;
}

static void tell_closed(struct suggesting *suggesting, const struct composition *composition,
			const struct audit_listener *listener)
{
	const struct composed *local = find_service(suggesting, composition, listener, WHY_LOCAL);
	__free_text char *listens = suggest_listens(listener);
	json_t *closed;

	if (find_service(suggesting, composition, listener, WHY_OPEN))
		return;
	if (local)
		closed = suggest_closed(suggesting->to, true, listener->transport, listener->port,
					"%s; %s:%s is for this host alone", listens,
					local->profile->name, local->service->name);
	else
		closed = suggest_closed(
			suggesting->to, true, listener->transport, listener->port,
			"%s, and none of these profiles has it; to open it: 'open: {%u/%s: anyone}'",
			listens, listener->port, protocol_name[listener->transport]);
	json_object_set_new(closed, "process", text_json(listener->process));
	json_object_set_new(closed, "unit", text_json(listener->unit));
}

/* Another socket of the port was already handled. */
static bool is_again(const struct suggest_host *host, size_t at)
{
	const struct audit_listener *listener = &host->listener[at];

	return suggest_listener(host, listener->transport, listener->port) != listener;
}

static int compose_again(struct suggesting *suggesting, struct composition *composition)
{
	__cleanup(diag_free) struct diag quiet = {};

	composition_free(composition);
	*composition = (struct composition){};
	return compose(suggesting->catalog, &suggesting->to->recipe, false, composition, &quiet);
}

static void follow_listeners(struct suggesting *suggesting)
{
	const struct suggest_host *host = suggesting->host;
	struct composition composition = {};
	int err = compose_again(suggesting, &composition);

	/* A feature may need a group, too. */
	for (size_t i = 0; i < host->listeners && !err; i++)
		while (!err && !is_again(host, i) &&
		       enable_listener(suggesting, &composition, &host->listener[i]))
			err = compose_again(suggesting, &composition);
	for (size_t i = 0; i < host->listeners && !err; i++)
		if (!is_again(host, i))
			tell_closed(suggesting, &composition, &host->listener[i]);
	composition_free(&composition);
}

/* If it is unknown what listens, every group that closes a service has to be filled in. */
static void define_all_groups(struct suggesting *suggesting)
{
	struct composition composition = {};

	if (!compose_again(suggesting, &composition))
		for (size_t i = 0; i < composition.services; i++)
			if (composition.service[i].why == WHY_GROUP)
				define_groups(suggesting, &composition.service[i]);
	composition_free(&composition);
}

void suggest_products(const struct claims *claims, struct catalog *catalog,
		      const struct suggest_host *host, struct suggestion *suggestion,
		      struct diag *diag)
{
	struct suggesting suggesting = {claims, catalog, host, suggestion, diag};

	for (size_t i = 0; i < claims->products; i++)
		choose_profile(&suggesting, &claims->product[i]);
	if (!suggestion->recipe.profiles.count) {
		recipe_profiles(&suggestion->recipe, HOST, diag);
		suggest_line(suggestion, "profiles", HOST,
			     "what every host needs; no product of the catalog was found");
	}
	apply_claims(&suggesting);
	if (host->known)
		follow_listeners(&suggesting);
	else
		define_all_groups(&suggesting);
}

/* --- a filter that exists already --- */

static void give_reason(struct suggestion *to, const struct suggestion *found, const char *key,
			const char *text)
{
	__free_text char *word = xstrndup(text, strcspn(text, "="));
	json_t *line = json_array_get(found->lines, find_line(found, key, word));

	if (line)
		json_array_append(to->lines, line);
	else
		suggest_line(to, key, word, "as the filter has it");
}

static void give_reasons(struct suggestion *to, const struct suggestion *found, const char *key,
			 const struct names *words)
{
	for (size_t i = 0; i < words->count; i++)
		give_reason(to, found, key, words->name[i]);
}

/* The kinds of words that are more than a name. */
static void list_words(const struct recipe *recipe, struct names *sets, struct names *froms,
		       struct names *opens)
{
	for (size_t i = 0; i < recipe->sets; i++) {
		__free_text char *word = override_set_text(&recipe->set[i]);

		names_add(sets, word);
	}
	for (size_t i = 0; i < recipe->froms; i++) {
		__free_text char *word = override_from_text(&recipe->from[i]);

		names_add(froms, word);
	}
	for (size_t i = 0; i < recipe->opens.count; i++) {
		__free_text char *word = open_port_text(&recipe->opens.port[i]);

		names_add(opens, word);
	}
}

void suggest_reasons(struct suggestion *to, const struct suggestion *found)
{
	__cleanup(names_free) struct names sets = {}, froms = {}, opens = {};
	const struct recipe *recipe = &to->recipe;

	list_words(recipe, &sets, &froms, &opens);
	give_reasons(to, found, "profiles", &recipe->profiles);
	give_reasons(to, found, "enable", &recipe->features);
	give_reasons(to, found, "disable", &recipe->disabled);
	give_reasons(to, found, "set", &sets);
	give_reasons(to, found, "from", &froms);
	give_reasons(to, found, "open", &opens);
	for (size_t i = 0; i < recipe->limits; i++) {
		__free_text char *word =
			xasprintf("%s:%s", recipe->limit[i].profile, recipe->limit[i].service);

		give_reason(to, found, "limits", word);
	}
	for (size_t i = 0; i < recipe->groups.count; i++)
		give_reason(to, found, "groups", recipe->groups.group[i].name);
	for (size_t i = 0; i < found->recipe.profiles.count; i++) {
		const char *name = found->recipe.profiles.name[i];
		__free_text char *remark = xasprintf(
			"profile %s is not in the filter, though its product is on this host", name);

		if (!names_have(&recipe->profiles, name) && strcmp(name, HOST) != 0)
			names_add(&to->remarks, remark);
	}
}
