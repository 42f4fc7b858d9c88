// SPDX-License-Identifier: GPL-2.0
/* Writes a site file. Quotes every text that YAML could read as something else than a string. */
#include "loader/recipe/site_write.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/catalog/dns_answer.h"
#include "loader/recipe/machines.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyz0123456789-/."

/* A word needs no quotes if it begins with a letter and has no character with a meaning in YAML. */
static bool is_plain(const char *text)
{
	static const char *const other[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n",  "anyone"};

	for (size_t i = 0; i + 1 < ARRAY_SIZE(other); i++)
		if (!strcmp(text, other[i]))
			return false;
	return *text >= 'a' && *text <= 'z' && !text[strspn(text, PLAIN)];
}

/* A port such as "587/tcp" begins with digits, but because of the slash it is not a number. */
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

/* "[a, b]" from a comma-separated list. */
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

static void write_comment(const char *text, FILE *to)
{
	__free_text char *shown = text_printable(text);

	fprintf(to, "# %s", shown);
}

/* Ends the line of a word (NULL: of a key), with its comment. */
static void end_line(const json_t *notes, const char *key, const char *word, FILE *to)
{
	const json_t *note;
	size_t i;

	json_array_foreach (notes, i, note) {
		const char *of = json_string_value(json_object_get(note, "word"));

		if (strcmp(json_string_value(json_object_get(note, "key")) ?: "", key) != 0 ||
		    !of != !word || (word && strcmp(of, word) != 0))
			continue;
		fputs("  ", to);
		write_comment(json_string_value(json_object_get(note, "why")) ?: "", to);
		break;
	}
	fputc('\n', to);
}

static void write_names(const char *indent, const char *key, const struct names *names,
			const json_t *notes, FILE *to)
{
	__free_text char *list = names_join(names, ",");

	if (!names->count)
		return;
	fprintf(to, "%s%s:%s", indent, key, notes ? "\n" : " ");
	if (!notes) {
		write_list(list, to);
		fputc('\n', to);
	}
	for (size_t i = 0; notes && i < names->count; i++) {
		fprintf(to, "%s  - ", indent);
		write_text(names->name[i], to);
		end_line(notes, key, names->name[i], to);
	}
}

/* One line of a mapping from "KEY=VALUE[,VALUE]". */
static void write_assignment(const char *indent, const char *of, const char *word,
			     const json_t *notes, FILE *to)
{
	const char *equals = strchr(word, '=');
	__free_text char *key = xstrndup(word, (size_t)(equals - word));

	fprintf(to, "%s  ", indent);
	write_text(key, to);
	fputs(": ", to);
	write_list(equals + 1, to);
	end_line(notes, of, key, to);
}

static void write_overrides(const char *indent, const struct recipe *recipe, const json_t *notes,
			    FILE *to)
{
	for (size_t i = 0; i < recipe->froms; i++) {
		__free_text char *word = override_from_text(&recipe->from[i]);

		if (!i)
			fprintf(to, "%sfrom:\n", indent);
		write_assignment(indent, "from", word, notes, to);
	}
	for (size_t i = 0; i < recipe->sets; i++) {
		__free_text char *word = override_set_text(&recipe->set[i]);

		if (!i)
			fprintf(to, "%sset:\n", indent);
		write_assignment(indent, "set", word, notes, to);
	}
	for (size_t i = 0; i < recipe->limits; i++) {
		const struct override_limit *limit = &recipe->limit[i];
		__free_text char *service = xasprintf("%s:%s", limit->profile, limit->service);
		__free_text char *rate = limit_text(&limit->limit);

		/* The text is YAML already. A rate needs no quotes: with its slash it is not a
		 * number. */
		fprintf(to, "%s%s%s  ", i ? "" : indent, i ? "" : "limits:\n", indent);
		write_text(service, to);
		fprintf(to, ": %s", rate);
		end_line(notes, "limits", service, to);
	}
}

/* "587/tcp: anyone", "8443/tcp: [mgmt]", "8443/tcp: {from: [mgmt], comment: 'CHG-1234'}" */
static void write_open(const char *indent, const struct open_port *port, const json_t *notes,
		       FILE *to)
{
	__free_text char *word = open_port_text(port);
	char *equals = strchr(word, '=');

	if (equals)
		*equals = '\0';
	fprintf(to, "%s  ", indent);
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
	end_line(notes, "open", word, to);
}

static void write_settings(const struct site_entry *entry, FILE *to)
{
	const struct recipe *recipe = &entry->recipe;

	if (recipe->policy == PC_POLICY_OBSERVE) {
		fputs("    observe: true", to);
		end_line(entry->notes, "observe", NULL, to);
	}
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

static void write_group(const char *indent, const struct group *group, const json_t *notes,
			FILE *to)
{
	char text[PREFIX_TEXT];
	size_t count;
	const struct prefix *list = group_fixed(group, &count);

	fputs(indent, to);
	write_text(group->name, to);
	fputs(count || group->dns.count ? ":" : ": []", to);
	end_line(notes, "groups", group->name, to);
	for (size_t i = 0; i < count; i++) {
		fprintf(to, "%s  - ", indent);
		write_text(prefix_format(&list[i], text), to);
		fputc('\n', to);
	}
	for (size_t i = 0; i < group->dns.count; i++)
		fprintf(to, "%s  - '" DNS_WORD "%s'\n", indent, group->dns.name[i]);
}

/* The words that an interface and a machine have. */
static void write_words(const char *indent, const struct recipe *recipe, const json_t *notes,
			FILE *to)
{
	write_names(indent, "profiles", &recipe->profiles, notes, to);
	write_names(indent, "enable", &recipe->features, notes, to);
	write_names(indent, "disable", &recipe->disabled, notes, to);
	for (size_t i = 0; i < recipe->opens.count; i++) {
		if (!i)
			fprintf(to, "%sopen:\n", indent);
		write_open(indent, &recipe->opens.port[i], notes, to);
	}
	write_overrides(indent, recipe, notes, to);
}

static void write_machine(const struct machine *machine, FILE *to)
{
	static const char indent[] = "        ";
	__free_text char *address = machine_addresses(machine, ",");

	fputs("      ", to);
	write_text(machine->name, to);
	fprintf(to, ":\n%saddress: ", indent);
	write_list(address, to);
	fputc('\n', to);
	write_words(indent, &machine->own, NULL, to);
	for (size_t i = 0; i < machine->own.groups.count; i++) {
		if (!i)
			fprintf(to, "%sgroups:\n", indent);
		write_group("          ", &machine->own.groups.group[i], NULL, to);
	}
	if (machine->policy_given)
		fprintf(to, "%sobserve: %s\n", indent,
			machine->own.policy == PC_POLICY_OBSERVE ? "true" : "false");
	if (machine->outbound_given)
		fprintf(to, "%soutbound: %s\n", indent, outbound_name[machine->own.outbound]);
}

static bool same_group(const struct group *a, const struct group *b)
{
	__free_text char *one = names_join(&a->dns, ","), *other = names_join(&b->dns, ",");

	return !strcmp(one, other) && group_same_fixed(a, b);
}

/* The file's group of that name: that of the first entry that has one. */
static const struct group *file_group(const struct site_entry *entry, size_t count,
				      const char *name)
{
	const struct group *group = NULL;

	for (size_t i = 0; i < count && !group; i++)
		group = groups_find(&entry[i].recipe.groups, name);
	return group;
}

static void write_groups(const struct site_entry *entry, size_t count, FILE *to)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		const struct groups *groups = &entry[i].recipe.groups;

		for (size_t j = 0; j < groups->count; j++) {
			if (file_group(entry, count, groups->group[j].name) != &groups->group[j])
				continue;
			fputs(any ? "" : "groups:\n", to);
			any = true;
			write_group("  ", &groups->group[j], entry[i].notes, to);
		}
	}
}

/* Writes the groups whose prefixes differ from the file's group of the same name. */
static void write_own_groups(const struct site_entry *entry, size_t count,
			     const struct groups *groups, FILE *to)
{
	bool any = false;

	for (size_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->group[i];

		if (same_group(file_group(entry, count, group->name), group))
			continue;
		fputs(any ? "" : "    groups:\n", to);
		any = true;
		write_group("      ", group, NULL, to);
	}
}

/* Writes entry `at`. */
static void write_entry(const struct site_entry *all, size_t count, size_t at, FILE *to)
{
	const struct site_entry *entry = &all[at];
	const struct recipe *recipe = &entry->recipe;

	if (entry->note)
		fprintf(to, "  # %s\n", entry->note);
	fputs("  ", to);
	write_text(entry->name, to);
	fputs(":\n", to);
	write_words("    ", recipe, entry->notes, to);
	write_settings(entry, to);
	write_own_groups(all, count, &recipe->groups, to);
	for (size_t i = 0; i < recipe->machines; i++) {
		fputs(i ? "" : "    machines:\n", to);
		write_machine(&recipe->machine[i], to);
	}
	for (size_t i = 0; entry->remarks && i < entry->remarks->count; i++) {
		fputs("    ", to);
		write_comment(entry->remarks->name[i], to);
		fputc('\n', to);
	}
}

void site_write(const struct site_entry *entry, size_t count, const struct ports *management,
		FILE *to)
{
	__cleanup(names_free) struct names ports = {};
	__free_text char *list = NULL;

	write_groups(entry, count, to);
	if (management) {
		ports_strings(management, &ports);
		list = names_join(&ports, ",");
		fputs("management: ", to);
		if (ports.count)
			write_list(list, to);
		else
			fputs("none", to);
		fputc('\n', to);
	}
	if (count) {
		write_names("", "deny", &entry->recipe.deny, NULL, to);
		write_names("", "never-ban", &entry->recipe.never_ban, NULL, to);
	}
	fputs(count ? "interfaces:\n" : "interfaces: {}\n", to);
	for (size_t i = 0; i < count; i++)
		write_entry(entry, count, i, to);
}
