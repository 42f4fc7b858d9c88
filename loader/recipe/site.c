// SPDX-License-Identifier: GPL-2.0
/* The site file: groups, management ports, and interfaces, with everything wrong with them. */
#include "loader/recipe/site.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/trust.h"
#include "loader/base/yaml.h"
#include "loader/base/yaml_fields.h"
#include "loader/catalog/values.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/site_groups.h"
#include "loader/recipe/site_keys.h"
#include "loader/recipe/site_settings.h"

#define INTERFACE_NAME_LIMIT 15 /* bytes: IFNAMSIZ without the NUL */
#define PATTERN_LIMIT	     63

enum {
	KEY_GROUPS,
	KEY_MANAGEMENT,
	KEY_DENY,
	KEY_NEVER_BAN,
	KEY_INTERFACES,
	KEYS,
};

static const struct yaml_key site_key[KEYS] = {
	[KEY_GROUPS] = {"groups", false, YAML_MAPPING, SITE_GROUPS_EXPECTED, SITE_GROUPS_ALIASES},
	[KEY_MANAGEMENT] = {"management", false, YAML_ITEMS, "a port or a list of ports, or none",
			    "admin ports manage"},
	[KEY_DENY] = {"deny", false, YAML_ITEMS, "a group or a list of groups",
		      "denied block blocked drop blacklist"},
	[KEY_NEVER_BAN] = {"never-ban", false, YAML_ITEMS, "a group or a list of groups",
			   "never-bans neverban ignoreip whitelist"},
	[KEY_INTERFACES] = {"interfaces", false, YAML_MAPPING,
			    "a mapping of interfaces, as in 'eth0: {profiles: ssh}'",
			    "interface iface ifaces device devices nics"},
};

/* --- management --- */

static void read_management(struct reader *reader, const struct yaml_node *value, struct site *site)
{
	site->management_given = true;
	if (value->kind != YAML_TEXT || strcmp(value->text, "none"))
		read_ports(reader, value, &site->management);
}

/* --- `deny` and `never-ban` --- */

/* Reads names of the file's own groups. Groups of an interface are read later, so they do not hide
 * these. */
static void read_group_names(struct reader *reader, const char *key, const struct yaml_node *value,
			     const struct site *site, struct names *names)
{
	struct uses uses = {};

	read_names(reader, value, "group name", names, &uses);
	for (size_t i = 0; i < uses.count; i++) {
		const char *name = uses.use[i].name;

		if (!strcmp(name, GROUP_LINK_LOCAL) || !strcmp(name, GROUP_ANYONE))
			complain(reader, uses.use[i].node,
				 "%s: %s is built in; name groups of the file", key, name);
		else if (!site->groups_wrong && !groups_find(&site->groups, name))
			complain(reader, uses.use[i].node,
				 "%s: the group '%s' is not defined; define it under groups:", key,
				 name);
	}
	free(uses.use);
}

static void check_both(struct reader *reader, const struct yaml_node *deny, const struct site *site)
{
	for (size_t i = 0; i < site->deny.count; i++)
		if (names_have(&site->never_ban, site->deny.name[i]))
			complain(reader, deny, "the group '%s' is in deny and in never-ban",
				 site->deny.name[i]);
}

/* --- interfaces --- */

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[");
}

/* Rejects the names that dev_valid_name of the kernel rejects. */
static bool check_interface(struct reader *reader, const struct yaml_node *key)
{
	const char *name = key->text;
	bool odd = false;

	if (key->kind == YAML_BAD)
		return false;
	if (key->kind != YAML_TEXT) {
		complain(reader, key, "a key is %s; write the name of an interface",
			 yaml_what(key));
		return false;
	}
	if (!strcmp(name, "<<")) {
		complain(reader, key, "merge keys are not part of this language");
		return false;
	}
	for (const char *c = name; *c; c++)
		odd |= strchr("/: \t\n\v\f\r\x7f", *c) || (unsigned char)*c < ' ' || *c == '\xa0';
	if (!*name || odd || !strcmp(name, ".") || !strcmp(name, ".."))
		complain(reader, key, "'%s' cannot be the name of an interface", name);
	else if (is_pattern(name) && strlen(name) > PATTERN_LIMIT)
		complain(reader, key, "a pattern has at most %d bytes, '%s' has %zu", PATTERN_LIMIT,
			 name, strlen(name));
	else if (!is_pattern(name) && strlen(name) > INTERFACE_NAME_LIMIT)
		complain(reader, key, "the name of an interface has at most %d bytes, '%s' has %zu",
			 INTERFACE_NAME_LIMIT, name, strlen(name));
	else
		return true;
	return false;
}

static void read_interface(struct reader *reader, const struct yaml_node *key, bool twice,
			   struct site *site)
{
	const struct yaml_key expected = {key->text, false, YAML_MAPPING,
					  "a mapping of keys, as in 'profiles: ssh'", ""};
	const struct site_files files = {site->path, site->saved, "", &site->group_file};
	struct site_interface *interface;

	if (!check_interface(reader, key))
		return;
	if (is_pattern(key->text)) {
		site->pattern = grow(site->pattern, site->patterns, sizeof(*site->pattern));
		interface = &site->pattern[site->patterns++];
	} else {
		site->interface = grow(site->interface, site->interfaces, sizeof(*site->interface));
		interface = &site->interface[site->interfaces++];
	}
	*interface = (struct site_interface){
		.name = xstrdup(key->text), .wrong = true, .profiles_wrong = true};
	yaml_place(&reader->yaml, key, &interface->place);
	if (yaml_usable(&reader->yaml, key->next, &expected, reader->diag))
		site_read_interface(reader, key->next, &files, interface);
	interface->wrong |= twice;
}

static void read_interfaces(struct reader *reader, const struct yaml_node *mapping,
			    struct site *site)
{
	const struct yaml_node *key;

	if (site_keys_too_many(reader, mapping, "interfaces", SITE_INTERFACES))
		return;
	site_keys_check(reader, mapping, "interface");
	yaml_for_each_key(key, mapping)
	{
		if (diag_full(reader->diag))
			break;
		read_interface(reader, key, key->kind == YAML_TEXT && site_key_twice(mapping, key),
			       site);
	}
}

/* --- the file --- */

static void read_site(struct reader *reader, struct site *site)
{
	const struct yaml_node *root = reader->yaml.root;
	const struct site_files files = {site->path, site->saved, "", &site->group_file};
	struct yaml_field field[KEYS];
	size_t errors = reader->diag->errors;

	yaml_fields(&reader->yaml, root, site_key, KEYS, field, reader->diag);
	site->interfaces_given = field[KEY_INTERFACES].key != NULL;
	site->unnamed_wrong = reader->diag->errors != errors;
	if (field[KEY_GROUPS].value && !site_read_groups(reader, field[KEY_GROUPS].value, &files,
							 &site->groups, &site->wrong_group))
		site->unnamed_wrong = true;
	site->groups_wrong = reader->diag->errors != errors;
	if (field[KEY_MANAGEMENT].value)
		read_management(reader, field[KEY_MANAGEMENT].value, site);
	if (field[KEY_DENY].value)
		read_group_names(reader, "deny", field[KEY_DENY].value, site, &site->deny);
	if (field[KEY_NEVER_BAN].value)
		read_group_names(reader, "never-ban", field[KEY_NEVER_BAN].value, site,
				 &site->never_ban);
	check_both(reader, field[KEY_DENY].value, site);
	if (field[KEY_INTERFACES].value)
		read_interfaces(reader, field[KEY_INTERFACES].value, site);
}

/* Adds the file's groups, except those that the interface has of its own. */
static void add_groups(struct groups *own, const struct groups *file)
{
	struct groups all = {0};

	groups_merge(&all, file);
	groups_merge(&all, own);
	groups_free(own);
	*own = all;
}

/* Gives each interface the settings of the file as a whole. */
static void add_file_words(struct recipe *recipe, const struct site *site)
{
	add_groups(&recipe->groups, &site->groups);
	site_deny(site, recipe);
}

/*
 * Fills the site; the caller frees it even after an error. `*usable`: the parts without errors can
 * be used.
 */
static int parse(const char *path, const char *text, size_t length, bool saved, struct site *site,
		 bool *usable, struct diag *diag)
{
	__cleanup(yaml_free) struct yaml yaml = {0};
	struct reader reader = {.diag = diag};
	size_t errors = diag->errors;

	*site = (struct site){
		.path = xstrdup(path), .text = xcalloc(length + 1, 1), .saved = saved};
	if (length)
		memcpy(site->text, text, length);
	yaml_load(site->path, site->text, length, &yaml, diag);
	*usable = diag->errors == errors;
	reader.yaml = yaml;
	if (yaml.root && yaml.root->kind == YAML_MAPPING)
		read_site(&reader, site);
	else if (yaml.root && !(yaml.root->kind & (YAML_EMPTY | YAML_BAD)) &&
		 diag->errors == errors)
		complain(&reader, yaml.root,
			 "a site file is %s; write a mapping of keys, as in 'groups:'",
			 yaml_what(yaml.root));
	for (size_t i = 0; i < site->interfaces; i++)
		add_file_words(&site->interface[i].recipe, site);
	for (size_t i = 0; i < site->patterns; i++)
		add_file_words(&site->pattern[i].recipe, site);
	return diag->errors == errors ? 0 : -EINVAL;
}

int site_parse(const char *path, const char *text, size_t length, struct site *site,
	       struct diag *diag)
{
	bool usable;
	int err = parse(path, text, length, false, site, &usable, diag);

	if (err)
		site_free(site);
	return err;
}

static int read_site_file(const char *path, bool partial, bool saved, struct site *site,
			  struct diag *diag)
{
	const struct place place = {.file = path};
	__free_text char *text = NULL;
	bool usable = false;
	size_t length;
	int err = read_file(path, SITE_FILE_LIMIT, &text, &length);

	*site = (struct site){0};
	if (!err && site_check_trust(path, &place, diag))
		return -EPERM;
	if (!err) {
		err = parse(path, text, length, saved, site, &usable, diag);
		if (err && !(partial && usable))
			site_free(site);
		return err;
	}
	if (err == -EFBIG)
		diag_error(diag, &place, "larger than %d bytes, the limit for a site file",
			   SITE_FILE_LIMIT);
	else if (err == -EINVAL)
		diag_error(diag, &place, "not a regular file");
	else if (err != -ENOENT)
		diag_errno(diag, &place, err, NULL);
	return err;
}

static int open_site(const char *given, bool partial, struct site *site, struct diag *diag)
{
	int err = read_site_file(given ? given : SITE_FILE, partial, false, site, diag);

	if (err != -ENOENT)
		return err;
	if (!given)
		return 0;
	diag_errno(diag, &(struct place){.file = given}, -ENOENT, NULL);
	return err;
}

int site_read(const char *path, struct site *site, struct diag *diag)
{
	return read_site_file(path, false, false, site, diag);
}

int site_saved(const char *path, struct site *site, struct diag *diag)
{
	return read_site_file(path, false, true, site, diag);
}

int site_open(const char *given, struct site *site, struct diag *diag)
{
	return open_site(given, false, site, diag);
}

int site_read_partial(const char *given, struct site *site, struct diag *diag)
{
	return open_site(given, true, site, diag);
}

static const struct site_interface *match(const struct site *site, const char *name, size_t from)
{
	for (size_t i = from; i < site->patterns; i++) {
		if (!fnmatch(site->pattern[i].name, name, 0))
			return &site->pattern[i];
	}
	return NULL;
}

void site_expand(struct site *site, const struct names *present, struct diag *diag)
{
	for (size_t i = 0; i < present->count; i++) {
		const char *name = present->name[i];
		const struct site_interface *first = match(site, name, 0), *second;
		struct site_interface *taken;

		if (!first || site_interface(site, name))
			continue;
		second = match(site, name, (size_t)(first - site->pattern) + 1);
		if (second)
			diag_error(diag, &second->place,
				   "'%s' and '%s' both match %s; write %s as a key of its own",
				   first->name, second->name, name, name);
		site->interface = grow(site->interface, site->interfaces, sizeof(*site->interface));
		taken = &site->interface[site->interfaces++];
		*taken = *first;
		taken->name = xstrdup(name);
		taken->pattern = first;
		taken->wrong |= second != NULL;
	}
}

void site_warn_unmatched(const struct site *site, struct diag *diag)
{
	for (size_t i = 0; i < site->patterns; i++) {
		size_t at = 0;

		while (at < site->interfaces && site->interface[at].pattern != &site->pattern[i])
			at++;
		if (at == site->interfaces)
			diag_warning(diag, &site->pattern[i].place, "'%s' matches no interface",
				     site->pattern[i].name);
	}
}

const struct site_interface *site_interface(const struct site *site, const char *name)
{
	for (size_t i = 0; i < site->interfaces; i++) {
		if (!strcmp(site->interface[i].name, name))
			return &site->interface[i];
	}
	return NULL;
}

void site_deny(const struct site *site, struct recipe *recipe)
{
	names_add_all(&recipe->deny, &site->deny);
	names_add_all(&recipe->never_ban, &site->never_ban);
}

/* The entry for this interface or pattern. */
static const struct site_interface *entry_of(const struct site *site, const char *name)
{
	for (size_t i = 0; i < site->patterns; i++)
		if (!strcmp(site->pattern[i].name, name))
			return &site->pattern[i];
	return site_interface(site, name);
}

const struct group *site_group(const struct site *site, const char *name)
{
	__free_text char *copy = xstrdup(name);
	char *machine = strchr(copy, ':'), *group = machine ? strchr(machine + 1, ':') : NULL;
	const struct site_interface *interface;
	const struct machine *behind;

	if (!machine)
		return groups_find(&site->groups, name);
	*machine++ = '\0';
	interface = entry_of(site, copy);
	if (!interface || !group)
		return interface ? groups_find(&interface->recipe.groups, machine) : NULL;
	*group++ = '\0';
	behind = machines_find(&interface->recipe, machine);
	return behind ? groups_find(&behind->own.groups, group) : NULL;
}

void site_merge_groups(const struct site *site, const char *name, struct recipe *recipe)
{
	const struct site_interface *entry = site_interface(site, name) ?: match(site, name, 0);

	groups_merge(&recipe->groups, entry ? &entry->recipe.groups : &site->groups);
	for (size_t i = 0; i < recipe->machines; i++)
		site_merge_machine_groups(site, name, &recipe->machine[i]);
}

void site_merge_machine_groups(const struct site *site, const char *name, struct machine *machine)
{
	const struct site_interface *entry = site_interface(site, name) ?: match(site, name, 0);
	const struct machine *of = entry ? machines_find(&entry->recipe, machine->name) : NULL;

	if (of)
		groups_merge(&machine->own.groups, &of->own.groups);
}

bool site_has_own_groups(const struct site *site, const char *name)
{
	const struct site_interface *entry = site_interface(site, name) ?: match(site, name, 0);

	return entry && entry->own_groups;
}

bool site_is(const char *path)
{
	__cleanup(diag_free) struct diag unused = {0};
	__cleanup(yaml_free) struct yaml yaml = {0};
	__free_text char *text = NULL;
	const struct yaml_node *key;
	bool found = false;
	size_t length;

	if (read_file(path, SITE_FILE_LIMIT, &text, &length))
		return false;
	yaml_load(path, text, length, &yaml, &unused);
	if (!yaml.root || yaml.root->kind != YAML_MAPPING)
		return false;
	yaml_for_each_key(key, yaml.root)
	{
		if (key->kind != YAML_TEXT)
			continue;
		if (!strcmp(key->text, "profile"))
			return false;
		for (size_t i = 0; i < KEYS; i++)
			found |= !strcmp(key->text, site_key[i].name);
	}
	return found;
}

void site_free(struct site *site)
{
	for (size_t i = 0; i < site->interfaces; i++)
		site_interface_free(&site->interface[i]);
	for (size_t i = 0; i < site->patterns; i++)
		site_interface_free(&site->pattern[i]);
	free(site->interface);
	free(site->pattern);
	groups_free(&site->groups);
	names_free(&site->wrong_group);
	names_free(&site->group_file);
	names_free(&site->deny);
	names_free(&site->never_ban);
	ports_free(&site->management);
	free(site->path);
	free(site->text);
	*site = (struct site){0};
}
