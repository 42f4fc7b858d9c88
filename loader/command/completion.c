// SPDX-License-Identifier: GPL-2.0
/*
 * Completes a command line with names from the tables of commands and options, the catalog and the
 * site file.
 */
#include "loader/command/completion.h"

#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/catalog/catalog.h"
#include "loader/command/help.h"
#include "loader/command/options.h"
#include "loader/host/attached.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/site.h"
#include "loader/report/counters.h"

/* What the words before the cursor have chosen. */
struct line {
	const struct command *command;
	struct names arguments, profiles, catalog, groups;
	struct opens opens;
	const char *site;
	const struct option_row *pending; /* the option whose argument is at the cursor, or NULL */
	bool ended;			  /* "--" was given, so no options follow */
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Offers a word. `before`: the part of the word in front of the completed part. */
static void candidate(const char *before, const char *value, const char *end,
		      const char *description, const char *word)
{
	__free_text char *text = xasprintf("%s%s%s", before, value, end);
	__free_text char *shown = text_printable(text);
	__free_text char *about = description ? text_printable(description) : NULL;

	if (!begins(text, word) || strcmp(text, shown))
		return;
	printf("%s%s%s\n", text, about ? "\t" : "", about ? about : "");
}

/* The option in `word` ("--name", "--name=value", "-p") if the command takes it; else NULL. */
static const struct option_row *find_option(const struct command *command, const char *word)
{
	const struct option_row *row = NULL;
	size_t length = strcspn(word, "=");

	while ((row = options_next(command, row))) {
		if (begins(word, "--") && strlen(row->name) == length - 2 &&
		    !strncmp(word + 2, row->name, length - 2))
			break;
		if (row->letter && word[0] == '-' && word[1] == row->letter && !word[2])
			break;
	}
	return row;
}

static void add_list(struct names *names, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ",");
		__free_text char *name = xstrndup(text, length);

		names_add_once(names, name);
		text += length + (text[length] == ',');
	}
}

static void read_value(struct line *line, const struct option_row *row, const char *value)
{
	switch (row->field_at) {
	case offsetof(struct options, profile): add_list(&line->profiles, value); break;
	case offsetof(struct options, catalog): names_add(&line->catalog, value); break;
	case offsetof(struct options, site): line->site = value; break;
	case offsetof(struct options, open): {
		__cleanup(diag_free) struct diag unused = {};
		__cleanup(names_free) struct names services = {};

		opens_add(&line->opens, value, NULL, &services, &unused);
		break;
	}
	case offsetof(struct options, group): {
		__free_text char *name = xstrndup(value, strcspn(value, "="));

		names_add_once(&line->groups, name);
		break;
	}
	}
}

static void read_words(struct line *line, char **word, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		const struct option_row *row = find_option(line->command, word[i]);
		const char *equals = strchr(word[i], '=');

		line->pending = NULL;
		if (line->ended || word[i][0] != '-')
			names_add(&line->arguments, word[i]);
		else if (!strcmp(word[i], "--"))
			line->ended = true;
		else if (!row || !row->argument)
			continue;
		else if (equals)
			read_value(line, row, equals + 1);
		else if (i + 1 < words)
			read_value(line, row, word[++i]);
		else
			line->pending = row;
	}
	if (begins(line->command->arguments, "PROFILE"))
		names_add_all(&line->profiles, &line->arguments);
}

static void complete_profiles(struct catalog *catalog, const struct names *given,
			      const char *before, const char *word, struct diag *diag)
{
	struct names names = {};

	catalog_names(catalog, &names, diag);
	for (size_t i = 0; i < names.count; i++) {
		const struct profile *profile = catalog_find(catalog, names.name[i], diag);

		if (profile && !names_have(given, names.name[i]))
			candidate(before, names.name[i], "", profile->title, word);
	}
	names_free(&names);
}

static void complete_service(const struct profile *profile, const struct service *service,
			     const char *before, const char *end, const char *word)
{
	__free_text char *name = xasprintf("%s:%s", profile->name, service->name);

	candidate(before, name, end, service->title, word);
}

/* Offers each feature once, with its profile in front if `with_profile`. */
static void complete_feature(const struct profile *profile, size_t i, const char *before,
			     const char *word, bool with_profile)
{
	const struct service *service = &profile->service[i];
	__free_text char *name = NULL;

	if (!service->feature)
		return;
	for (size_t j = 0; j < i; j++)
		if (profile->service[j].feature &&
		    !strcmp(profile->service[j].feature, service->feature))
			return;
	name = with_profile ? xasprintf("%s:%s", profile->name, service->feature) :
			      xstrdup(service->feature);
	candidate(before, name, "", service->title, word);
}

/* Groups to which the profiles restrict a service, each once. */
static void profile_groups(const struct profile *profile, struct names *groups)
{
	for (size_t i = 0; i < profile->services; i++) {
		for (size_t j = 0; j < profile->service[i].from.count; j++)
			names_add_once(groups, profile->service[i].from.name[j]);
		for (size_t j = 0; j < profile->service[i].to.count; j++)
			names_add_once(groups, profile->service[i].to.name[j]);
	}
}

/* The services' ports, each once, with the first service that lists it. */
static void complete_ports(const struct profile **profile, size_t count, const char *before,
			   const char *word)
{
	__cleanup(names_free) struct names seen = {};

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < profile[i]->services; j++) {
			const struct service *service = &profile[i]->service[j];
			__free_text char *name =
				xasprintf("%s:%s", profile[i]->name, service->name);
			struct names ports = {};

			ports_strings(&service->in, &ports);
			ports_strings(&service->out, &ports);
			for (size_t k = 0; k < ports.count; k++) {
				if (strchr(ports.name[k], '-') || names_have(&seen, ports.name[k]))
					continue;
				names_add(&seen, ports.name[k]);
				candidate(before, ports.name[k], "", name, word);
			}
			names_free(&ports);
		}
	}
}

static void complete_names(const struct names *names, const char *before, const char *end,
			   const char *word)
{
	for (size_t i = 0; i < names->count; i++)
		candidate(before, names->name[i], end, NULL, word);
}

static void complete_groups(const struct line *line, const struct profile **profile, size_t count,
			    const char *before, const char *end, const char *word)
{
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(site_free) struct site site = {};
	struct names groups = {};

	names_add_all(&groups, &line->groups);
	for (size_t i = 0; i < count; i++)
		profile_groups(profile[i], &groups);
	if (!site_open(line->site, &site, &diag))
		for (size_t i = 0; i < site.groups.count; i++)
			names_add_once(&groups, site.groups.group[i].name);
	names_add_once(&groups, GROUP_LINK_LOCAL);
	if (!*end)
		names_add_once(&groups, GROUP_ANYONE);
	complete_names(&groups, before, end, word);
	names_free(&groups);
}

/* The first argument of grant and revoke: groups of the site file. */
static void complete_grantable(const struct line *line, const char *before, const char *word)
{
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(site_free) struct site site = {};

	if (line->arguments.count || site_open(line->site, &site, &diag))
		return;
	for (size_t i = 0; i < site.groups.count; i++)
		candidate(before, site.groups.group[i].name, "", NULL, word);
}

/* Offers the names of the chosen profiles. `value` is the part of `word` after `before`. */
static void complete_of_profiles(const struct line *line, const char *kind,
				 const struct profile **profile, size_t count, const char *before,
				 const char *value, const char *word)
{
	bool with_profile = !line->profiles.count || strchr(value, ':');
	const char *end = strchr(kind, '=') ? "=" : "";

	if (begins(kind, "NAME=")) {
		if (!strchr(value, '='))
			complete_groups(line, profile, count, before, "=", word);
		return;
	}
	if (!strcmp(kind, "PORT/PROTO"))
		complete_ports(profile, count, before, word);
	if (*end && strchr(value, '=')) {
		if (strstr(kind, "=GROUP"))
			complete_groups(line, profile, count, before, "", word);
		return;
	}
	for (size_t i = 0; i < count && !begins(kind, "PORT"); i++)
		for (size_t j = 0; j < profile[i]->services; j++)
			if (begins(kind, "FEATURE"))
				complete_feature(profile[i], j, before, word, with_profile);
			else
				complete_service(profile[i], &profile[i]->service[j], before, end,
						 word);
}

static void complete_catalog(const struct line *line, const char *kind, const char *before,
			     const char *value, const char *word)
{
	__cleanup(diag_free) struct diag diag = {};
	struct profile *site = opens_profile(&line->opens);
	const struct profile **profile = NULL;
	struct names chosen = {};
	struct catalog catalog;
	size_t count = 0;

	if (catalog_open(&line->catalog, &catalog, &diag))
		return;
	if (begins(kind, "PROFILE[") || begins(kind, "PROFILE.") || begins(kind, "WORD")) {
		complete_profiles(&catalog, &line->profiles, before, word, &diag);
	} else {
		names_add_all(&chosen, &line->profiles);
		if (!chosen.count)
			catalog_names(&catalog, &chosen, &diag);
		if (catalog_resolve(&catalog, &chosen, &profile, &count, &diag))
			count = 0;
		if (site) {
			profile = grow(profile, count, sizeof(*profile));
			profile[count++] = site;
		}
		complete_of_profiles(line, kind, profile, count, before, value, word);
	}
	free(profile);
	profile_free(site);
	names_free(&chosen);
	catalog_close(&catalog);
}

static void complete_interfaces(const struct line *line, const char *before, const char *word)
{
	struct if_nameindex *list = if_nameindex();

	for (size_t i = 0; list && list[i].if_name; i++)
		if (!names_have(&line->arguments, list[i].if_name))
			candidate(before, list[i].if_name, "", NULL, word);
	if (list)
		if_freenameindex(list);
}

/* "native|generic" */
static void complete_choices(const char *kind, const char *before, const char *word)
{
	while (*kind) {
		size_t length = strcspn(kind, "|");
		__free_text char *choice = xstrndup(kind, length);

		candidate(before, choice, "", NULL, word);
		kind += length + (kind[length] == '|');
	}
}

static void complete_reasons(const char *before, const char *word)
{
	for (int i = 0; i < PC_REASONS; i++)
		if (reason_name[i])
			candidate(before, reason_name[i], "", NULL, word);
}

static bool takes_machine(const struct option_row *row)
{
	return row && (!strcmp(row->name, "machine") || !strcmp(row->name, "no-machine"));
}

/* Machines of the site file, and of the filters if the caller may read them. */
static void complete_machines(const struct line *line, const char *before, const char *word)
{
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(site_free) struct site site = {};
	__cleanup(names_free) struct names machines = {};
	struct live *live;
	size_t count;
	bool left_out;

	if (!site_open(line->site, &site, &diag))
		for (size_t i = 0; i < site.interfaces; i++)
			for (size_t j = 0; j < site.interface[i].recipe.machines; j++)
				names_add_once(&machines, site.interface[i].recipe.machine[j].name);
	if (!live_read_kept(&line->arguments, "complete", &live, &count, &left_out)) {
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < kept_machines(live[i].kept); j++)
				names_add_once(&machines, kept_machine_name(live[i].kept, j));
		live_free(live, count);
	}
	complete_names(&machines, before, "", word);
}

/*
 * `kind` is the argument in help's words, `row` its option, or NULL. The text before `start` is
 * kept.
 */
static void complete_value(const struct line *line, const struct option_row *row, const char *kind,
			   const char *word, const char *start)
{
	const char *value = start, *comma = strrchr(start, ',');
	const char *equals = strchr(start, '=');
	__free_text char *before = NULL;

	if (strstr(kind, "=GROUP") && equals)
		start = equals + 1;
	if (comma && strstr(kind, "[,") && !strstr(kind, "=PREFIX"))
		start = comma + 1;
	before = xstrndup(word, (size_t)(start - word));
	if (takes_machine(row))
		complete_machines(line, before, word);
	else if (begins(kind, "IFACE"))
		complete_interfaces(line, before, word);
	else if (begins(kind, "GROUP PREFIX"))
		complete_grantable(line, before, word);
	else if (begins(kind, "GROUP"))
		complete_groups(line, NULL, 0, before, "", word);
	else if (begins(kind, "REASON"))
		complete_reasons(before, word);
	else if (begins(kind, "FILE"))
		printf(":file\n");
	else if (begins(kind, "DIR"))
		printf(":folder\n");
	else if (begins(kind, "PROFILE") || begins(kind, "FEATURE") || begins(kind, "NAME=") ||
		 begins(kind, "PORT") || begins(kind, "WORD"))
		complete_catalog(line, kind, before, value, word);
	else if (*kind >= 'a' && *kind <= 'z')
		complete_choices(kind, before, word);
}

static void complete_options(const struct line *line, const char *word)
{
	const struct option_row *row = NULL;

	while ((row = options_next(line->command, row)))
		candidate("--", row->name, "", row->help, word);
}

static void complete_word(const struct line *line, const char *word)
{
	const char *equals = strchr(word, '=');
	const struct option_row *row;

	if (line->pending)
		complete_value(line, line->pending, line->pending->argument, word, word);
	else if (line->ended || *word != '-')
		complete_value(line, NULL,
			       line->command->arguments + (*line->command->arguments == '['), word,
			       word);
	else if (!equals)
		complete_options(line, word);
	else if ((row = find_option(line->command, word)) && row->argument)
		complete_value(line, row, row->argument, word, equals + 1);
}

static void complete_commands(const struct command *commands, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		candidate("", commands[i].name, "", commands[i].summary, word);
}

static void complete_first(const struct command *commands, size_t count, const char *word)
{
	complete_commands(commands, count, word);
	candidate("", "help", "", "explain a command, or a reason", word);
	if (*word == '-') {
		candidate("", "--help", "", "print the commands", word);
		candidate("", "--version", "", "print the version", word);
	}
}

/* `help`: completes the commands, and the words that it explains. */
static void complete_help(const struct command *commands, size_t count, const char *word)
{
	__cleanup(names_free) struct names words = {};

	complete_commands(commands, count, word);
	help_words(&words);
	complete_names(&words, "", "", word);
}

void completion_print(const struct command *commands, size_t count, char **word, size_t words)
{
	struct line line = {};

	messages_to(messages_drop, NULL);
	if (words < 2) {
		complete_first(commands, count, words ? word[0] : "");
		return;
	}
	if (words == 2 && !strcmp(word[0], "help")) {
		complete_help(commands, count, word[1]);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!strcmp(commands[i].name, word[0]))
			line.command = &commands[i];
	if (!line.command)
		return;
	read_words(&line, word + 1, words - 2);
	complete_word(&line, word[words - 1]);
	names_free(&line.arguments);
	names_free(&line.profiles);
	names_free(&line.catalog);
	names_free(&line.groups);
	opens_free(&line.opens);
}
