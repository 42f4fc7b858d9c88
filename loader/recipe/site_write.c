// SPDX-License-Identifier: GPL-2.0
/* Writes a site file. Every text that YAML could read as something else is put in quotes. */
#include "loader/recipe/site_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyz0123456789-/."

/* A word stays plain if it begins with a letter and has no character with a meaning in YAML. */
static bool is_plain(const char *text)
{
	static const char *const other[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n",  "anyone"};

	for (size_t i = 0; i + 1 < ARRAY_SIZE(other); i++)
		if (!strcmp(text, other[i]))
			return false;
	return *text >= 'a' && *text <= 'z' && !text[strspn(text, PLAIN)];
}

/* A port, "587/tcp": digits first, but with a slash it is no number. */
static bool is_port(const char *text)
{
	return *text >= '0' && *text <= '9' && strchr(text, '/') && !text[strspn(text, PLAIN)] &&
	       (strstr(text, "/tcp") || strstr(text, "/udp"));
}

static void write_text(const char *text, FILE *to)
{
	if (is_plain(text) || is_port(text)) {
		fputs(text, to);
		return;
	}
	fputc('\'', to);
	for (; *text; text++)
		fprintf(to, "%s%c", *text == '\'' ? "'" : "", *text);
	fputc('\'', to);
}

/* "[a, b]" of a comma-separated list. */
static void write_list(const char *list, FILE *to)
{
	__free_text char *copy = xstrdup(list);
	char *rest = copy, *item;
	const char *between = "[";

	while ((item = strsep(&rest, ","))) {
		fputs(between, to);
		write_text(item, to);
		between = ", ";
	}
	fputs("]", to);
}

static void write_names(const char *key, const struct names *names, FILE *to)
{
	__free_text char *list = names_join(names, ",");

	if (!names->count)
		return;
	fprintf(to, "    %s: ", key);
	write_list(list, to);
	fputc('\n', to);
}

/* One line of a mapping from "KEY=VALUE[,VALUE]". */
static void write_assignment(const char *word, FILE *to)
{
	const char *equals = strchr(word, '=');
	__free_text char *key = xstrndup(word, (size_t)(equals - word));

	fputs("      ", to);
	write_text(key, to);
	fputs(": ", to);
	write_list(equals + 1, to);
	fputc('\n', to);
}

static void write_overrides(const struct recipe *recipe, FILE *to)
{
	for (size_t i = 0; i < recipe->froms; i++) {
		__free_text char *word = override_from_text(&recipe->from[i]);

		fputs(i ? "" : "    from:\n", to);
		write_assignment(word, to);
	}
	for (size_t i = 0; i < recipe->sets; i++) {
		__free_text char *word = override_set_text(&recipe->set[i]);

		fputs(i ? "" : "    set:\n", to);
		write_assignment(word, to);
	}
}

/* "587/tcp: anyone", "8443/tcp: [mgmt]", "8443/tcp: {from: [mgmt], comment: 'CHG-1234'}" */
static void write_open(const struct open_port *port, FILE *to)
{
	__free_text char *word = open_port_text(port);
	char *equals = strchr(word, '=');

	if (equals)
		*equals = '\0';
	fputs("      ", to);
	write_text(word, to);
	fputs(port->comment ? ": {from: " : ": ", to);
	if (equals)
		write_list(equals + 1, to);
	else
		fputs(GROUP_ANYONE, to);
	if (port->comment) {
		fputs(", comment: ", to);
		write_text(port->comment, to);
		fputs("}", to);
	}
	fputc('\n', to);
}

static void write_settings(const struct site_entry *entry, FILE *to)
{
	const struct recipe *recipe = &entry->recipe;

	if (recipe->policy == PC_POLICY_OBSERVE)
		fputs("    observe: true\n", to);
	if (recipe->outbound == PC_OUTBOUND_ENFORCE)
		fputs("    outbound: enforce\n", to);
	if (recipe->forward)
		fputs("    forward: true\n", to);
	if (recipe_echo_limit(recipe) != ECHO_LIMIT_DEFAULT)
		fprintf(to, "    echo-limit: %u\n", recipe_echo_limit(recipe));
	if (entry->flows)
		fprintf(to, "    flows: %u\n", entry->flows);
	if (entry->mode != HOOK_AUTO)
		fprintf(to, "    mode: %s\n", entry->mode == HOOK_NATIVE ? "native" : "generic");
}

static void write_entry(const struct site_entry *entry, FILE *to)
{
	const struct recipe *recipe = &entry->recipe;

	if (entry->note)
		fprintf(to, "  # %s\n", entry->note);
	fputs("  ", to);
	write_text(entry->name, to);
	fputs(":\n", to);
	write_names("profiles", &recipe->profiles, to);
	write_names("enable", &recipe->features, to);
	write_names("disable", &recipe->disabled, to);
	for (size_t i = 0; i < recipe->opens.count; i++) {
		fputs(i ? "" : "    open:\n", to);
		write_open(&recipe->opens.port[i], to);
	}
	write_overrides(recipe, to);
	write_settings(entry, to);
}

static bool same_group(const struct group *a, const struct group *b)
{
	if (a->prefixes != b->prefixes)
		return false;
	for (size_t i = 0; i < a->prefixes; i++)
		if (prefix_compare(&a->prefix[i], &b->prefix[i]))
			return false;
	return true;
}

/* Whether the group of an entry is that of each entry before it. */
static int check_group(const struct site_entry *entry, size_t last, const struct group *group,
		       struct diag *diag)
{
	for (size_t i = 0; i < last; i++) {
		const struct group *other = groups_find(&entry[i].recipe.groups, group->name);

		if (!other || same_group(other, group))
			continue;
		diag_error(
			diag, NULL,
			"the group '%s' has other prefixes at %s than at %s, and a site file has one group of a name; give both the same: portcullis swap %s --group %s=...",
			group->name, entry[i].name, entry[last].name, entry[last].name,
			group->name);
		return -EINVAL;
	}
	return 0;
}

static void write_group(const struct group *group, FILE *to)
{
	char text[PREFIX_TEXT];

	fputs("  ", to);
	write_text(group->name, to);
	fputs(group->prefixes ? ":\n" : ": []\n", to);
	for (size_t i = 0; i < group->prefixes; i++) {
		fputs("    - ", to);
		write_text(prefix_format(&group->prefix[i], text), to);
		fputc('\n', to);
	}
}

static int write_groups(const struct site_entry *entry, size_t count, FILE *to, struct diag *diag)
{
	__cleanup(names_free) struct names written = {};

	for (size_t i = 0; i < count; i++) {
		const struct groups *groups = &entry[i].recipe.groups;

		for (size_t j = 0; j < groups->count; j++) {
			int err = check_group(entry, i, &groups->group[j], diag);

			if (err)
				return err;
			if (names_have(&written, groups->group[j].name))
				continue;
			fputs(written.count ? "" : "groups:\n", to);
			names_add(&written, groups->group[j].name);
			write_group(&groups->group[j], to);
		}
	}
	return 0;
}

int site_write(const struct site_entry *entry, size_t count, const struct ports *management,
	       FILE *to, struct diag *diag)
{
	__cleanup(names_free) struct names ports = {};
	__free_text char *list = NULL;
	int err = write_groups(entry, count, to, diag);

	if (err)
		return err;
	if (management) {
		ports_strings(management, &ports);
		list = names_join(&ports, ",");
		fputs("management: ", to);
		if (ports.count)
			write_list(list, to);
		else
			fputs("[]", to);
		fputc('\n', to);
	}
	fputs(count ? "interfaces:\n" : "interfaces: {}\n", to);
	for (size_t i = 0; i < count; i++)
		write_entry(&entry[i], to);
	return 0;
}
