// SPDX-License-Identifier: GPL-2.0
/* Tries a recipe with additional words before a message suggests them. */
#include "loader/guard/attempt.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/compile.h"
#include "loader/guard/reach.h"
#include "loader/recipe/recipe_json.h"

#define NEW_GROUP   "admins"   /* the name for a group that a fix needs, if there is none */
#define OWN_GROUP   "admitted" /* likewise, for peers that usually are not administrators */
#define SHOWN	    4	       /* prefixes of a group that a line shows, at most */
#define PREFIX_ANY  "0.0.0.0/0,::/0"
#define PLACEHOLDER "PREFIX" /* stands for prefixes that the administrator has to fill in */

static void attempt_clear(struct attempt *attempt)
{
	composition_free(&attempt->composition);
	tables_free(&attempt->tables);
}

void attempt_free(struct attempt *attempt)
{
	attempt_clear(attempt);
	recipe_free(&attempt->recipe);
	names_free(&attempt->words);
	free(attempt->left_out);
	free(attempt->why);
	*attempt = (struct attempt){};
}

bool attempt_make(struct attempt *attempt)
{
	__cleanup(diag_free) struct diag diag = {};

	attempt_clear(attempt);
	return !compose(attempt->catalog, &attempt->recipe, false, &attempt->composition, &diag) &&
	       !compile(&attempt->composition, &attempt->tables, &diag);
}

bool attempt_start(struct attempt *attempt, const struct guard_command *command,
		   const struct guard_target *target, const struct guard_need *need)
{
	__cleanup(diag_free) struct diag diag = {};
	json_t *json = recipe_json(target->plan->composition.recipe);
	int err;

	*attempt = (struct attempt){
		.catalog = target->catalog,
		.need = need,
		.kind = command->words,
		.whole = command->whole,
	};
	err = recipe_from_json(&attempt->recipe, json, &diag);
	json_decref(json);
	return !err && attempt_make(attempt);
}

static bool is_admitted(const struct attempt *attempt, const struct guard_peer *peer)
{
	const struct socket_info *session = peer->session;

	if (attempt->need->out)
		return attempt->tables.generation->outbound == PC_OUTBOUND_TRACK ||
		       tables_covers(&attempt->tables, session->family, session->remote,
				     attempt->need->transport, attempt->need->port);
	return tables_admit(&attempt->tables, session->family, session->remote,
			    attempt->need->transport, session->remote_port,
			    attempt->need->port) == ADMIT_PASS;
}

bool attempt_opens(const struct attempt *attempt)
{
	const struct guard_need *need = attempt->need;
	size_t i;

	for (i = 0; i < need->peers; i++)
		if (!is_admitted(attempt, &need->peer[i]))
			return false;
	return need->peers ||
	       guard_admits_any(attempt->tables.generation, need->transport, need->port);
}

/* --- words --- */

/* Adds `option` and `key` with a value each; the site file writes "A=B" as "{A: B}". */
void attempt_word(struct attempt *attempt, const char *option, const char *key, const char *value)
{
	const char *equals = strchr(value, '=');
	__free_text char *word = NULL;

	if (attempt->kind != GUARD_SITE_FILE)
		word = xasprintf("%s %s", option, value);
	else if (!equals)
		word = xasprintf("%s: [%s]", key, value);
	else
		word = xasprintf("%s: {%.*s: [%s]}", key, (int)(equals - value), value, equals + 1);
	names_add(&attempt->words, word);
}

bool attempt_give(struct attempt *attempt, const char *option, const char *key,
		  int (*add)(struct recipe *, const char *, struct diag *), const char *value)
{
	__cleanup(diag_free) struct diag diag = {};

	attempt_word(attempt, option, key, value);
	return !add(&attempt->recipe, value, &diag);
}

/*
 * Lists the peers that are not admitted yet, as prefixes. In the message, PREFIX stands for peers
 * that must not be named, or if there are no peers. In the trial, every peer is listed; if there
 * are none, "anyone".
 */
static char *peers_text(const struct attempt *attempt, bool told)
{
	const struct guard_need *need = attempt->need;
	__cleanup(names_free) struct names list = {};
	char text[INET6_ADDRSTRLEN];
	bool unnamed = false;
	size_t i;

	if (!need->peers)
		return xstrdup(told ? PLACEHOLDER : PREFIX_ANY);
	for (i = 0; i < need->peers; i++) {
		const struct socket_info *session = need->peer[i].session;
		__free_text char *prefix = NULL;

		if (is_admitted(attempt, &need->peer[i]))
			continue;
		unnamed |= !need->peer[i].named;
		if (told && !need->peer[i].named)
			continue;
		prefix = xasprintf("%s/%d", guard_peer(session, text),
				   session->family == AF_INET ? 32 : 128);
		names_add(&list, prefix);
	}
	if (told && unnamed)
		names_add(&list, PLACEHOLDER);
	return names_join(&list, ",");
}

/* Adds the peers to a group, which may be new. */
bool attempt_give_group(struct attempt *attempt, const char *name)
{
	const struct group *group = groups_find(&attempt->recipe.groups, name);
	size_t members = group ? group->prefixes : 0, i;
	__cleanup(names_free) struct names list = {};
	__cleanup(diag_free) struct diag diag = {};
	__free_text char *peers = peers_text(attempt, true), *all = peers_text(attempt, false);
	__free_text char *old = NULL, *word = NULL, *tried = NULL;
	char text[PREFIX_TEXT];

	for (i = 0; i < members; i++)
		names_add(&list, prefix_format(&group->prefix[i], text));
	old = names_join(&list, ",");
	tried = xasprintf("%s=%s%s%s", name, old, members ? "," : "", all);
	if (members > SHOWN || attempt->need->peers > SHOWN) {
		word = xasprintf("add %s to the group %s", peers, name);
		names_add(&attempt->words, word);
	} else {
		word = xasprintf("%s=%s%s%s", name, old, members ? "," : "", peers);
		attempt_word(attempt, "--group", "groups", word);
	}
	return !recipe_group(&attempt->recipe, tried, &diag);
}

bool attempt_group_is_long(const struct attempt *attempt, const char *name)
{
	const struct group *group = groups_find(&attempt->recipe.groups, name);

	return group && group->prefixes > SHOWN;
}

/* Makes a group for peers that may be anyone. The group opens no other service. The caller
 * frees. */
static char *new_group(const struct attempt *attempt)
{
	char *name = xstrdup(attempt->whole ? OWN_GROUP : NEW_GROUP);
	unsigned int number;

	for (number = 2; attempt->whole && groups_find(&attempt->recipe.groups, name); number++) {
		free(name);
		name = xasprintf(OWN_GROUP "-%u", number);
	}
	return name;
}

/* Tries a group of the guard's own, in addition to those of the service. */
bool attempt_give_from(struct attempt *attempt, const struct composed *service, bool keep)
{
	__cleanup(names_free) struct names groups = {};
	__free_text char *list = NULL, *word = NULL, *group = new_group(attempt);

	if (attempt->need->out)
		return false;
	if (keep)
		names_copy(&groups, &service->from);
	names_add_once(&groups, group);
	list = names_join(&groups, ",");
	word = xasprintf("%s:%s=%s", service->profile->name, service->service->name, list);
	return attempt_give(attempt, "--from", "from", recipe_from, word) &&
	       attempt_give_group(attempt, group);
}

bool attempt_give_track(struct attempt *attempt)
{
	__free_text char *word = xasprintf(
		"%s track", attempt->kind == GUARD_SITE_FILE ? "outbound:" : "--outbound");

	names_add(&attempt->words, word);
	attempt->recipe.outbound = PC_OUTBOUND_TRACK;
	return true;
}

bool attempt_leave_out(struct attempt *attempt, const char *name)
{
	struct names kept = {};
	size_t i;

	for (i = 0; i < attempt->recipe.disabled.count; i++)
		if (strcmp(attempt->recipe.disabled.name[i], name))
			names_add(&kept, attempt->recipe.disabled.name[i]);
	names_free(&attempt->recipe.disabled);
	attempt->recipe.disabled = kept;
	if (attempt->whole && attempt->kind == GUARD_OPTIONS_KEPT) {
		attempt_word(attempt, "--no-disable", NULL, name);
		return true;
	}
	free(attempt->left_out);
	attempt->left_out = xstrdup(name);
	return true;
}
