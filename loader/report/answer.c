// SPDX-License-Identifier: GPL-2.0
/* Collects the changes of a command, and prints them as JSON. */
#include "loader/report/answer.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/difference_json.h"
#include "loader/report/json_forms.h"

static const char *const action_name[] = {
	[ANSWER_NONE] = "none",
	[ANSWER_ATTACH] = "attach",
	[ANSWER_SWAP] = "swap",
	[ANSWER_DETACH] = "detach",
};

static void take_message(void *context, bool is_error, const char *text, const char *fix)
{
	struct answer *answer = context;

	json_array_append_new(is_error ? answer->errors : answer->warnings,
			      json_pack("{s:s, s:s?}", "message", text, "fix", fix));
}

void answer_begin(struct answer *answer, bool json, bool collects)
{
	FILE *nowhere = json ? fopen("/dev/null", "we") : NULL;

	*answer = (struct answer){.collects = json || collects, .json = nowhere};
	if (!nowhere)
		return;
	answer->warnings = json_array();
	answer->errors = json_array();
	answer->text = stdout;
	stdout = nowhere;
	answer->messages = messages_to(take_message, answer);
}

static void digest_texts(const char *name, enum answer_action action, const json_t *before,
			 const json_t *after, char digest[SHA256_TEXT])
{
	__free_text char *was = before ? json_dumps(before, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	__free_text char *is = after ? json_dumps(after, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	const char *part[] = {name, action_name[action], was ?: "", is ?: ""};
	struct sha256 sha;

	sha256_start(&sha);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		sha256_add(&sha, part[i], strlen(part[i]) + 1);
	sha256_end(&sha, digest);
}

static json_t *what_changes(enum answer_action action, const json_t *before, const json_t *after)
{
	if (action == ANSWER_DETACH)
		return json_pack("{s:[], s:[], s:[s], s:[]}", "opens", "closes", "changes",
				 "everything passes", "groups");
	if (action == ANSWER_NONE)
		return json_pack("{s:[], s:[], s:[], s:[]}", "opens", "closes", "changes",
				 "groups");
	return difference_json(before, after);
}

void answer_interface(struct answer *answer, const char *name, enum answer_action action,
		      const json_t *before, const json_t *after)
{
	struct answer_interface *interface;
	json_t *difference;

	if (!answer->collects)
		return;
	answer->interface = grow(answer->interface, answer->interfaces, sizeof(*answer->interface));
	interface = &answer->interface[answer->interfaces++];
	difference = what_changes(action, before, after);
	*interface = (struct answer_interface){
		.json = json_pack("{s:s, s:s, s:n, s:n}", "name", name, "action",
				  action_name[action], "generation", "confirm")};
	json_object_update(interface->json, difference);
	if (action == ANSWER_ATTACH || difference_json_any(difference))
		digest_texts(name, action, before, after, interface->digest);
	json_decref(difference);
}

void answer_result(struct answer *answer, const char *name, unsigned long long generation,
		   unsigned int confirm)
{
	for (size_t i = 0; i < answer->interfaces; i++) {
		json_t *json = answer->interface[i].json;

		if (strcmp(json_string_value(json_object_get(json, "name")), name))
			continue;
		json_object_set_new(json, "generation", json_integer((json_int_t)generation));
		json_object_set_new(json, "confirm", confirm ? json_integer(confirm) : json_null());
	}
}

void answer_item(struct answer *answer, const char *list, json_t *item)
{
	json_t *items;

	if (!answer->json) {
		json_decref(item);
		return;
	}
	if (!answer->more)
		answer->more = json_object();
	items = json_object_get(answer->more, list);
	if (!items) {
		items = json_array();
		json_object_set_new(answer->more, list, items);
	}
	json_array_append_new(items, item);
}

void answer_take_back(struct answer *answer, size_t count)
{
	while (count-- && answer->interfaces)
		json_decref(answer->interface[--answer->interfaces].json);
}

static bool any_digest(const struct answer *answer)
{
	for (size_t i = 0; i < answer->interfaces; i++)
		if (*answer->interface[i].digest)
			return true;
	return false;
}

bool answer_changes(const struct answer *answer)
{
	return answer->confirmed || answer->admitted || any_digest(answer);
}

bool answer_digest(const struct answer *answer, char digest[ANSWER_DIGEST])
{
	char text[SHA256_TEXT];
	struct sha256 sha;

	sha256_start(&sha);
	for (size_t i = 0; i < answer->interfaces; i++)
		sha256_add(&sha, answer->interface[i].digest, strlen(answer->interface[i].digest));
	sha256_end(&sha, text);
	snprintf(digest, ANSWER_DIGEST, "%.*s", ANSWER_DIGEST - 1, text);
	return any_digest(answer);
}

static json_t *answer_json(const struct answer *answer, bool dry_run)
{
	json_t *interfaces = json_array(), *report = report_new("interfaces", interfaces);
	char digest[ANSWER_DIGEST];

	for (size_t i = 0; i < answer->interfaces; i++)
		json_array_append(interfaces, answer->interface[i].json);
	json_object_set_new(report, "changed", json_boolean(answer_changes(answer)));
	json_object_set_new(report, "dry_run", json_boolean(dry_run));
	json_object_set_new(report, "digest",
			    answer_digest(answer, digest) ? json_string(digest) : json_null());
	if (answer->more)
		json_object_update(report, answer->more);
	json_object_set(report, "warnings", answer->warnings);
	json_object_set(report, "errors", answer->errors);
	return report;
}

void answer_end(struct answer *answer, bool dry_run)
{
	if (answer->json) {
		messages_to(answer->messages.take, answer->messages.context);
		fclose(stdout);
		stdout = answer->text;
		report_print(answer_json(answer, dry_run), NULL);
		json_decref(answer->warnings);
		json_decref(answer->errors);
		json_decref(answer->more);
	}
	answer_take_back(answer, answer->interfaces);
	free(answer->interface);
	*answer = (struct answer){};
}
