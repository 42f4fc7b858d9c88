// SPDX-License-Identifier: GPL-2.0
/* Records what a command did: one entry of the history, and a line of the journal an interface. */
#include "loader/filter/change_log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/sha256.h"
#include "loader/compile/kept.h"
#include "loader/net/netns.h"
#include "loader/object/admins.h"
#include "loader/report/difference.h"
#include "loader/report/difference_json.h"
#include "loader/report/history.h"
#include "loader/report/json_forms.h"

/* bytes of a rule set that is kept; with long groups a rule set may be longer */
#define TEXT_LIMIT (4 << 20)

struct history_place change_log_place(void)
{
	struct history_place place = history_host;

	place.readers = admins_group();
	return place;
}

char *change_log_network(void)
{
	struct stat own, host;
	char *name;

	if (stat("/proc/self/ns/net", &own) || stat("/proc/1/ns/net", &host) ||
	    own.st_ino == host.st_ino)
		return NULL;
	name = netns_name();
	return name ? name : xasprintf("net:[%llu]", (unsigned long long)own.st_ino);
}

/* --- texts of rule sets --- */

static void digest_of(const char *text, size_t length, char digest[SHA256_TEXT])
{
	struct sha256 sha;

	sha256_start(&sha);
	sha256_add(&sha, text, length);
	sha256_end(&sha, digest);
}

/* False: the text is not UTF-8. */
static bool add_profile(struct change_log *log, const struct profile *profile, const char *digest)
{
	json_t *json = json_pack("{s:s, s:s, s:s}", "digest", digest, "profile", profile->name,
				 "text", profile->text);
	__free_text char *line = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (line)
		names_add(&log->texts, line);
	json_decref(json);
	return line;
}

/* Adds the profiles of a composition to `profiles`, by name. */
static void add_profiles(struct change_log *log, const struct composition *composition,
			 json_t *profiles)
{
	char digest[SHA256_TEXT];
	size_t i;

	for (i = 0; i < composition->profiles; i++) {
		const struct profile *profile = composition->profile[i];

		if (!profile->text || json_object_get(profiles, profile->name))
			continue;
		digest_of(profile->text, strlen(profile->text), digest);
		if (add_profile(log, profile, digest))
			json_object_set_new(profiles, profile->name, json_string(digest));
	}
}

/* The profiles as their files were, from which the rule set can be composed again. */
static json_t *profiles_json(struct change_log *log, const struct composition *composition)
{
	json_t *profiles = json_object();

	if (composition)
		add_profiles(log, composition, profiles);
	for (size_t i = 0; composition && i < composition->machines; i++)
		if (composition->machine[i].like == i)
			add_profiles(log, &composition->machine[i].composition, profiles);
	return profiles;
}

static void add_rule_set(struct change_log *log, const char *text, const char *digest,
			 const struct composition *composition)
{
	json_t *profiles = profiles_json(log, composition);
	__free_text char *names = json_dumps(profiles, JSON_COMPACT);
	__free_text char *line =
		xasprintf("{\"digest\":\"%s\",\"kept\":%s,\"profiles\":%s}", digest, text, names);

	names_add(&log->texts, line);
	json_decref(profiles);
}

/*
 * Adds a kept text, and returns its digest; null: there is no text, or it is too long. `text`: the
 * text as it is pinned, so that it need not be written again; NULL: not available.
 */
static json_t *add_kept(struct change_log *log, const json_t *kept, const char *text,
			const struct composition *composition)
{
	__free_text char *written = kept && !text ? kept_text(kept) : NULL;
	char digest[SHA256_TEXT];

	text = text ?: written;
	if (!text)
		return json_null();
	digest_of(text, strlen(text), digest);
	if (strlen(text) <= TEXT_LIMIT)
		add_rule_set(log, text, digest, composition);
	return json_string(digest);
}

/* --- the entry of an interface --- */

static bool has_states(enum record_action action)
{
	return action != RECORD_CONFIRM && action != RECORD_RESUME;
}

static json_t *difference_of(const struct logged *logged)
{
	json_t *difference;

	if (has_states(logged->action) && logged->after)
		return difference_json(logged->before_unknown ? logged->after : logged->before,
				       logged->after);
	difference = json_pack("{s:[], s:[], s:[], s:[]}", "opens", "closes", "changes", "groups");
	if (has_states(logged->action))
		json_array_append_new(json_object_get(difference, "changes"),
				      json_string("everything passes"));
	return difference;
}

static json_t *interface_json(struct change_log *log, const struct logged *logged)
{
	json_t *interface = json_object(), *difference = difference_of(logged);

	json_object_set_new(interface, "name", text_json(log->as ? log->as : logged->name));
	json_object_set_new(interface, "action", json_string(record_action_name(logged->action)));
	if (logged->generation)
		json_object_set_new(interface, "generation",
				    json_integer((json_int_t)logged->generation));
	if (logged->what)
		json_array_append_new(json_object_get(difference, "changes"),
				      text_json(logged->what));
	json_object_update(interface, difference);
	json_decref(difference);
	if (logged->deadline)
		json_object_set_new(interface, "deadline",
				    json_integer((json_int_t)logged->deadline));
	if (!has_states(logged->action))
		return interface;
	/* The text of a rule set comes before the change, because the file has the oldest line
	 * first. */
	if (!logged->before_unknown)
		json_object_set_new(interface, "before",
				    add_kept(log, logged->before, logged->before_text, NULL));
	json_object_set_new(interface, "after",
			    add_kept(log, logged->after, logged->after_text, logged->composition));
	if (logged->mode == HOOK_GENERIC)
		json_object_set_new(interface, "mode", json_string("generic"));
	if (logged->flows)
		json_object_set_new(interface, "flows", json_integer(logged->flows));
	return interface;
}

static void begin(struct change_log *log)
{
	if (!log->caller.name)
		caller_find(&log->caller);
	if (log->interfaces)
		return;
	log->interfaces = json_array();
}

void change_log_add(struct change_log *log, const struct logged *logged)
{
	struct record *record;
	char *what = NULL;

	begin(log);
	log->time = logged->time;
	json_array_append_new(log->interfaces, interface_json(log, logged));
	if (logged->what)
		what = xstrdup(logged->what);
	else if (has_states(logged->action) && logged->after) {
		json_t *none = json_object();

		what = difference_short(logged->before ? logged->before : none, logged->after);
		json_decref(none);
	}
	log->record = grow(log->record, log->records, sizeof(*log->record));
	record = &log->record[log->records++];
	*record = (struct record){
		.action = logged->action,
		.interface = xstrdup(logged->name),
		.generation = logged->generation,
		.what = what,
		.comment = log->comment,
		.seconds = logged->seconds,
	};
}

/* --- the entry of the command --- */

static void make_id(char id[17])
{
	unsigned long long number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = clock_wall();
	snprintf(id, 17, "%016llx", number);
}

/* A deadline passed without a command. */
static json_t *entry_json(struct change_log *log)
{
	const struct caller *caller = &log->caller;
	__free_text char *network = change_log_network();
	__free_text char *boot = history_boot();
	__u64 time = log->time ? log->time : clock_wall();
	char text[TIME_TEXT];
	json_t *entry;

	if (*log->id)
		return json_pack("{s:s, s:O}", "more", log->id, "interfaces", log->interfaces);
	make_id(log->id);
	entry = json_pack("{s:s, s:s}", "id", log->id, "time", report_time(time, text));
	json_object_set_new(entry, "by", text_json(log->time ? NULL : caller->name));
	json_object_set_new(entry, "sudo_user", text_json(log->time ? NULL : caller->sudo_user));
	json_object_set_new(entry, "client", text_json(log->time ? NULL : caller->client));
	json_object_set_new(entry, "command", text_json(log->time ? NULL : caller->command));
	json_object_set_new(entry, "comment", text_json(log->comment));
	json_object_set_new(entry, "network_namespace", text_json(network));
	json_object_set_new(entry, "boot", text_json(boot));
	json_object_set(entry, "interfaces", log->interfaces);
	return entry;
}

static void forget(struct change_log *log)
{
	for (size_t i = 0; i < log->records; i++) {
		free((char *)log->record[i].interface);
		free((char *)log->record[i].what);
	}
	free(log->record);
	log->record = NULL;
	log->records = 0;
	json_decref(log->interfaces);
	log->interfaces = NULL;
	names_free(&log->texts);
}

void change_log_write(struct change_log *log)
{
	const struct history_place place = change_log_place();
	unsigned long long number;
	json_t *entry;

	if (!log->records)
		return;
	if (!log->journal_only) {
		entry = entry_json(log);
		history_append(&place, entry, &log->texts, &number);
		log->number = number ? number : log->number;
		json_decref(entry);
	}
	for (size_t i = 0; i < log->records; i++) {
		log->record[i].number = log->number;
		record_change(&log->record[i], &log->caller);
	}
	forget(log);
}

void change_log_free(struct change_log *log)
{
	forget(log);
	caller_free(&log->caller);
	*log = (struct change_log){};
}

void change_log_one(const struct logged *logged, const char *comment)
{
	__cleanup(change_log_free) struct change_log log = {.comment = comment};

	change_log_add(&log, logged);
	change_log_write(&log);
}
